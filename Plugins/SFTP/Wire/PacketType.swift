// The words of SFTP version 3 (draft-ietf-secsh-filexfer-02): what a packet is, and what an answer says.

/// What a packet is: its first byte after the length.
package enum PacketType {
    package static let initialize: UInt8 = 1
    package static let version: UInt8 = 2
    package static let open: UInt8 = 3
    package static let close: UInt8 = 4
    package static let read: UInt8 = 5
    package static let write: UInt8 = 6
    package static let linkStat: UInt8 = 7
    package static let handleStat: UInt8 = 8
    package static let setHandleStat: UInt8 = 10
    package static let openDirectory: UInt8 = 11
    package static let readDirectory: UInt8 = 12
    package static let remove: UInt8 = 13
    package static let makeDirectory: UInt8 = 14
    package static let removeDirectory: UInt8 = 15
    package static let realPath: UInt8 = 16
    package static let stat: UInt8 = 17
    package static let rename: UInt8 = 18
    package static let status: UInt8 = 101
    package static let handle: UInt8 = 102
    package static let data: UInt8 = 103
    package static let name: UInt8 = 104
    package static let attributes: UInt8 = 105
    package static let extended: UInt8 = 200
    package static let extendedReply: UInt8 = 201
}

/// How a file is opened.
package struct OpenFlags: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static let read = OpenFlags(rawValue: 1)
    package static let write = OpenFlags(rawValue: 2)
    package static let create = OpenFlags(rawValue: 8)
    package static let exclusive = OpenFlags(rawValue: 32)
}

/// What a server says of a request that it did, or did not do.
package struct Status: Sendable, Hashable {
    package static let ok: UInt32 = 0
    package static let endOfFile: UInt32 = 1
    package static let noSuchFile: UInt32 = 2
    package static let permissionDenied: UInt32 = 3
    package static let failure: UInt32 = 4
    package static let badMessage: UInt32 = 5
    package static let unsupported: UInt32 = 8

    /// The number of the protocol.
    package let code: UInt32
    /// The server's own words, for people.
    package let words: String

    package init(code: UInt32, words: String) {
        self.code = code
        self.words = words
    }

    /// Whether it was done.
    package var isOK: Bool { code == Self.ok }
}

/// What a server offers beyond version 3, by the names that OpenSSH gave them.
package enum ExtensionName {
    package static let posixRename = "posix-rename@openssh.com"
    package static let hardLink = "hardlink@openssh.com"
    package static let sync = "fsync@openssh.com"
    package static let fileSystem = "statvfs@openssh.com"
    package static let limits = "limits@openssh.com"
    package static let copyData = "copy-data"
}
