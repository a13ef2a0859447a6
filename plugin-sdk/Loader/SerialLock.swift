import Glibc

/// A lock that ThreadSanitizer understands; `Synchronization.Mutex` on Linux is a bare futex that it does not.
final class SerialLock: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    init() { pthread_mutex_init(mutex, nil) }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func lock() { pthread_mutex_lock(mutex) }
    func unlock() { pthread_mutex_unlock(mutex) }
}

/// A value that one thread at a time may touch.
///
/// Unchecked because `value` is only reached under `lock`.
final class Guarded<Value>: @unchecked Sendable {
    private let lock = SerialLock()
    private var value: Value

    init(_ value: Value) { self.value = value }

    func withLock<Result, Failure: Error>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
