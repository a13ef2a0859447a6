import CLinux
import Glibc

/// A Unix socket that takes connections under a path.
///
/// 1. While it lives it holds a lock on `PATH.lock`, so that two hosts cannot both find the path unused.
/// 2. What is at the path already is removed only if it is a socket at which nobody answers.
/// 3. Nobody can connect before mode and group are set.
/// 4. ``close()`` removes the path only if what is there is still this socket.
package final class UnixListener: Sendable {
    package let path: String
    /// The listening socket: non-blocking, close-on-exec.
    package let descriptor: Descriptor
    private let lock: Descriptor
    private let identity: FileIdentity

    private init(path: String, descriptor: Descriptor, lock: Descriptor, identity: FileIdentity) {
        self.path = path
        self.descriptor = descriptor
        self.lock = lock
        self.identity = identity
    }

    /// Listens at `path`; EADDRINUSE when somebody else does, ENOTSOCK when something else is there.
    package static func listen(
        path: String,
        mode: UInt32 = 0o600,
        group: UInt32? = nil,
        backlog: Int32 = 1024
    ) throws(SystemError) -> UnixListener {
        let operation = "listen on \(path)"
        let lock = try takeLock(path, operation)
        do throws(SystemError) {
            try removeStale(path, operation)
            let number = coffer_socket(AF_UNIX, Int32(SOCK_STREAM.rawValue))
            guard number >= 0 else { throw SystemError(operation, number: errno) }
            let descriptor = Descriptor(owning: number)
            Socket.setNonBlocking(number, true)
            guard coffer_unix_bind(number, path, path.utf8.count) == 0 else {
                throw SystemError(operation, number: errno)
            }
            guard let identity = FileIdentity(at: path) else { throw SystemError(operation, number: errno) }
            // Connecting is refused until `listen`, so nobody slips in before the mode is right.
            guard (group.map { chown(path, uid_t.max, $0) } ?? 0) == 0, chmod(path, mode) == 0,
                Glibc.listen(number, backlog) == 0
            else {
                let failure = SystemError(operation, number: errno)
                unlink(path)
                throw failure
            }
            return UnixListener(path: path, descriptor: descriptor, lock: lock, identity: identity)
        } catch {
            unlink(path + ".lock")
            throw error
        }
    }

    /// Changes who may connect from now on; false if that cannot be done.
    package func setMode(_ mode: UInt32) -> Bool { FileIdentity(at: path) == identity && chmod(path, mode) == 0 }

    /// Gives the path up; connections that were accepted live on.
    package func close() {
        if FileIdentity(at: path) == identity { unlink(path) }
        unlink(path + ".lock")
    }

    /// Takes `PATH.lock`, or says that somebody has it.
    private static func takeLock(_ path: String, _ operation: String) throws(SystemError) -> Descriptor {
        while true {
            let number = coffer_open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard number >= 0 else { throw SystemError(operation, number: errno) }
            let lock = Descriptor(owning: number)
            guard flock(number, LOCK_EX | LOCK_NB) == 0 else {
                throw SystemError(operation, number: errno == EWOULDBLOCK ? EADDRINUSE : errno)
            }
            // The last holder may have removed the file between our open and our lock: then it guards nothing.
            if FileIdentity(of: number) == FileIdentity(at: path + ".lock") { return lock }
        }
    }

    private static func removeStale(_ path: String, _ operation: String) throws(SystemError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw SystemError(operation, number: ENOTSOCK) }
        let number = coffer_socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue))
        guard number >= 0 else { throw SystemError(operation, number: errno) }
        let probe = Descriptor(owning: number)
        defer { withExtendedLifetime(probe) {} }
        let result = coffer_unix_connect(number, path, path.utf8.count)
        // Any other answer, EAGAIN of a full backlog among them, means that somebody is there or that we cannot know.
        guard result != 0 && errno == ECONNREFUSED else { throw SystemError(operation, number: EADDRINUSE) }
        guard unlink(path) == 0 || errno == ENOENT else { throw SystemError(operation, number: errno) }
    }
}

/// Which file it is, whatever it is called.
struct FileIdentity: Hashable {
    private let device: UInt64
    private let inode: UInt64

    /// What `path` names, links not followed.
    init?(at path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    /// An open file.
    init?(of number: Int32) {
        var status = stat()
        guard fstat(number, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }
}

extension Socket {
    /// Connects to the Unix socket at `path`; the connection is blocking and close-on-exec.
    package static func connect(path: String) throws(SystemError) -> Descriptor {
        let number = coffer_socket(AF_UNIX, Int32(SOCK_STREAM.rawValue))
        guard number >= 0 else { throw SystemError("connect to \(path)", number: errno) }
        let descriptor = Descriptor(owning: number)
        while coffer_unix_connect(number, path, path.utf8.count) != 0 {
            guard errno == EINTR else { throw SystemError("connect to \(path)", number: errno) }
        }
        return descriptor
    }

    /// Listens on a numeric internet address: non-blocking; port 0 lets the system choose.
    package static func listen(
        address: String,
        port: UInt16,
        backlog: Int32 = 1024
    ) throws(SystemError) -> Descriptor {
        let number = coffer_tcp_listen(address, port, backlog)
        guard number >= 0 else { throw SystemError("listen on \(address) port \(port)", number: errno) }
        return Descriptor(owning: number)
    }

    /// Connects to a numeric internet address; the connection is blocking.
    package static func connect(address: String, port: UInt16) throws(SystemError) -> Descriptor {
        let number = coffer_tcp_connect(address, port)
        guard number >= 0 else { throw SystemError("connect to \(address) port \(port)", number: errno) }
        return Descriptor(owning: number)
    }

    /// The port an internet socket is bound to; nil for other sockets.
    package static func localPort(_ socket: Int32) -> UInt16? { UInt16(exactly: coffer_local_port(socket)) }
}
