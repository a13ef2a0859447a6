// What a server said of itself when the session began.

import CofferPluginSDK
import SFTPWire

/// What a server said of itself when the session began.
struct Server: Sendable {
    /// `posix-rename@openssh.com`: a rename that replaces, at once.
    var hasPosixRename = false
    /// `hardlink@openssh.com`: a second name, which is refused where something is.
    var hasHardLink = false
    /// `fsync@openssh.com`.
    var hasSync = false
    /// Whether a directory can be opened, and so synced.
    var opensDirectories = false
    /// `statvfs@openssh.com`.
    var hasFileSystem = false
    /// `copy-data`.
    var hasCopyData = false
    /// The most bytes of one read; every server takes 32 KiB.
    var readSize = 32 << 10
    /// The most bytes of one write.
    var writeSize = 32 << 10
    /// The root as the server itself calls it: absolute and without links; no slash at the end, empty for `/` itself.
    var root: [UInt8] = []
    /// Whether the root was there.
    var hasRoot = false

    /// More at once saves nothing: the channel cuts it into pieces of 32 KiB all the same.
    private static let mostBytes: UInt64 = 255 << 10

    /// OpenSSH that lets nobody write hides what would, and offers the rest.
    var isReadOnly: Bool { hasFileSystem && !hasPosixRename && !hasHardLink && !hasSync }

    init() {}

    /// Asks on a new connection, and finds the root.
    init(asking connection: Connection, root: String, call: Call) throws(BackendError) {
        let extensions = try Self.extensions(try connection.waitForGreeting(call))
        hasPosixRename = extensions[ExtensionName.posixRename] == "1"
        hasHardLink = extensions[ExtensionName.hardLink] == "1"
        hasSync = extensions[ExtensionName.sync] == "1"
        hasFileSystem = extensions[ExtensionName.fileSystem] == "2"
        hasCopyData = extensions[ExtensionName.copyData] == "1"
        let limits =
            extensions[ExtensionName.limits] == "1"
            ? try connection.submit { Packet(extension: ExtensionName.limits, id: $0) } : nil
        let home = try connection.request(PacketType.realPath, [UInt8(ascii: ".")])
        if let limits { try take(limits, connection, call) }
        self.root = Self.absolute(Array(root.utf8), from: try connection.path(home, call))
        try findRoot(connection, call)
    }

    private static func extensions(_ greeting: [UInt8]) throws(BackendError) -> [String: String] {
        try reading { () throws(WireError) in
            var reader = PacketReader(greeting)
            guard try reader.byte() == PacketType.version, try reader.number() >= 3 else { throw WireError.malformed }
            return try reader.extensions()
        }
    }

    private mutating func take(_ limits: Reply, _ connection: Connection, _ call: Call) throws(BackendError) {
        guard var fields = try connection.fields(limits, PacketType.extendedReply, call).value else { return }
        let (read, write) = try reading { () throws(WireError) in
            _ = try fields.wide()
            return (try fields.wide(), try fields.wide())
        }
        // 0 is "no limit known".
        if read > 0 { readSize = Int(min(max(read, 4096), Self.mostBytes)) }
        if write > 0 { writeSize = Int(min(max(write, 4096), Self.mostBytes)) }
    }

    private static func absolute(_ root: [UInt8], from home: [UInt8]) -> [UInt8] {
        root.first == UInt8(ascii: "/") ? root : home + [UInt8(ascii: "/")] + root
    }

    private mutating func findRoot(_ connection: Connection, _ call: Call) throws(BackendError) {
        let stat = try connection.request(PacketType.stat, root)
        let real = try connection.request(PacketType.realPath, root)
        let attributes = try connection.attributes(stat, call)
        hasRoot = attributes.value != nil
        if let found = attributes.value {
            guard found.isDirectory || found.permissions == nil else {
                throw BackendError(.config, "option root is not a directory: \(String(decoding: root, as: UTF8.self))")
            }
            root = try connection.path(real, call)
            let opened = try connection.submit { id in
                var packet = Packet(PacketType.open, id: id)
                packet.string(root)
                packet.number(OpenFlags.read.rawValue)
                packet.attributes(Attributes())
                return packet
            }
            if let handle = try connection.handle(opened, call).value {
                opensDirectories = true
                connection.close(handle)
            }
        } else {
            connection.abandon(real)
            guard attributes.status.code == Status.noSuchFile else {
                throw attributes.status.error("cannot look at the root")
            }
            opensDirectories = hasSync  // Found out when it is made: the same server, the same answer.
        }
        while root.last == UInt8(ascii: "/") { root.removeLast() }
    }
}
