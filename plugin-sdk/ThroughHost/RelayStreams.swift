// Streams of the host's answers and requests.

import CofferJSON
import CofferPluginSDK

/// A read of no bytes.
final class RelayNothing: ReadStream {
    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int { 0 }
    func close() {}
}

/// The body of an answer.
final class RelayRead: ReadStream {
    private var connection: HostConnection?
    private let host: HostUnderTest
    private let keepsConnection: Bool

    init(_ connection: HostConnection, _ host: HostUnderTest, keepsConnection: Bool) {
        self.connection = connection
        self.host = host
        self.keepsConnection = keepsConnection
    }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        guard let connection else { return 0 }
        return try buffer.withUnsafeMutableBytes { bytes throws(BackendError) in
            try connection.receive(into: bytes, call)
        }
    }

    func close() {
        // What has not been read to its end cannot be used again, and goes.
        if let connection, keepsConnection, connection.announced == 0 { host.giveBack(connection) }
        connection = nil
    }
}

/// The body of a request.
final class RelayWrite: WriteStream {
    private var connection: HostConnection?
    private let host: HostUnderTest
    private let isChunked: Bool
    private let told: (BackendError) -> BackendError
    private let published: (JSONValue) -> Entry

    init(
        _ connection: HostConnection,
        _ host: HostUnderTest,
        isChunked: Bool,
        told: @escaping (BackendError) -> BackendError,
        published: @escaping (JSONValue) -> Entry
    ) {
        self.connection = connection
        self.host = host
        self.isChunked = isChunked
        self.told = told
        self.published = published
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        let connection = try open()
        let isTaken = try bytes.withUnsafeBytes { all throws(BackendError) in
            guard isChunked else { return try connection.send(all, call) }
            let size = Array("\(String(all.count, radix: 16))\r\n".utf8)
            guard try connection.send(size, call), try connection.send(all, call) else { return false }
            return try connection.send(Array("\r\n".utf8), call)
        }
        if !isTaken { throw try refusal(connection, call) }
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        let connection = try open()
        if isChunked { _ = try connection.send(Array("0\r\n\r\n".utf8), call) }
        let head = try connection.receiveHead(call, hasBody: true)
        let body = try connection.receiveAll(call)
        guard head.isSuccess, let object = try? JSONValue(parsing: body) else { throw told(Problem.error(head, body)) }
        if head.keepsConnection { host.giveBack(connection) }
        self.connection = nil
        return published(object)
    }

    /// A connection that closes within a body aborts the write.
    func close() { connection = nil }

    private func open() throws(BackendError) -> HostConnection {
        guard let connection else { throw BackendError(.invalidArgument, "the write is over") }
        return connection
    }

    private func refusal(_ connection: HostConnection, _ call: Call) throws(BackendError) -> BackendError {
        let head = try connection.receiveHead(call, hasBody: true)
        return told(Problem.error(head, try connection.receiveAll(call)))
    }
}

/// A listing, page by page.
final class RelayListing: ListStream {
    private let request: ListRequest
    private let host: HostUnderTest
    private let target: ([(String, ByteString)]) -> String
    private var cursor: ByteString

    init(_ request: ListRequest, _ host: HostUnderTest, target: @escaping ([(String, ByteString)]) -> String) {
        self.request = request
        self.host = host
        self.target = target
        cursor = request.token
    }

    func next(limit: Int, into sink: EntrySink, call: Call) throws(BackendError) -> ListPage {
        var query: [(String, ByteString)] = [("limit", ByteString(String(min(limit, 10_000))))]
        if !request.prefix.isEmpty { query.append(("prefix", request.prefix)) }
        if !request.delimiter.isEmpty { query.append(("delimiter", request.delimiter)) }
        if !request.startAfter.isEmpty { query.append(("start_after", request.startAfter)) }
        if !cursor.isEmpty { query.append(("cursor", cursor)) }
        let body = try host.ask(HostRequest("GET", target(query)), call).body
        guard let page = try? JSONValue(parsing: body), let objects = page["objects"]?.arrayValue else {
            throw BackendError(.corrupt, "the host's page is no JSON")
        }
        var entries = objects.map { Entry(json: $0) }
        entries += (page["prefixes"]?.arrayValue ?? []).compactMap(\.stringValue).map {
            Entry(ByteString($0), kind: .prefix)
        }
        // The wire tells the two apart; together they are in order.
        if !request.delimiter.isEmpty { entries.sort { $0.key < $1.key } }
        for entry in entries { try sink.send(entry) }
        guard let next = page["cursor"]?.stringValue else { return .end }
        cursor = ByteString(next)
        return .more(token: cursor)
    }

    func close() {}
}

/// Digests as the wire has them (RFC 9530).
enum WireDigest {
    private static let names = ["sha256": "sha-256", "sha512": "sha-512", "crc32c": "crc32c", "md5": "md5"]
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func field(_ digest: Checksum) throws(BackendError) -> String {
        guard let name = names[digest.algorithm] else { throw .unsupported("the digest \(digest.algorithm)") }
        let digits = Array(digest.value.utf8)
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count - 1, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) else {
                throw BackendError(.invalidArgument, "a digest is not hexadecimal")
            }
            bytes.append(byte)
        }
        return "\(name)=:\(base64(bytes)):"
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for index in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[index..<min(index + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                text.append(place <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)] : 0x3D)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
