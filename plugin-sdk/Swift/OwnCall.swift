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
    private let descriptor: Int32
    private let deadline: UInt64

    /// A call that can be cancelled; with `nanoseconds` it is late after that time.
    public init(nanoseconds: UInt64? = nil) {
        pthread_mutex_init(mutex, nil)
        descriptor = eventfd(0, Int32(EFD_CLOEXEC.rawValue | EFD_NONBLOCK.rawValue))
        deadline = nanoseconds.map { monotonicNanoseconds() &+ $0 } ?? 0
    }

    deinit {
        if descriptor >= 0 { Glibc.close(descriptor) }
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
        var one: UInt64 = 1
        // The counter cannot be full: this is written once. Without a descriptor, callers ask.
        if descriptor >= 0 { _ = write(descriptor, &one, MemoryLayout<UInt64>.size) }
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
            return Unmanaged<OwnCall>.fromOpaque(token).takeUnretainedValue().descriptor
        }
        let copy = UnsafeMutablePointer<coffer_host>.allocate(capacity: 1)
        copy.initialize(to: table)
        return UnsafePointer(copy)
    }()
}
