// One call's deadline and cancellation.

import CCofferPlugin
import Glibc

// Sendable because the host's functions are safe on any thread and the pointers outlive every legal use.
/// One call's deadline and cancellation.
///
/// Valid until the call returns: keep none. Each step of a stream brings its own.
public struct Call: @unchecked Sendable {
    private let host: UnsafePointer<coffer_host>?
    private let token: UnsafeMutableRawPointer?
    private let traceParent: coffer_str
    private let ownDescriptor: Int32?

    /// When it must be done, in nanoseconds of `CLOCK_MONOTONIC`; nil is never.
    public let deadline: UInt64?

    /// Whether unproven conditions go to the store.
    let sendsUnproven: Bool

    /// A call of the plugin's own, for work that no caller of the host waits for: renewing a token, cleaning up.
    ///
    /// It is cancelled once the descriptor, which stays the plugin's, becomes readable.
    public init(deadline: UInt64? = nil, cancellationDescriptor: Int32? = nil) {
        self.deadline = deadline
        ownDescriptor = cancellationDescriptor
        (host, token, traceParent) = (nil, nil, coffer_str(ptr: nil, len: 0))
        sendsUnproven = false
    }

    init(host: UnsafePointer<coffer_host>, _ call: UnsafePointer<coffer_call>?) {
        self.host = host
        ownDescriptor = nil
        let size = Int(call?.pointee.struct_size ?? 0)
        guard let call, size >= MemoryLayout<coffer_call>.offset(of: \coffer_call.trace) ?? .max else {
            (deadline, token, traceParent) = (nil, nil, coffer_str(ptr: nil, len: 0))
            sendsUnproven = false
            return
        }
        sendsUnproven = call.pointee.flags & COFFER_CALL_UNPROVEN != 0
        deadline = call.pointee.deadline_ns == 0 ? nil : call.pointee.deadline_ns
        token = call.pointee.token
        traceParent =
            size >= MemoryLayout<coffer_call>.size ? call.pointee.trace : coffer_str(ptr: nil, len: 0)
    }

    /// Whether the caller gave up; cheap enough to ask in every loop.
    public var isCancelled: Bool {
        if let ownDescriptor {
            var waiting = pollfd(fd: ownDescriptor, events: Int16(POLLIN), revents: 0)
            return poll(&waiting, 1, 0) > 0
        }
        guard token != nil, let host, let cancelled = host.pointee.cancelled else { return false }
        return cancelled(host.pointee.ctx, token) != 0
    }

    /// Whether the deadline has passed.
    public var isLate: Bool {
        guard let deadline else { return false }
        return monotonicNow() >= deadline
    }

    /// A descriptor that becomes readable once cancelled, for `poll`; the host's: do not read or close it.
    public var cancellationDescriptor: Int32? {
        if let ownDescriptor { return ownDescriptor }
        guard token != nil, let host, let function = host.pointee.cancel_fd else { return nil }
        let number = function(host.pointee.ctx, token)
        return number < 0 ? nil : number
    }

    /// The W3C traceparent of the call, or empty.
    public var trace: String { ByteString(borrowing: traceParent)?.string ?? "" }

    /// Throws `cancelled` or `timeout` if either holds.
    public func check() throws(BackendError) {
        if isCancelled { throw BackendError(.cancelled, "cancelled") }
        if isLate { throw BackendError(.timeout, "the deadline passed", isRetryable: true) }
    }

    /// Sleeps, but no longer than until the call is cancelled or late, and then throws.
    public func sleep(nanoseconds: UInt64) throws(BackendError) {
        let (sum, overflow) = monotonicNow().addingReportingOverflow(nanoseconds)
        let end = overflow ? UInt64.max : sum
        while true {
            try check()
            let now = monotonicNow()
            guard now < end else { return }
            let left = min(end, deadline ?? .max) - now
            // Without a descriptor a cancellation is seen by asking again.
            let descriptor = cancellationDescriptor ?? -1
            let slice = descriptor < 0 ? min(left, 20_000_000) : left
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            // An interruption only makes the loop turn.
            if slice >= 1_000_000 {
                _ = poll(&waiting, 1, Int32(min(slice / 1_000_000, 3_600_000)))
            } else {
                var rest = timespec(tv_sec: 0, tv_nsec: Int(slice))
                _ = nanosleep(&rest, nil)
            }
        }
    }
}
