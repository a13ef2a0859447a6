import Glibc

/// What systemd and its like tell a service, and what a service tells them (sd_listen_fds(3), sd_notify(3)).
package enum ServiceManager {
    /// The sockets that the service manager opened for this process; none without socket activation.
    ///
    /// The variables are removed, so that no child takes them for its own. The descriptors become close-on-exec.
    package static func takeListeningSockets() -> [Descriptor] {
        defer {
            unsetenv("LISTEN_PID")
            unsetenv("LISTEN_FDS")
            unsetenv("LISTEN_FDNAMES")
        }
        guard let process = number("LISTEN_PID"), process == getpid(), let count = number("LISTEN_FDS"), count > 0
        else {
            return []
        }
        return (3..<3 + count).compactMap { number in
            let flags = fcntl(number, F_GETFD)
            guard flags >= 0, fcntl(number, F_SETFD, flags | FD_CLOEXEC) == 0 else { return nil }
            return Descriptor(owning: number)
        }
    }

    /// Sends `state`, such as `READY=1`, to the service manager; nothing happens without one.
    package static func notify(_ state: String) {
        guard let path = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }) else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path), bytes.count > 1 else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { target in
            target.copyBytes(from: bytes)
            // An abstract name is written with @ and starts with NUL.
            if bytes[0] == UInt8(ascii: "@") { target[0] = 0 }
        }
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path).map { $0 + bytes.count } ?? 0)
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                // A service manager that does not listen is its own fault: the service runs on.
                _ = sendto(descriptor, state, state.utf8.count, Int32(MSG_NOSIGNAL), address, length)
            }
        }
    }

    private static func number(_ variable: String) -> Int32? {
        getenv(variable).flatMap { Int32(String(cString: $0)) }
    }
}
