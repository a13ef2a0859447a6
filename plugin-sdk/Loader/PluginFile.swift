import CLoader
import CofferCrypto
import Glibc

/// A plugin's file, opened once: what is checked is what is loaded.
///
/// The path is resolved first, so that the directories that are judged are those the file lies in.
final class PluginFile {
    /// The same file under any name.
    struct Identity: Hashable, Sendable {
        var device: UInt64
        var inode: UInt64
    }

    let path: String
    let realPath: String
    let size: Int
    let identity: Identity
    private(set) var descriptor: Int32
    private let status: stat

    init(_ path: String) throws(LoadError) {
        self.path = path
        guard let resolved = realpath(path, nil) else { throw LoadError(path, .missing, systemReason(errno)) }
        realPath = String(cString: resolved)
        free(resolved)
        descriptor = open(realPath, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw LoadError(path, .missing, systemReason(errno)) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let reason = systemReason(errno)
            close(descriptor)
            throw LoadError(path, .missing, reason)
        }
        self.status = status
        size = Int(status.st_size)
        identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Leaves the descriptor open until the process ends, and gives it.
    func keepOpen() -> Int32 {
        defer { descriptor = -1 }
        return descriptor
    }

    /// Whether the path still leads to this file, unchanged.
    var isStillThere: Bool {
        var now = stat()
        return lstat(realPath, &now) == 0 && now.st_dev == status.st_dev && now.st_ino == status.st_ino
            && now.st_size == status.st_size && now.st_ctim.tv_sec == status.st_ctim.tv_sec
            && now.st_ctim.tv_nsec == status.st_ctim.tv_nsec
    }

    /// `count` bytes at `offset`; nil if the file does not have them all.
    func bytes(at offset: UInt64, count: UInt64) -> [UInt8]? {
        guard count <= UInt64(size), offset <= UInt64(size) - count else { return nil }
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, filled in
            while filled < Int(count), let base = buffer.baseAddress {
                let got = pread(descriptor, base + filled, Int(count) - filled, off_t(Int(offset) + filled))
                if got < 0 && errno == EINTR { continue }
                guard got > 0 else {
                    failed = true
                    break
                }
                filled += got
            }
        }
        return failed ? nil : bytes
    }

    /// The SHA-256 of the whole file in hexadecimal.
    func sha256() throws(LoadError) -> String {
        let digest = Digest(.sha256)
        var offset = 0
        while offset < size {
            let count = min(256 << 10, size - offset)
            guard let piece = bytes(at: UInt64(offset), count: UInt64(count)) else {
                throw LoadError(path, .missing, "it cannot be read to its end")
            }
            digest.update(piece.span.bytes)
            offset += count
        }
        return digest.finishHex()
    }

    // MARK: Trust

    /// Refuses what somebody other than root and us could have put there or could change.
    func checkTrust() throws(LoadError) {
        guard status.st_mode & S_IFMT == S_IFREG else { throw LoadError(path, .untrusted, "it is not a regular file") }
        guard status.st_mode & (S_ISUID | S_ISGID) == 0 else {
            throw LoadError(path, .untrusted, "it is set-user-id or set-group-id")
        }
        try checkWriters(of: realPath, status, isDirectory: false)
        var directory = realPath
        while let slash = directory.lastIndex(of: "/") {
            directory = slash == directory.startIndex ? "/" : String(directory[..<slash])
            var status = stat()
            guard lstat(directory, &status) == 0 else { throw LoadError(path, .missing, systemReason(errno)) }
            try checkWriters(of: directory, status, isDirectory: true)
            if directory == "/" { break }
        }
    }

    private func checkWriters(of place: String, _ status: stat, isDirectory: Bool) throws(LoadError) {
        let what = isDirectory ? "the directory \(place)" : "it"
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw LoadError(path, .untrusted, "\(what) belongs to user \(status.st_uid), not to root or to us")
        }
        // In a sticky directory of root's nobody can replace what is not theirs.
        if isDirectory && status.st_uid == 0 && status.st_mode & S_ISVTX != 0 { return }
        guard status.st_mode & S_IWOTH == 0 else { throw LoadError(path, .untrusted, "everybody may write to \(what)") }
        guard status.st_mode & S_IWGRP == 0 || coffer_loader_group_is_private(status.st_uid, status.st_gid) != 0 else {
            throw LoadError(path, .untrusted, "group \(status.st_gid) may write to \(what)")
        }
    }
}

/// What the system says of an error number.
func systemReason(_ number: Int32) -> String {
    switch number {
    case ENOENT: "there is no such file"
    case EACCES: "permission denied"
    default: String(cString: strerror(number)).lowercased()
    }
}
