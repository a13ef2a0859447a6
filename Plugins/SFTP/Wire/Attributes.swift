// What version 3 knows of a file: size, owner, mode and times in whole seconds.

/// What is known of a file, or what it shall have.
package struct Attributes: Sendable, Hashable {
    private enum Flag {
        static let size: UInt32 = 1
        static let owner: UInt32 = 2
        static let permissions: UInt32 = 4
        static let times: UInt32 = 8
        static let extended: UInt32 = 0x8000_0000
    }

    /// How many bytes it has.
    package var size: UInt64?
    /// Its type and mode, as `st_mode` has them.
    package var permissions: UInt32?
    /// When it was last read, in Unix seconds.
    package var accessed: UInt32?
    /// When it was last written, in Unix seconds.
    package var modified: UInt32?

    /// Nothing known.
    package init(permissions: UInt32? = nil, modified: UInt32? = nil) {
        self.permissions = permissions
        self.modified = modified
    }

    /// Whether it is a directory.
    package var isDirectory: Bool { type == 0o040000 }
    /// Whether it is a plain file; a server that tells no type has nothing else.
    package var isPlainFile: Bool { type == 0o100000 || type == 0 }
    /// Whether it is a symbolic link.
    package var isLink: Bool { type == 0o120000 }

    private var type: UInt32 { (permissions ?? 0) & 0o170000 }

    var flags: UInt32 {
        (size == nil ? 0 : Flag.size) | (permissions == nil ? 0 : Flag.permissions) | (modified == nil ? 0 : Flag.times)
    }

    /// Reads attributes where a packet has them.
    init(from reader: inout PacketReader) throws(WireError) {
        let flags = try reader.number()
        if flags & Flag.size != 0 { size = try reader.wide() }
        if flags & Flag.owner != 0 {
            _ = try reader.number()
            _ = try reader.number()
        }
        if flags & Flag.permissions != 0 { permissions = try reader.number() }
        if flags & Flag.times != 0 {
            accessed = try reader.number()
            modified = try reader.number()
        }
        if flags & Flag.extended != 0 {
            let count = try reader.number()
            guard count <= 1024 else { throw WireError.malformed }
            for _ in 0..<count {
                _ = try reader.string()
                _ = try reader.string()
            }
        }
    }
}
