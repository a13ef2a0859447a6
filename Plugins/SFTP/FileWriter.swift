// Writing one version of an object: unseen until its commit, gone without one.

import CofferPluginSDK
import SFTPWire

/// A write: several requests are on their way while the host brings more.
///
///     opened ──append──▶ filled ──finish──▶ closed ──Store.publish──▶ published
///       └─────────────────────── discard ──────┘
final class FileWriter: WriteStream {
    private static let mostAhead = 4 << 20

    private let store: Store
    private let connection: Connection
    private let request: WriteRequest
    private let place: Place
    private let path: [UInt8]
    private var handle: [UInt8]?
    private var gathered: [UInt8] = []
    private var size: UInt64 = 0
    private var sent: UInt64 = 0
    private var replies: [Reply] = []
    private var firstReply = 0
    private var isPublished = false

    /// Makes the unpublished file.
    init(
        _ store: Store,
        _ request: WriteRequest,
        _ place: Place,
        on connection: Connection,
        _ call: Call
    ) throws(BackendError) {
        self.store = store
        self.request = request
        self.place = place
        self.connection = connection
        path = store.unpublishedPath(store.unpublishedName(attempt: request.attempt), on: connection)
        let isCreateOnly = !request.conditions.ifNoneMatch.isEmpty
        try store.requireWriting(on: connection)
        if isCreateOnly { try store.requireLinking(on: connection) }
        let look = try Look(at: place, on: connection)
        let opened = try open()
        do throws(BackendError) {
            let sight = try look.sight(on: connection, call)
            try store.check(sight, at: place, isCreateOnly: isCreateOnly)
        } catch {
            abandonOpening(opened)
            throw error
        }
        var answer = try connection.handle(opened, call)
        if answer.status.code == Status.noSuchFile {
            try store.makeUnpublished(on: connection, call)
            answer = try connection.handle(try open(), call)
        }
        guard let handle = answer.value else {
            throw store.explained(answer.status, "cannot make a new file", on: connection, call)
        }
        self.handle = handle
    }

    private func open() throws(BackendError) -> Reply {
        try connection.open(path, [.write, .create, .exclusive], mode: store.settings.fileMode)
    }

    /// The server may have made the file by now: requests are done in order, so this one finds it.
    private func abandonOpening(_ opened: Reply) {
        connection.abandon(opened)
        if let removal = try? connection.request(PacketType.remove, path) { connection.abandon(removal) }
    }

    deinit { discard() }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        try call.check()
        if let announced = request.size, UInt64(bytes.byteCount) > announced - min(announced, size) {
            throw BackendError(.invalidArgument, "more bytes than the announced \(announced)")
        }
        size += UInt64(bytes.byteCount)
        try bytes.withUnsafeBytes { bytes throws(BackendError) in
            var rest = bytes
            let unit = connection.server.writeSize
            while gathered.count + rest.count >= unit {
                let count = unit - gathered.count
                let part = UnsafeRawBufferPointer(rebasing: rest[..<count])
                if gathered.isEmpty {
                    try send(part, call)
                } else {
                    gathered.append(contentsOf: part)
                    try sendGathered(call)
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            gathered.append(contentsOf: rest)
        }
    }

    private func sendGathered(_ call: Call) throws(BackendError) {
        guard !gathered.isEmpty else { return }
        let bytes = gathered
        try bytes.span.bytes.withUnsafeBytes { bytes throws(BackendError) in try send(bytes, call) }
        gathered.removeAll(keepingCapacity: true)
    }

    private func send(_ bytes: UnsafeRawBufferPointer, _ call: Call) throws(BackendError) {
        guard let handle else { throw BackendError(.internal, "the write has ended") }
        let offset = sent
        let reply = try connection.submit(data: bytes) { id in
            var packet = Packet(PacketType.write, id: id)
            packet.string(handle)
            packet.wide(offset)
            packet.number(UInt32(bytes.count))
            return packet
        }
        sent += UInt64(bytes.count)
        replies.append(reply)
        while (replies.count - firstReply) * connection.server.writeSize > Self.mostAhead { try settleOne(call) }
    }

    /// Lets the server copy `size` bytes of an open file, step by step, so that it is seen to work.
    func copyOnServer(from source: [UInt8], size: UInt64, step: UInt64, _ call: Call) throws(BackendError) {
        guard let handle else { throw BackendError(.internal, "the write has ended") }
        while sent < size {
            let (offset, length) = (sent, min(step, size - sent))
            let reply = try connection.submit { id in
                var packet = Packet(extension: ExtensionName.copyData, id: id)
                packet.string(source)
                packet.wide(offset)
                packet.wide(length)
                packet.string(handle)
                packet.wide(offset)
                return packet
            }
            let status = try connection.status(reply, call)
            guard status.isOK else { throw store.explained(status, "cannot copy", on: connection, call) }
            sent += length
        }
        self.size = size
    }

    /// Waits for the oldest answer.
    private func settleOne(_ call: Call) throws(BackendError) {
        let status = try connection.status(replies[firstReply], call)
        firstReply += 1
        guard status.isOK else { throw store.explained(status, "cannot write", on: connection, call) }
        if firstReply == replies.count || firstReply >= 1024 {
            replies.removeFirst(firstReply)
            firstReply = 0
        }
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        try call.check()
        if let announced = request.size, announced != size {
            throw BackendError(.invalidArgument, "\(size) bytes instead of the announced \(announced)")
        }
        let look = try Look(at: place, on: connection)
        let attributes = try finish(call)
        guard attributes.size == nil || attributes.size == size else {
            throw BackendError(.corrupt, "the server holds another number of bytes than it took")
        }
        let isCreateOnly = !request.conditions.ifNoneMatch.isEmpty
        let sight = try look.sight(on: connection, call)
        try store.check(sight, at: place, isCreateOnly: isCreateOnly)
        isPublished = try store.publish(path, at: place, sight, isCreateOnly: isCreateOnly, on: connection, call)
        var entry = attributes.entry(request.key)
        entry.size = Int64(size)
        return entry
    }

    /// Sends what is left, syncs and closes the file, all in one go, and then hears whether it worked.
    private func finish(_ call: Call) throws(BackendError) -> Attributes {
        try sendGathered(call)
        guard let handle else { throw BackendError(.internal, "the write has ended") }
        let given = try givenAttributes()
        var setting: Reply?
        if let given {
            setting = try connection.submit { id in
                var packet = Packet(PacketType.setHandleStat, id: id)
                packet.string(handle)
                packet.attributes(given)
                return packet
            }
        }
        let syncing =
            store.settings.isDurable && connection.server.hasSync
            ? try connection.request(extension: ExtensionName.sync, handle) : nil
        let stat = try connection.request(PacketType.handleStat, handle)
        let closing = try connection.request(PacketType.close, handle)
        self.handle = nil
        while firstReply < replies.count { try settleOne(call) }
        for reply in [setting, syncing] {
            guard let reply else { continue }
            let status = try connection.status(reply, call)
            guard status.isOK else { throw store.explained(status, "cannot finish the file", on: connection, call) }
        }
        let attributes = try connection.attributes(stat, call).get("cannot finish the file")
        let status = try connection.status(closing, call)
        guard status.isOK else { throw store.explained(status, "cannot finish the file", on: connection, call) }
        return attributes
    }

    /// The mode, where the server's umask may have taken from it, and the time, where one was given.
    private func givenAttributes() throws(BackendError) -> Attributes? {
        let mode = store.settings.fileMode
        let wantsMode = mode & 0o077 != 0
        guard let nanoseconds = request.modified else { return wantsMode ? Attributes(permissions: mode) : nil }
        let seconds = nanoseconds >= 0 ? nanoseconds / 1_000_000_000 : -1
        guard let modified = UInt32(exactly: seconds) else {
            throw BackendError(.invalidArgument, "sftp keeps times from 1970 to 2106")
        }
        return Attributes(permissions: wantsMode ? mode : nil, modified: modified)
    }

    func close() { discard() }

    /// Removes what is not published; on a broken connection it is left to a later sweep.
    private func discard() {
        for reply in replies[firstReply...] { connection.abandon(reply) }
        replies = []
        firstReply = 0
        if let handle { connection.close(handle) }
        handle = nil
        guard !isPublished else { return }
        isPublished = true
        store.removeUnpublished(path, on: connection)
    }
}
