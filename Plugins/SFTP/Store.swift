// One root on one server: what all operations on it share.

import CofferPluginSDK
import SFTPWire
import SSHTransport
import Synchronization

/// One root on one server.
///
/// 1. A file at a key is never written to. It is made in `.coffer/sftp` below the root, filled, synced, closed, and only
///    then renamed over the key, or linked to it where nothing may be replaced.
/// 2. Nothing needs a lock: each change of a name is one request, which the server's kernel does at once.
/// 3. What an operation finds missing that another one removed meanwhile it makes again, a bounded number of times.
final class Store: Sendable {
    /// How it is set.
    struct Settings: Sendable {
        /// Whether the server has what OpenSSH has, and is to be refused where it lacks it.
        var isOpenSSH = true
        /// Whether an answer means that the change is on the medium.
        var isDurable = true
        /// Whether a missing root is made by the first write.
        var makesRoot = true
        /// The mode of new files.
        var fileMode: UInt32 = 0o600
        /// The mode of new directories.
        var directoryMode: UInt32 = 0o700
        /// How many seconds a leftover of another machine is spared.
        var leftoverAge: UInt64 = 86_400
    }

    let settings: Settings
    let pool: Pool
    let session = Session()
    let host: HostServices
    private let counter = Atomic<UInt64>(0)
    private let sweptAt = Atomic<UInt64>(0)

    /// A store that is not connected yet.
    init(_ pool: Pool, _ settings: Settings, host: HostServices) {
        self.pool = pool
        self.settings = settings
        self.host = host
    }

    /// Ends everything.
    func close() {
        pool.close()
        session.end()
    }

    // MARK: Unpublished files

    /// The directory of unpublished files, below the root.
    static let unpublished = Place.reserved + Array("/sftp".utf8)

    /// A name for an unpublished file: it carries the instance and the attempt.
    func unpublishedName(attempt: ByteString) -> [UInt8] {
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
        let isPlain = attempt.bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        let mark = isPlain && attempt.count <= 64 ? attempt.string : Session.hexadecimal(Session.hash(attempt.bytes))
        return session.name + Array("~\(mark)~\(number)".utf8)
    }

    /// The path of an unpublished file.
    func unpublishedPath(_ name: [UInt8], on connection: Connection) -> [UInt8] {
        connection.server.root + [UInt8(ascii: "/")] + Self.unpublished + [UInt8(ascii: "/")] + name
    }

    /// Makes the directory of unpublished files, and the root if that is missing and may be made.
    func makeUnpublished(on connection: Connection, _ call: Call) throws(BackendError) {
        let root = connection.server.root
        var paths: [[UInt8]] = []
        if !connection.server.hasRoot {
            guard settings.makesRoot else {
                throw BackendError(.notFound, "there is no root: \(String(decoding: root, as: UTF8.self))")
            }
            for index in root.indices.dropFirst() where root[index] == UInt8(ascii: "/") {
                paths.append(Array(root[..<index]))
            }
            paths.append(root)
        }
        for name in [Place.reserved, Self.unpublished] { paths.append(root + [UInt8(ascii: "/")] + name) }
        var refusal: Status?
        for path in paths {
            // What is there already fails too: only what comes after tells.
            let status = try connection.status(try connection.makeDirectory(path, mode: settings.directoryMode), call)
            if !status.isOK, refusal?.code != Status.permissionDenied { refusal = status }
        }
        for path in paths.suffix(2) {
            let found = try connection.attributes(try connection.request(PacketType.linkStat, path), call)
            guard let found = found.value else {
                throw (refusal ?? found.status).error("cannot make the folder .coffer in the root")
            }
            guard found.isDirectory else {
                throw BackendError(.permission, "the folder .coffer in the root is something else")
            }
        }
    }

    // MARK: What the server must have

    /// Refuses a write to a server without what the profile says that it has.
    func requireWriting(on connection: Connection) throws(BackendError) {
        let server = connection.server
        guard !server.isReadOnly else {
            throw BackendError(.permission, "permission denied: the server is for reading only")
        }
        guard settings.isOpenSSH else { return }
        guard server.hasPosixRename else { throw lacking(ExtensionName.posixRename, "server: other") }
        guard !settings.isDurable || (server.hasSync && server.opensDirectories) else {
            throw lacking(ExtensionName.sync, "durability: relaxed")
        }
    }

    /// Refuses a write that may replace nothing, where the server has no way to say so.
    func requireLinking(on connection: Connection) throws(BackendError) {
        guard connection.server.hasHardLink else { throw lacking(ExtensionName.hardLink, "server: other") }
    }

    private func lacking(_ name: String, _ remedy: String) -> BackendError {
        BackendError(.unsupported, "the server lacks \(name): set \(remedy)")
    }

    /// What a failure of a server means that gives no reason: maybe the medium is full, or cannot be written to.
    func explained(
        _ status: Status,
        _ what: @autoclosure () -> String,
        on connection: Connection,
        _ call: Call
    ) -> BackendError {
        let plain = status.error(what())
        guard status.code == Status.failure, connection.server.hasFileSystem,
            let space = try? space(on: connection, call)
        else { return plain }
        if space.isReadOnly { return BackendError(.permission, "\(what()): the file system is read-only") }
        if space.available < UInt64(connection.server.writeSize) {
            return BackendError(.noSpace, "\(what()): no space is left on the server")
        }
        return plain
    }

    /// The room on the server's file system.
    struct Space {
        var available: UInt64
        var total: UInt64
        var isReadOnly: Bool
    }

    /// Asks for the room.
    func space(on connection: Connection, _ call: Call) throws(BackendError) -> Space {
        guard connection.server.hasFileSystem else { throw lacking(ExtensionName.fileSystem, "server: other") }
        let root = connection.server.root.isEmpty ? [UInt8(ascii: "/")] : connection.server.root
        let reply = try connection.request(extension: ExtensionName.fileSystem, root)
        var fields = try connection.fields(reply, PacketType.extendedReply, call).get("cannot ask for the room")
        return try reading { () throws(WireError) in
            var numbers: [UInt64] = []
            for _ in 0..<11 { numbers.append(try fields.wide()) }
            let unit = max(numbers[1], 1)
            return Space(
                available: numbers[4].multipliedReportingOverflow(by: unit).partialValue,
                total: numbers[2].multipliedReportingOverflow(by: unit).partialValue,
                isReadOnly: numbers[9] & 1 != 0
            )
        }
    }

    // MARK: Connections

    /// Runs `body` on a connection; twice at most, so only for what may happen twice.
    func repeating<R>(_ call: Call, _ body: (Connection) throws(BackendError) -> R) throws(BackendError) -> R {
        try pool.repeating(call) { connection throws(BackendError) in
            try sweepIfDue(connection, call)
            return try body(connection)
        }
    }

    /// Runs `body` on a connection that was found to work just now.
    func once<R>(_ call: Call, _ body: (Connection) throws(BackendError) -> R) throws(BackendError) -> R {
        let connection = try pool.take(call).connection
        try sweepIfDue(connection, call)
        return try body(connection)
    }

    /// Sweeps at the first call, and an hour after the last sweep.
    private func sweepIfDue(_ connection: Connection, _ call: Call) throws(BackendError) {
        let now = monotonicNow()
        let last = sweptAt.load(ordering: .relaxed)
        guard last == 0 || now > last + 3_600_000_000_000,
            sweptAt.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged
        else { return }
        try sweep(on: connection, call)
    }
}
