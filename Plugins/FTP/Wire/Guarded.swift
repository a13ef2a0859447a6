// State under a mutex of its own, and waiting for it to change.

import Glibc

/// A value that one thread at a time may touch.
final class Guarded<Value>: @unchecked Sendable {  // Every access is under the mutex.
    private var value: Value
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// Guards a value.
    init(_ value: sending Value) {
        self.value = value
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` while no other thread is inside.
    func withLock<R, E: Error>(_ body: (inout Value) throws(E) -> R) throws(E) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }

    /// Wakes one thread that waits.
    func wake() { pthread_cond_signal(changed) }

    /// Runs `body` until it answers, each time that a thread is woken, and at least every 20 ms; nil if it never did.
    ///
    /// Nobody can wait for a condition and a descriptor at once, so that a cancelled call is noticed by turning.
    func turn<R>(_ body: (inout Value) -> R?) -> R? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if let result = body(&value) { return result }
        var until = timespec()
        clock_gettime(CLOCK_REALTIME, &until)
        until.tv_nsec += 20_000_000
        if until.tv_nsec >= 1_000_000_000 {
            until.tv_nsec -= 1_000_000_000
            until.tv_sec += 1
        }
        pthread_cond_timedwait(changed, mutex, &until)
        return body(&value)
    }
}
