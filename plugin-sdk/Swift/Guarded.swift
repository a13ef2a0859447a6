// State under a mutex of its own, for plugins whose calls come on many threads.

import Glibc

/// A value that one thread at a time may touch, and that threads may wait on.
///
/// A pthread mutex, since that is what the thread sanitizer understands.
public final class Guarded<Value>: @unchecked Sendable {  // Every access is under the mutex.
    private var value: Value
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// Guards a value.
    public init(_ value: sending Value) {
        self.value = value
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` while no other thread is inside.
    public func withLock<R, E: Error>(_ body: (inout Value) throws(E) -> R) throws(E) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }

    /// Waits until `isTrue`, which may change the value; answers whether it became true in time.
    ///
    /// `moment` is in nanoseconds of `CLOCK_MONOTONIC`. Whoever changes the value calls ``wake(all:)``.
    public func wait(until moment: UInt64, _ isTrue: (inout Value) -> Bool) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var end = timespec(tv_sec: Int(moment / 1_000_000_000), tv_nsec: Int(moment % 1_000_000_000))
        while !isTrue(&value) {
            if pthread_cond_timedwait(changed, mutex, &end) == ETIMEDOUT { return isTrue(&value) }
        }
        return true
    }

    /// Wakes one thread that waits, or all.
    public func wake(all: Bool = false) {
        _ = all ? pthread_cond_broadcast(changed) : pthread_cond_signal(changed)
    }
}
