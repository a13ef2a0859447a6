// One TLS connection of a client over a socket that does not block.

import CTLS

/// One TLS connection of a client over a connected socket that does not block.
///
///     made ──handshake──▶ open ──finish──▶ no more is written ──▶ closed with the socket
///
/// 1. No call waits. Each says what it came to; the caller waits for the socket and calls again with the same.
/// 2. The socket stays the caller's, and outlives this.
/// 3. One thread at a time.
public final class TLSStream {
    /// What a step came to.
    public enum Step: Sendable, Hashable {
        /// So many bytes were moved, at least one; 1 for a handshake or an end that is done.
        case done(Int)
        /// The peer sends no more.
        case end
        /// Wait until the socket is readable, then call again.
        case wantsRead
        /// Wait until the socket is writable, then call again.
        case wantsWrite
    }

    private let pointer: OpaquePointer
    private let context: TLSContext

    /// Begins a connection to a peer that must prove to be `name`, a host name or an address.
    public init(
        _ context: TLSContext,
        descriptor: Int32,
        name: String,
        resuming session: TLSSession? = nil
    ) throws(TLSError) {
        let made = name.withCString { coffer_tls_stream_make(context.pointer, descriptor, $0, session?.pointer) }
        guard let made else { throw .failed("no connection could be begun") }
        self.context = context
        pointer = made
    }

    deinit { coffer_tls_stream_free(pointer) }

    /// Goes on with the handshake.
    public func handshake() throws(TLSError) -> Step { try step(coffer_tls_handshake(pointer)) }

    /// Reads into the front of `buffer`, which is not empty.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(TLSError) -> Step {
        try step(coffer_tls_read(pointer, buffer.baseAddress, buffer.count))
    }

    /// Writes from the front of `bytes`, which are not empty.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(TLSError) -> Step {
        try step(coffer_tls_write(pointer, bytes.baseAddress, bytes.count))
    }

    /// Tells the peer that no more comes.
    public func finish() throws(TLSError) -> Step { try step(coffer_tls_finish(pointer)) }

    /// Whether bytes can be read without the socket being readable.
    public var hasPending: Bool { coffer_tls_pending(pointer) > 0 }

    /// The latest session that the peer offered here, which another connection to it may resume; nil if it offered none.
    ///
    /// Under TLS 1.3 it comes after the handshake, while something is read.
    public var session: TLSSession? { coffer_tls_session_of(pointer).map(TLSSession.init) }

    /// Whether the handshake resumed the session that was given.
    public var isResumed: Bool { coffer_tls_resumed(pointer) != 0 }

    /// The version that is spoken: `TLSv1.3` and so on.
    public var version: String { coffer_tls_version(pointer).map { String(cString: $0) } ?? "" }

    private func step(_ result: Int) throws(TLSError) -> Step {
        switch Int32(clamping: result) {
        case COFFER_TLS_END: return .end
        case COFFER_TLS_WANTS_READ: return .wantsRead
        case COFFER_TLS_WANTS_WRITE: return .wantsWrite
        case COFFER_TLS_UNTRUSTED: throw .untrusted(reason)
        case COFFER_TLS_FAILED: throw .failed(reason)
        default: return .done(result)
        }
    }

    private var reason: String { coffer_tls_reason(pointer).map { String(cString: $0) } ?? "" }
}
