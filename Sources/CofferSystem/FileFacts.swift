import Glibc

/// What the kernel says of an open file.
package struct FileFacts: Sendable {
    /// A regular file, and not a directory, pipe, socket or device.
    package let isRegular: Bool
    /// Opened for reading, alone or with writing.
    package let isReadable: Bool
    package let size: Int64
    private let owner: UInt32
    private let group: UInt32
    private let mode: UInt32

    /// Asks about `file`; nil if it cannot be asked about.
    package init?(_ file: Descriptor) {
        var status = stat()
        let flags = fcntl(file.number, F_GETFL)
        guard flags >= 0, fstat(file.number, &status) == 0 else { return nil }
        isRegular = status.st_mode & S_IFMT == S_IFREG
        // O_PATH gives no access to the bytes, whatever the access mode says.
        isReadable = flags & O_ACCMODE != O_WRONLY && flags & 0o10_000_000 == 0
        size = Int64(status.st_size)
        owner = status.st_uid
        group = status.st_gid
        mode = status.st_mode
    }

    /// Whether `peer` could get the file open for writing: it owns it, or the mode lets its groups or everybody write.
    ///
    /// A descriptor that is open for reading can be opened again through /proc by whoever may write the file.
    package func mayBeWritten(by peer: PeerCredentials) -> Bool {
        if peer.user == 0 || peer.user == owner { return true }
        let isInGroup = peer.group == group || peer.groups.contains(group)
        return mode & 0o002 != 0 || (isInGroup && mode & 0o020 != 0)
    }
}
