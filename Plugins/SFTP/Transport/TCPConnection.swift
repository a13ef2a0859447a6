// From a host's name to a connected socket, within a deadline and until cancelled.

import CSSHSystem
import CofferPluginSDK
import Glibc

/// Makes connected sockets.
enum TCPConnection {
    /// A connected socket to the first address that answers: close-on-exec, not blocking, the caller's to close.
    static func open(_ settings: SSHSettings, until end: UInt64, call: Call) throws(BackendError) -> Int32 {
        let lookup = try resolve(settings, until: end, call: call)
        defer { ssh_lookup_end(lookup) }
        var addresses: [UnsafePointer<addrinfo>] = []
        var next = ssh_lookup_addresses(lookup)
        while let address = next {
            addresses.append(address)
            next = UnsafePointer(address.pointee.ai_next)
        }
        var failure = BackendError(.unavailable, "no address: \(settings.words)", isRetryable: true)
        for (index, address) in addresses.enumerated() {
            // Each address gets its share of the time that is left.
            let now = monotonicNow()
            let share = (end > now ? end - now : 0) / UInt64(addresses.count - index)
            do throws(BackendError) {
                return try connect(address.pointee, settings, until: now + share, call: call)
            } catch {
                if error.code == .cancelled { throw error }
                failure = error
            }
        }
        throw failure
    }

    private static func resolve(
        _ settings: SSHSettings,
        until end: UInt64,
        call: Call
    ) throws(BackendError) -> OpaquePointer {
        guard let lookup = ssh_lookup_begin(settings.host, String(settings.port)) else {
            throw BackendError(.unavailable, "no memory to look up a name", isRetryable: true)
        }
        while true {
            let result = ssh_lookup_wait(lookup, 50)
            if result == 0 { return lookup }
            do throws(BackendError) {
                guard result == ssh_lookup_pending else {
                    throw BackendError(
                        .unavailable,
                        "cannot find \(settings.host): \(String(cString: gai_strerror(result)).lowercased())",
                        isRetryable: true,
                        native: result
                    )
                }
                try call.check()
                guard monotonicNow() < end else {
                    throw BackendError(.timeout, "looking up \(settings.host) takes too long", isRetryable: true)
                }
            } catch {
                ssh_lookup_end(lookup)
                throw error
            }
        }
    }

    private static func connect(
        _ address: addrinfo,
        _ settings: SSHSettings,
        until end: UInt64,
        call: Call
    ) throws(BackendError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let number = socket(address.ai_family, type, 0)
        guard number >= 0 else { throw refusal(errno, settings) }
        do throws(BackendError) {
            if Glibc.connect(number, address.ai_addr, address.ai_addrlen) != 0 {
                guard errno == EINPROGRESS else { throw refusal(errno, settings) }
                while try awaitReady(number, Int16(POLLOUT), until: end, call: call) == 0 {
                    try call.check()
                    guard monotonicNow() < end else {
                        throw BackendError(.timeout, "no answer from \(settings.words)", isRetryable: true)
                    }
                }
                var code: Int32 = 0
                var length = socklen_t(MemoryLayout<Int32>.size)
                getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &length)
                guard code == 0 else { throw refusal(code, settings) }
            }
        } catch {
            close(number)
            throw error
        }
        set(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        if settings.keepalive > 0 {
            set(number, SOL_SOCKET, SO_KEEPALIVE, 1)
            set(number, Int32(IPPROTO_TCP), TCP_KEEPIDLE, Int32(clamping: settings.keepalive))
            set(number, Int32(IPPROTO_TCP), TCP_KEEPINTVL, Int32(clamping: max(1, settings.keepalive / 3)))
            set(number, Int32(IPPROTO_TCP), TCP_KEEPCNT, 3)
        }
        return number
    }

    /// A socket that does not take an option works all the same, only less well.
    private static func set(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func refusal(_ code: Int32, _ settings: SSHSettings) -> BackendError {
        BackendError(
            .unavailable,
            "cannot connect to \(settings.words): \(String(cString: strerror(code)).lowercased())",
            isRetryable: true,
            native: code
        )
    }
}
