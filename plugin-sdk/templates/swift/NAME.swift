// NAME: a storage backend for Coffer, in Swift. It keeps objects in memory; put your store in its place.
//
// Build:  swiftc -O -wmo -swift-version 6 -parse-as-library -enable-upcoming-feature InternalImportsByDefault \
//             -emit-library -static-stdlib -module-name Name -I SDKDIR/include -o libcoffer-NAME.so NAME.swift SDKDIR/swift/*.swift
// Prove:  coffer-plugin-check check ./libcoffer-NAME.so
//
// The kit (SDKDIR/swift) owns every pointer of the C interface. It refuses what `capabilities` does not name, checks
// keys and announced sizes, and turns what is thrown into an answer; only the store itself is left to write.

public import CCofferPlugin
import Synchronization

#if canImport(CofferPluginSDK)
import CofferPluginSDK  // Built as a package; with the command above the kit's sources are part of this module.
#endif

/// The backend: one instance for each storage that an operator configures.
final class NameBackend: StorageBackend {
    /// What the plugin says of itself.
    ///
    /// Name a capability once the store really has it: the suite proves each one.
    static let description = PluginDescription(
        id: "NAME",
        version: "0.1.0",
        name: "Name",
        licence: "0BSD",
        description: "Objects in memory.",
        capabilities: [
            .stat, .read, .readRange, .readPinned, .readCondition, .write, .atomicReplace, .createIfAbsent, .ifMatch,
            .remove, .removeIfMatch, .list, .listAfter, .listSorted, .contentType, .userMetadata,
        ],
        options: [
            OptionDescription("max_object", .size, "The largest object that is taken; 0 is any.", default: "0")
        ]
    )

    let traits: Traits
    private let maxObject: UInt64
    private let objects = Mutex<[ByteString: StoredObject]>([:])
    private let generation = Atomic<UInt64>(0)

    /// Opens an instance: reads the options, touches no network.
    init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {
        maxObject = try options.size("max_object") ?? 0
        var limits = Traits.Limits()
        limits.maxObject = maxObject
        traits = Traits(native: Self.description.capabilities, limits: limits)
        host.log(.debug, "opened \(name)")
    }

    func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry {
        guard let object = objects.withLock({ $0[request.key] }) else { throw .notFound(request.key) }
        try request.conditions.checkRead(request.key, etag: object.entry.etag)
        return object.entry
    }

    func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        guard let object = objects.withLock({ $0[request.key] }) else { throw .notFound(request.key) }
        try request.conditions.checkRead(request.key, etag: object.entry.etag)
        let range = try request.range.resolve(size: UInt64(object.bytes.count))
        // The stream holds this version's bytes: a later write does not change what it reads.
        return ReadAnswer(entry: object.entry, range: range, body: .stream(NameReader(object.bytes, range)))
    }

    func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        // What is not kept is refused, never dropped: the kit knows the usual properties, not all others.
        for property in request.properties where property.name != "content-type" {
            throw .unsupported("the property \(property.name)")
        }
        try checkSize(request.size ?? 0)
        try check(request.conditions, request.key)
        return NameWriter(request, self)
    }

    func remove(_ request: RemoveRequest, call: Call) throws(BackendError) {
        let result = objects.withLock { objects -> Result<Void, BackendError> in
            do throws(BackendError) {
                if try request.check(existing: objects[request.key]?.entry.etag) { objects[request.key] = nil }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        let start = request.token.isEmpty ? request.startAfter : request.token
        let entries = objects.withLock { objects in
            objects.values.map(\.entry).filter { $0.key.hasPrefix(request.prefix) && $0.key > start }
        }
        return NameLister(entries.sorted { $0.key < $1.key })
    }

    /// Publishes a write, if its conditions still hold.
    fileprivate func publish(_ request: WriteRequest, _ bytes: [UInt8]) throws(BackendError) -> Entry {
        let entry = Entry(
            request.key,
            size: Int64(bytes.count),
            modified: wallClock(),
            etag: ByteString("v\(generation.add(1, ordering: .relaxed).newValue)"),
            properties: request.properties,
            metadata: request.metadata
        )
        let result = objects.withLock { objects -> Result<Void, BackendError> in
            do throws(BackendError) {
                try request.conditions.checkWrite(request.key, existing: objects[request.key]?.entry.etag)
                objects[request.key] = StoredObject(entry: entry, bytes: bytes)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        return entry
    }

    fileprivate func checkSize(_ size: UInt64) throws(BackendError) {
        guard maxObject > 0, size > maxObject else { return }
        throw BackendError(.tooLarge, "an object has at most \(maxObject) bytes")
    }

    private func check(_ conditions: Conditions, _ key: ByteString) throws(BackendError) {
        try conditions.checkWrite(key, existing: objects.withLock { $0[key]?.entry.etag })
    }
}

/// One version of an object.
private struct StoredObject {
    let entry: Entry
    let bytes: [UInt8]
}

/// One read.
private final class NameReader: ReadStream {
    private let bytes: [UInt8]
    private var left: Range<Int>

    init(_ bytes: [UInt8], _ range: Range<UInt64>) {
        self.bytes = bytes
        left = Int(range.lowerBound)..<Int(range.upperBound)
    }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        let part = left.prefix(buffer.byteCount)
        buffer.withUnsafeMutableBytes { $0.copyBytes(from: bytes[part]) }
        left = part.upperBound..<left.upperBound
        return part.count
    }

    func close() {}
}

/// One write: nothing is visible until `commit`.
private final class NameWriter: WriteStream {
    private let request: WriteRequest
    private let backend: NameBackend
    private var bytes: [UInt8] = []

    init(_ request: WriteRequest, _ backend: NameBackend) {
        self.request = request
        self.backend = backend
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        try backend.checkSize(UInt64(self.bytes.count + bytes.byteCount))
        bytes.withUnsafeBytes { self.bytes.append(contentsOf: $0) }
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        try backend.publish(request, bytes)
    }

    func close() { bytes = [] }
}

/// One listing, as it was when it began.
private final class NameLister: ListStream {
    private var entries: ArraySlice<Entry>

    init(_ entries: [Entry]) { self.entries = entries[...] }

    func next(limit: Int, into sink: EntrySink, call: Call) throws(BackendError) -> ListPage {
        let page = entries.prefix(limit)
        for entry in page { try sink.send(entry) }
        entries = entries.dropFirst(limit)
        guard let last = page.last, !entries.isEmpty else { return .end }
        return .more(token: last.key)
    }

    func close() { entries = [] }
}

/// The one exported symbol.
@c @implementation
public func coffer_backend_entry_v1(
    _ host: UnsafePointer<coffer_host>?,
    _ error: UnsafeMutablePointer<coffer_error>?
) -> UnsafePointer<coffer_plugin>? {
    exportBackend(NameBackend.self, host, error)
}
