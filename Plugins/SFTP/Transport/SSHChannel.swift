// Bytes to and from a subsystem of a server, without ever blocking.

import CSSH
package import CofferPluginSDK
import Glibc

/// A channel to a subsystem over a connection of its own.
///
/// Not thread-safe: the owner sees to it that one thread at a time is inside. Waiting for `descriptor` is outside.
package final class SSHChannel {
    private let session: SSHSession
    private let raw: ssh_channel
    private var reads: UInt32 = 0

    /// Connects, logs in and starts the subsystem.
    package init(_ settings: SSHSettings, subsystem: String, call: Call) throws(BackendError) {
        session = try SSHSession(settings, call: call)
        guard let channel = ssh_channel_new(session.raw) else { throw session.lost("no memory for a channel") }
        raw = channel
        let end = monotonicNow() + settings.connectTimeout * 1_000_000
        try session.repeating("cannot open a channel on \(settings.words)", until: end, call: call) {
            ssh_channel_open_session(channel)
        }
        try session.repeating("\(settings.words) offers no \(subsystem)", until: end, call: call) {
            ssh_channel_request_subsystem(channel, subsystem)
        }
    }

    deinit { ssh_channel_free(raw) }

    /// The socket, to wait for.
    package var descriptor: Int32 { ssh_get_fd(session.raw) }

    /// What to wait for on the socket.
    package var events: Int16 { session.events }

    /// Whether bytes wait for the socket to take them.
    package var isWritePending: Bool { session.events & Int16(POLLOUT) != 0 }

    /// Writes what the server's window takes, maybe nothing.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(BackendError) -> Int {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return 0 }
        let result = ssh_channel_write(raw, start, UInt32(clamping: min(bytes.count, 1 << 20)))
        guard result >= 0 else { throw session.lost("the connection is broken") }
        return Int(result)
    }

    /// Moves what is pending towards the socket, and reads what has come, maybe nothing.
    ///
    /// After nothing, the socket is what to wait for; any other call here may take from it what a wait would miss.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(BackendError) -> Int {
        reads &+= 1
        // What a server says to people is thrown away now and then, so that it fills no window. Before the answers are
        // read, for looking reads from the socket too.
        if reads % 256 == 0 { _ = ssh_channel_read_nonblocking(raw, buffer.baseAddress, UInt32(buffer.count), 1) }
        let result = ssh_channel_read_nonblocking(raw, buffer.baseAddress, UInt32(buffer.count), 0)
        if result > 0 { return Int(result) }
        guard result == 0 || result == SSH_AGAIN, ssh_channel_is_eof(raw) == 0, ssh_channel_is_open(raw) != 0,
            ssh_is_connected(session.raw) != 0
        else { throw session.lost("the server closed the connection") }
        return 0
    }
}
