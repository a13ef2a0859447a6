import CLinux
import Glibc

/// What came of moving bytes.
package enum Transfer: Sendable, Hashable {
    /// So many bytes went; 0 from a receive is the end.
    case moved(Int)
    /// Nothing can go now.
    case wouldBlock
    /// The error number.
    case failed(Int32)

    fileprivate init(_ count: Int) {
        if count >= 0 {
            self = .moved(count)
        } else {
            let number = errno
            self = number == EAGAIN || number == EWOULDBLOCK ? .wouldBlock : .failed(number)
        }
    }
}

/// Bytes and descriptors over stream sockets; none of it raises SIGPIPE.
package enum Socket {
    /// Takes what is there, up to the buffer's size, and one descriptor if one is attached.
    ///
    /// The descriptor is close-on-exec; more than one are closed by the kernel, and then `isTruncated` is true, as it is
    /// when none could be opened because the process has too many. `waits` overrides nothing on a non-blocking socket.
    package static func receive(
        _ socket: Int32,
        into buffer: UnsafeMutableRawBufferPointer,
        attached: inout Descriptor?,
        isTruncated: inout Bool,
        waits: Bool = false
    ) -> Transfer {
        var number: Int32 = -1
        var truncated: Int32 = 0
        var got = 0
        repeat {
            got = coffer_receive(
                socket,
                buffer.baseAddress,
                buffer.count,
                waits ? 0 : Int32(MSG_DONTWAIT),
                &number,
                &truncated
            )
        } while got < 0 && errno == EINTR
        let transfer = Transfer(got)
        attached = number >= 0 ? Descriptor(owning: number) : nil
        isTruncated = truncated != 0
        return transfer
    }

    /// Sends what fits now of two pieces, in one message; `attaching` travels with the first byte.
    ///
    /// `more` holds small packets back on TCP until the next piece comes.
    package static func send(
        _ socket: Int32,
        _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        attaching descriptor: Descriptor? = nil,
        waits: Bool = false,
        more: Bool = false
    ) -> Transfer {
        var flags: Int32 = waits ? 0 : Int32(MSG_DONTWAIT)
        if more { flags |= Int32(MSG_MORE) }
        return withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { parts in
            parts[0] = iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count)
            parts[1] = iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
            var sent = 0
            repeat {
                sent = coffer_send(
                    socket,
                    parts.baseAddress,
                    second.isEmpty ? 1 : 2,
                    flags,
                    descriptor?.number ?? -1
                )
            } while sent < 0 && errno == EINTR
            return withExtendedLifetime(descriptor) { Transfer(sent) }
        }
    }

    /// Sends up to `length` bytes of a file from `offset`, which moves on; 0 moved is the file's end.
    ///
    /// Whether it waits is the socket's own setting.
    package static func sendFile(_ socket: Int32, from file: Int32, offset: inout Int64, length: Int) -> Transfer {
        var sent = 0
        repeat { sent = coffer_sendfile(socket, file, &offset, length) } while sent < 0 && errno == EINTR
        return Transfer(sent)
    }

    /// A connection that is waiting at a listener: close-on-exec, and non-blocking unless it `blocks`.
    ///
    /// Nil when none is waiting.
    package static func accept(_ listener: Int32, blocks: Bool = false) throws(SystemError) -> Descriptor? {
        while true {
            let number = coffer_accept(listener, blocks ? 1 : 0)
            if number >= 0 { return Descriptor(owning: number) }
            switch errno {
            case EAGAIN, EWOULDBLOCK: return nil
            // The client gave up while it waited; the next one may be alive.
            case EINTR, ECONNABORTED, EPROTO: continue
            case let number: throw SystemError("accept a connection", number: number)
            }
        }
    }

    /// Two connected Unix stream sockets, close-on-exec, blocking.
    package static func pair() throws(SystemError) -> (Descriptor, Descriptor) {
        var numbers: (Int32, Int32) = (-1, -1)
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let result = withUnsafeMutableBytes(of: &numbers) {
            socketpair(AF_UNIX, type, 0, $0.assumingMemoryBound(to: Int32.self).baseAddress)
        }
        guard result == 0 else { throw SystemError("make a pair of sockets", number: errno) }
        return (Descriptor(owning: numbers.0), Descriptor(owning: numbers.1))
    }

    /// Waits for one descriptor; the answer is empty when `milliseconds` are over, or a signal came.
    package static func poll(_ number: Int32, _ interest: Epoll.Interest, milliseconds: Int32) -> Epoll.Interest {
        // The bits of poll and of epoll are the same on Linux.
        var entry = pollfd(fd: number, events: Int16(truncatingIfNeeded: interest.rawValue), revents: 0)
        guard Glibc.poll(&entry, 1, milliseconds) > 0 else { return [] }
        return Epoll.Interest(rawValue: UInt32(UInt16(bitPattern: entry.revents)))
    }

    /// Whether calls on this descriptor return at once instead of waiting.
    package static func setNonBlocking(_ number: Int32, _ isNonBlocking: Bool) {
        let flags = fcntl(number, F_GETFL)
        _ = fcntl(number, F_SETFL, isNonBlocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK)
    }

    /// Asks for a larger send buffer; the kernel may give less, and accepted sockets do not inherit it.
    package static func setSendBuffer(_ number: Int32, bytes: Int32) {
        var size = bytes
        setsockopt(number, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }

    /// A blocking receive gives up after so long.
    package static func setReceiveTimeout(_ number: Int32, milliseconds: Int) {
        var time = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Small packets leave at once; without effect on a Unix socket.
    package static func setNoDelay(_ number: Int32) {
        var one: Int32 = 1
        setsockopt(number, Int32(IPPROTO_TCP), 1, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Ends the peer's direction: we read an end, and may still send.
    package static func finishReceiving(_ number: Int32) { shutdown(number, Int32(SHUT_RD)) }

    /// Ends both directions: every waiter on either side wakes.
    package static func shutDown(_ number: Int32) { shutdown(number, Int32(SHUT_RDWR)) }

    /// Ends our direction: the peer reads an end, and may still send.
    package static func finishSending(_ number: Int32) { shutdown(number, Int32(SHUT_WR)) }
}

extension PeerCredentials {
    /// Who is at the other end of a connected Unix socket; nil where it is another kind of socket.
    package init?(of socket: Int32) {
        var user: UInt32 = 0
        var group: UInt32 = 0
        var process: Int32 = 0
        guard coffer_peer(socket, &user, &group, &process) == 0 else { return nil }
        var groups = [UInt32](repeating: 0, count: 32)
        while true {
            let count = Int(coffer_peer_groups(socket, &groups, Int32(groups.count)))
            // A kernel without SO_PEERGROUPS tells no supplementary groups: fewer rights, never more.
            if count <= groups.count {
                groups.removeLast(groups.count - max(0, count))
                break
            }
            groups = [UInt32](repeating: 0, count: count)
        }
        self.init(user: user, group: group, process: process, groups: groups)
    }
}
