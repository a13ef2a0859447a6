// Reading one version of an object, ahead of who wants it.

import CofferPluginSDK
import SFTPWire

/// A read: several requests are on their way while the host takes what came.
///
/// The handle is the version: a file that is renamed over the key meanwhile is another file, and a server on a POSIX
/// system goes on reading the old one. What a foreign program does to it in place is noticed at the end, if it changed
/// the size or, by a second at least, the time.
final class FileReader: ReadStream {
    private struct Request {
        let offset: UInt64
        let length: Int
        let reply: Reply
    }

    private static let mostAhead = 4 << 20

    private let connection: Connection
    private let handle: [UInt8]
    private let seen: Attributes
    private let end: UInt64
    private var next: UInt64
    private var position: UInt64
    private var requests: [Request] = []
    private var ahead: Int
    private var front: (bytes: [UInt8], at: Int) = ([], 0)
    private var last: Reply?
    private var isClosed = false

    /// Starts to read a range of what a handle refers to; the handle is closed in any case.
    ///
    /// The size is asked for again, of the open file, and the first bytes at once with it: `found`, what the look before
    /// the opening said, is nearly always still so.
    static func start(
        _ wanted: ReadRange,
        _ handle: [UInt8],
        _ found: Attributes,
        on connection: Connection,
        _ call: Call
    ) throws(BackendError) -> (Attributes, Range<UInt64>, FileReader) {
        var reader: FileReader?
        do throws(BackendError) {
            let stat = try connection.request(PacketType.handleStat, handle)
            // A range that does not fit what was found may fit what is there.
            if let guess = try? wanted.resolve(size: found.size ?? 0) {
                reader = try FileReader(connection, handle: handle, found, guess)
            }
            let seen = try connection.attributes(stat, call).get("cannot read")
            let range = try wanted.resolve(size: seen.size ?? 0)
            if let reader, seen.size == found.size, seen.modified == found.modified { return (seen, range, reader) }
            reader?.leave()
            return (seen, range, try FileReader(connection, handle: handle, seen, range))
        } catch {
            reader?.leave()
            connection.close(handle)
            throw error
        }
    }

    /// Reads a range of what a handle refers to, and closes it in the end.
    init(_ connection: Connection, handle: [UInt8], _ seen: Attributes, _ range: Range<UInt64>) throws(BackendError) {
        self.connection = connection
        self.handle = handle
        self.seen = seen
        end = range.upperBound
        (next, position) = (range.lowerBound, range.lowerBound)
        ahead = 2 * connection.server.readSize
        try fill()
    }

    deinit { close() }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        if front.at == front.bytes.count {
            guard position < end else { return 0 }
            try advance(call)
        }
        let count = min(buffer.byteCount, front.bytes.count - front.at)
        let (bytes, start) = front
        buffer.withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes {
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<(start + count)]))
            }
        }
        front.at += count
        position += UInt64(count)
        if position == end { try checkUnchanged(call) }
        return count
    }

    func close() {
        guard !isClosed else { return }
        leave()
        connection.close(handle)
    }

    /// Ends the read, and leaves the handle to somebody else.
    private func leave() {
        isClosed = true
        for request in requests { connection.abandon(request.reply) }
        if let last { connection.abandon(last) }
        requests = []
        last = nil
    }

    /// Takes the next answer, and asks for what follows it.
    private func advance(_ call: Call) throws(BackendError) {
        guard let request = requests.first else { throw Self.changed }
        // Who has to wait is faster than the line: ask for more at once.
        if !connection.isDone(request.reply) { ahead = min(2 * ahead, Self.mostAhead) }
        try fill()
        let answer = try connection.fields(request.reply, PacketType.data, call)
        requests.removeFirst()
        guard var fields = answer.value else {
            if answer.status.code == Status.endOfFile { throw Self.changed }
            throw answer.status.error("cannot read")
        }
        let length = Int(try reading { () throws(WireError) in try fields.number() })
        guard length > 0, length <= request.length, length <= fields.left else {
            throw BackendError(.corrupt, "the server's answer is no SFTP")
        }
        front = (request.reply.body, fields.offset)
        if front.bytes.count > fields.offset + length {
            front.bytes.removeLast(front.bytes.count - fields.offset - length)
        }
        if length < request.length {
            // A server may give less than it was asked for: the rest comes before all that is on its way.
            let rest = request.length - length
            let again = try ask(request.offset + UInt64(length), rest)
            requests.insert(again, at: 0)
        }
        try fill()
    }

    private func fill() throws(BackendError) {
        let size = connection.server.readSize
        guard next < end, requests.count * size < ahead else { return }
        while next < end, requests.count * size < ahead {
            let length = Int(min(UInt64(size), end - next))
            requests.append(try ask(next, length))
            next += UInt64(length)
            if next == end { last = try connection.request(PacketType.handleStat, handle) }
        }
        try connection.push()
    }

    private func ask(_ offset: UInt64, _ length: Int) throws(BackendError) -> Request {
        let handle = handle
        let reply = try connection.submit { id in
            var packet = Packet(PacketType.read, id: id)
            packet.string(handle)
            packet.wide(offset)
            packet.number(UInt32(length))
            return packet
        }
        return Request(offset: offset, length: length, reply: reply)
    }

    private func checkUnchanged(_ call: Call) throws(BackendError) {
        guard let last else { return }
        self.last = nil
        let now = try connection.attributes(last, call).get("cannot read")
        guard now.size == seen.size, now.modified == seen.modified else { throw Self.changed }
    }

    private static let changed = BackendError(.changed, "the file was written to while it was read", isRetryable: true)
}
