import Glibc

// Plugins are called from plain threads, as the host does, with stacks that a plugin may count on.

/// A value that one thread at a time may touch.
///
/// Unchecked because `value` is only reached between `pthread_mutex_lock` and `unlock`.
final class Guarded<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var value: Value

    init(_ value: Value) {
        self.value = value
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}

/// A result that one thread gives and another waits for.
///
/// Unchecked because `result` is only reached under the mutex.
private final class Answer<Result: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let given = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var result: Result?

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(given, nil)
    }

    deinit {
        pthread_cond_destroy(given)
        pthread_mutex_destroy(mutex)
        given.deallocate()
        mutex.deallocate()
    }

    func give(_ value: Result) {
        pthread_mutex_lock(mutex)
        result = value
        pthread_cond_broadcast(given)
        pthread_mutex_unlock(mutex)
    }

    func wait(seconds: Int) -> Result? {
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        deadline.tv_sec += seconds
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while result == nil {
            if pthread_cond_timedwait(given, mutex, &deadline) == ETIMEDOUT { break }
        }
        return result
    }
}

/// What a new thread is to run.
private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Starts a thread with a stack of `stack` bytes.
private func startThread(stack: Int, _ body: @escaping @Sendable () -> Void) -> pthread_t? {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stack)
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Work(body)).toOpaque()
    let failed = pthread_create(
        &thread,
        &attributes,
        { raw in
            guard let raw else { return nil }
            Unmanaged<Work>.fromOpaque(raw).takeRetainedValue().body()
            return nil
        },
        box
    )
    guard failed == 0 else {
        Unmanaged<Work>.fromOpaque(box).release()
        return nil
    }
    return thread
}

/// Seconds on the clock that only goes forward.
func now() -> Double { Double(monotonicNanoseconds()) / 1e9 }

func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Starts `body` on a thread of its own and waits for its result at most so long; nil when it is still running.
///
/// A body that does not come back keeps its thread: nothing can be done about that inside one process.
func runOnThread<Result: Sendable>(seconds: Int, _ body: @escaping @Sendable () -> Result) -> Result? {
    let answer = Answer<Result>()
    guard let thread = startThread(stack: 1 << 20, { answer.give(body()) }) else { return body() }
    let result = answer.wait(seconds: seconds)
    if result == nil { pthread_detach(thread) } else { pthread_join(thread, nil) }
    return result
}

/// Runs `body` on `count` threads at once, and throws the first error that any of them threw.
func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    let failure = Guarded<(any Error)?>(nil)
    var threads: [pthread_t] = []
    for index in 0..<count {
        let thread = startThread(stack: 512 << 10) {
            do {
                try body(index)
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
        if let thread { threads.append(thread) }
    }
    for thread in threads { pthread_join(thread, nil) }
    if let error = failure.withLock({ $0 }) { throw error }
}
