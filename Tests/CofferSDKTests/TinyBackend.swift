// The smallest backend that does something, for the tests of the Swift kit.

import CofferPluginSDK
import CofferSystem

/// Objects in a dictionary, without conditions, ranges or metadata; it counts what reaches it.
final class TinyBackend: StorageBackend {
    static let description = PluginDescription(
        id: "tiny",
        version: "1.2.3",
        name: "Tiny",
        licence: "0BSD",
        description: "Objects in a dictionary.",
        capabilities: [.stat, .read, .write, .ifMatch, .remove, .removeBatch, .list, .contentType],
        options: [
            OptionDescription("root", .string, "Where.", flags: [.required]),
            OptionDescription("mode", .choice(["a", "b"]), "How.", default: "a"),
            OptionDescription("size", .size, "How much.", default: "1MiB", bounds: 1...100),
        ]
    )

    let objects = Locked<[ByteString: [UInt8]]>([:])
    let reached = Locked<[String]>([])
    let traits = Traits(native: TinyBackend.description.capabilities.subtracting(.ifMatch), unproven: .ifMatch)
    let host: HostServices

    init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {
        if try options.required("root") == "nowhere" { throw Options.wrong("root", "is nowhere") }
        self.host = host
    }

    func health(call: Call) throws(BackendError) -> Properties {
        host.log(.info, "asked for health")
        host.report(.gauge, "health", 1, labels: ["who": "tiny"])
        return ["mode": try host.option("mode") ?? "none", "trace": call.trace]
    }

    func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry {
        reached.withLock { $0.append("stat") }
        guard let bytes = objects.withLock({ $0[request.key] }) else { throw .notFound(request.key) }
        return Entry(
            request.key,
            size: Int64(bytes.count),
            modified: 7,
            etag: "tag",
            properties: ["content-type": "text/plain", "x": ""],
            metadata: ["a": "é"],
            checksums: [Checksum(algorithm: "crc32c", value: "00ff", isComposite: true)]
        )
    }

    func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        let entry = try stat(request, call: call)
        let bytes = objects.withLock { $0[request.key] ?? [] }
        let range = try request.range.resolve(size: UInt64(bytes.count))
        // An object named "short" has lost its last byte.
        let given = request.key == "short" ? Array(bytes.dropLast()) : bytes
        return ReadAnswer(entry: entry, range: range, body: .stream(TinyRead(given)))
    }

    func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        reached.withLock { $0.append("write" + request.conditions.ifMatch.string) }
        return TinyWrite(request.key, self)
    }

    func remove(_ request: RemoveRequest, call: Call) throws(BackendError) {
        if try request.check(existing: objects.withLock { $0[request.key] == nil ? nil : "tag" }) {
            _ = objects.withLock { $0.removeValue(forKey: request.key) }
        }
    }

    func removeBatch(_ requests: [RemoveRequest], results: BatchResults, call: Call) throws(BackendError) {
        for (index, request) in requests.enumerated() {
            try remove(request, call: call)
            try results.report(index)
        }
    }

    func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        TinyList(objects.withLock { $0.keys.filter { $0.hasPrefix(request.prefix) }.sorted() })
    }
}

private final class TinyRead: ReadStream {
    private var bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        let count = min(buffer.byteCount, bytes.count)
        buffer.withUnsafeMutableBytes { $0.copyBytes(from: bytes.prefix(count)) }
        bytes.removeFirst(count)
        return count
    }

    func close() {}
}

private final class TinyWrite: WriteStream {
    private let key: ByteString
    private let backend: TinyBackend
    private var bytes: [UInt8] = []

    init(_ key: ByteString, _ backend: TinyBackend) {
        self.key = key
        self.backend = backend
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        bytes.withUnsafeBytes { self.bytes.append(contentsOf: $0) }
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        let bytes = bytes
        backend.objects.withLock { $0[key] = bytes }
        return Entry(key, size: Int64(bytes.count), checksums: checksums)
    }

    func close() {}
}

private final class TinyList: ListStream {
    private var keys: [ByteString]
    init(_ keys: [ByteString]) { self.keys = keys }

    func next(limit: Int, into sink: EntrySink, call: Call) throws(BackendError) -> ListPage {
        for key in keys.prefix(limit) { try sink.sendObject(key: key, size: 1, etag: "tag") }
        let last = keys.prefix(limit).last
        keys.removeFirst(min(limit, keys.count))
        return keys.isEmpty ? .end : .more(token: last ?? .empty)
    }

    func close() {}
}
