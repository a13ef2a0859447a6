// Threads of one transfer: some pieces of it go at once.

import CofferPluginSDK
import Glibc

/// What a thread can run without knowing the type of its results.
private protocol Lane: AnyObject {
    func runLane()
}

// Unchecked because what changes is touched under the mutex.
/// Runs pieces of one transfer on a few threads of its own, and gathers what they answer.
///
/// 1. At most `most` pieces run at once; whoever brings one more waits.
/// 2. The first error ends it: pieces in flight are cancelled, and every later call throws that error.
/// 3. ``cancel()`` ends all and joins the threads, within a second; it must come, once, and nothing after it.
final class Lanes<Result: Sendable>: Lane, @unchecked Sendable {
    typealias Piece = @Sendable (Call) throws(BackendError) -> Result

    private let most: Int
    private let work: Background
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var threads: [pthread_t] = []
    private var waiting: Piece?
    private var running = 0
    private var idle = 0
    private var results: [Result] = []
    private var failure: BackendError?
    private var isEnding = false

    init(most: Int) throws(BackendError) {
        self.most = most
        work = try Background()
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(changed)
        mutex.deallocate()
        changed.deallocate()
    }

    /// Starts a piece, once there is a lane for it.
    func run(call: Call, _ piece: @escaping Piece) throws(BackendError) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        try wait(call: call) { waiting == nil && running < most }
        waiting = piece
        if idle == 0 && threads.count < most { try start() }
        pthread_cond_broadcast(changed)
    }

    /// Waits for every piece; what they answered, in no order.
    func finish(call: Call) throws(BackendError) -> [Result] {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        try wait(call: call) { waiting == nil && running == 0 }
        return results
    }

    /// Waits for the answer of one piece, and takes it out.
    func take(call: Call, where isWanted: (Result) -> Bool) throws(BackendError) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        try wait(call: call) { results.contains(where: isWanted) }
        guard let index = results.firstIndex(where: isWanted) else {
            throw BackendError(.internal, "a piece went astray")
        }
        return results.remove(at: index)
    }

    /// Ends everything and joins the threads.
    func cancel() {
        work.cancel()
        pthread_mutex_lock(mutex)
        isEnding = true
        let ended = threads
        threads = []
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
        for thread in ended { pthread_join(thread, nil) }
    }

    /// Waits until `isReady`, an error, or the end of the call; the mutex is held.
    private func wait(call: Call, until isReady: () -> Bool) throws(BackendError) {
        while true {
            if let failure { throw failure }
            if isReady() { return }
            try call.check()
            // Nobody wakes us when the call is cancelled: it is asked now and then.
            var until = timespec()
            clock_gettime(CLOCK_MONOTONIC, &until)
            until.tv_nsec += 50_000_000
            if until.tv_nsec >= 1_000_000_000 {
                until.tv_nsec -= 1_000_000_000
                until.tv_sec += 1
            }
            pthread_cond_timedwait(changed, mutex, &until)
        }
    }

    private func start() throws(BackendError) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                let lane = Unmanaged<AnyObject>.fromOpaque(context).takeRetainedValue() as? any Lane
                lane?.runLane()
                return nil
            },
            box.toOpaque()
        )
        if status == 0 {
            threads.append(thread)
            return
        }
        box.release()
        // The lanes that are there do the work.
        if threads.isEmpty {
            waiting = nil
            throw BackendError(.unavailable, "no thread could be started", isRetryable: true, native: status)
        }
    }

    /// One lane's life: a piece, then the next.
    fileprivate func runLane() {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isEnding {
            guard let piece = waiting else {
                idle += 1
                pthread_cond_wait(changed, mutex)
                idle -= 1
                continue
            }
            waiting = nil
            running += 1
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(mutex)
            do throws(BackendError) {
                let result = try piece(work.call)
                pthread_mutex_lock(mutex)
                results.append(result)
            } catch {
                // First told, then cancelled: a piece that ends of the cancellation must not tell its own error first.
                pthread_mutex_lock(mutex)
                if failure == nil { failure = error }
                work.cancel()
            }
            running -= 1
            pthread_cond_broadcast(changed)
        }
    }
}
