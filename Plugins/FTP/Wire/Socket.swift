// A socket that does not block, closed with its last reference.

import CFTP
import CofferPluginSDK
import Glibc

/// A TCP socket that does not block.
final class Socket {
    /// The descriptor.
    let number: Int32

    /// Takes over an open descriptor.
    private init(_ number: Int32) { self.number = number }

    private var isOpen = true

    deinit { end() }

    /// Closes it now; nothing may be done with it afterwards.
    func end() {
        guard isOpen else { return }
        isOpen = false
        close(number)
    }

    /// Connects to an address.
    static func connect(to address: Address, _ patience: Patience) throws(Fault) -> Socket {
        let socket = try open(address.family)
        let result = address.withC { Glibc.connect(socket.number, $0, $1) }
        if result != 0 {
            guard errno == EINPROGRESS else { throw .lost(errno, "connecting") }
            try patience.wait(for: socket.number, toWrite: true, "connecting")
            var number: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(socket.number, SOL_SOCKET, SO_ERROR, &number, &length)
            guard number == 0 else { throw .lost(number, "connecting") }
        }
        return socket
    }

    /// Listens on a port of an address: the system's choice for 0.
    static func listen(on address: Address) throws(Fault) -> Socket {
        let socket = try open(address.family)
        guard address.withC({ bind(socket.number, $0, $1) }) == 0, Glibc.listen(socket.number, 1) == 0 else {
            throw .lost(errno, "listening for the data connection")
        }
        return socket
    }

    private static func open(_ family: Int32) throws(Fault) -> Socket {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = socket(family, kind, 0)
        guard number >= 0 else {
            throw .failed(
                BackendError(.unavailable, "no socket: \(String(cString: strerror(errno)))", isRetryable: true)
            )
        }
        return Socket(number)
    }

    /// The next connection from `host`; others are turned away.
    func accept(from host: String, _ patience: Patience) throws(Fault) -> Socket {
        while true {
            let result = ftp_accept(number)
            if result >= 0 {
                let socket = Socket(result)
                if socket.peer?.host.utf8.elementsEqual(host.utf8) == true { return socket }
                continue
            }
            switch -result {
            case EAGAIN, EINTR, ECONNABORTED: break
            default: throw .lost(-result, "accepting the data connection")
            }
            try patience.wait(for: number, toWrite: false, "waiting for the data connection")
        }
    }

    /// The other end.
    var peer: Address? { Address { getpeername(number, $0, $1) } }
    /// This end.
    var local: Address? { Address { getsockname(number, $0, $1) } }

    /// Sends small pieces at once.
    func sendAtOnce() {
        var on: Int32 = 1
        // A socket without it is only slower.
        _ = setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Whether something came, or the other end is gone: on an idle connection both are news.
    var hasNews: Bool {
        var waiting = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, 0) != 0
    }
}
