// Calls of a plugin's own making: for work on its own threads, which no call of the host stands behind.

import CCofferPlugin
import Glibc

// Unchecked because the flag is touched under the mutex and the rest is set once, before anybody else sees it.
/// Deadline and cancellation of work that a plugin does on threads of its own: parts of an upload, reading ahead, clean-up.
///
/// A ``Call`` of the host ends with the call; this one lives as long as its owner keeps it.
public final class OwnCall: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var hasEnded = false
    /// Two ends of a line: the first becomes readable once cancelled. -1 where there was none to be had.
    private let ends: (reading: Int32, writing: Int32)
    private let deadline: UInt64

    /// A call that can be cancelled; with `nanoseconds` it is late after that time.
    public init(nanoseconds: UInt64? = nil) {
        pthread_mutex_init(mutex, nil)
        var pair: [Int32] = [-1, -1]
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        ends = socketpair(AF_UNIX, Int32(kind), 0, &pair) == 0 ? (pair[0], pair[1]) : (-1, -1)
        deadline = nanoseconds.map { monotonicNanoseconds() &+ $0 } ?? 0
    }

    deinit {
        if ends.reading >= 0 {
            close(ends.reading)
            close(ends.writing)
        }
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Whether ``cancel()`` was called.
    public var isCancelled: Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return hasEnded
    }

    /// Ends the work within a second.
    public func cancel() {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !hasEnded else { return }
        hasEnded = true
        var byte: UInt8 = 1
        // The line cannot be full: this is written once. Without a line, callers ask.
        if ends.writing >= 0 { _ = write(ends.writing, &byte, 1) }
    }

    /// Runs `body` with the call; it is valid until `body` returns.
    public func withCall<R, E: Error>(_ body: (Call) throws(E) -> R) throws(E) -> R {
        var call = coffer_call()
        call.struct_size = UInt32(MemoryLayout<coffer_call>.size)
        call.deadline_ns = deadline
        call.token = Unmanaged.passUnretained(self).toOpaque()
        let value = Call(host: Self.host, &call)
        defer { withExtendedLifetime(self) {} }
        return try body(value)
    }

    /// A host of one's own, which knows of calls and of nothing else.
    nonisolated(unsafe) private static let host: UnsafePointer<coffer_host> = {
        var table = coffer_host()
        table.struct_size = UInt32(MemoryLayout<coffer_host>.size)
        table.abi = COFFER_ABI_CURRENT
        table.cancelled = { _, token in
            guard let token else { return 0 }
            return Unmanaged<OwnCall>.fromOpaque(token).takeUnretainedValue().isCancelled ? 1 : 0
        }
        table.cancel_fd = { _, token in
            guard let token else { return -1 }
            return Unmanaged<OwnCall>.fromOpaque(token).takeUnretainedValue().ends.reading
        }
        let copy = UnsafeMutablePointer<coffer_host>.allocate(capacity: 1)
        copy.initialize(to: table)
        return UnsafePointer(copy)
    }()
}
