// The thread that sweeps behind an instance's back.

import CLocal
import CofferPluginSDK
import Glibc
import Synchronization

/// Sweeps on a thread of its own, which lives as long as there is something to sweep.
///
///     resting ──start──▶ sweeping ──step, pause, step, …, done──▶ ended ──start──▶ sweeping
///        └──────────────────────────── stop ─────────────────────────┴──────────────▶ stopped
///
/// 1. At most one thread; it is joined by the next `start`, or by `stop`.
/// 2. Between two steps it rests as long as the step took, so that it never takes more than half of a disk or core.
/// 3. `stop` waits for one step at most.
final class Sweeper: @unchecked Sendable {  // Everything is under the mutex.
    private var thread: pthread_t?
    private var hasEnded = false
    private var isStopped = false
    /// When the next sweep is due; changed under the mutex, looked at without.
    private let due: Atomic<UInt64>
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// How long after a sweep began the next one is due.
    private static let interval: UInt64 = 300_000_000_000

    /// Rests.
    init() {
        due = Atomic(local_monotonic_ns() + Self.interval)
        pthread_mutex_init(mutex, nil)
        local_cond_init(changed)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Starts a sweep, if one is due: called after every write.
    func startIfDue(_ store: Store) {
        if local_monotonic_ns() >= due.load(ordering: .relaxed) { start(store) }
    }

    /// Starts a sweep, if none is running.
    func start(_ store: Store) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isStopped, thread == nil || hasEnded else { return }
        due.store(local_monotonic_ns() + Self.interval, ordering: .relaxed)
        if let ended = thread { pthread_join(ended, nil) }
        thread = nil
        makeThread(store)
    }

    /// Ends the sweep within a step, and lets none begin.
    func stop() {
        pthread_mutex_lock(mutex)
        isStopped = true
        pthread_cond_broadcast(changed)
        let running = thread
        thread = nil
        pthread_mutex_unlock(mutex)
        if let running { pthread_join(running, nil) }
    }

    private func makeThread(_ store: Store) {
        let work = Unmanaged.passRetained(Work(self, store))
        var started = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 256 << 10)
        // Signals are the host's: none may choose this thread.
        var everything = sigset_t()
        var before = sigset_t()
        sigfillset(&everything)
        pthread_sigmask(SIG_SETMASK, &everything, &before)
        let result = pthread_create(
            &started,
            &attributes,
            { context in
                guard let context else { return nil }
                local_name_thread("local-sweep")
                Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            work.toOpaque()
        )
        pthread_sigmask(SIG_SETMASK, &before, nil)
        if result == 0 {
            hasEnded = false
            thread = started
        } else {
            work.release()  // Without a thread nothing is swept now; the next sweep is due as ever.
        }
    }

    /// Rests for so long; false if it is to stop.
    fileprivate func rest(_ nanoseconds: UInt64) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        let end = local_monotonic_ns() + nanoseconds
        while !isStopped {
            let now = local_monotonic_ns()
            if now >= end { return true }
            local_cond_wait(changed, mutex, end - now)
        }
        return false
    }

    fileprivate func didEnd() {
        pthread_mutex_lock(mutex)
        hasEnded = true
        pthread_mutex_unlock(mutex)
    }

    /// What the thread does.
    private final class Work {
        private let sweeper: Sweeper
        private let store: Store

        init(_ sweeper: Sweeper, _ store: Store) {
            self.sweeper = sweeper
            self.store = store
        }

        func run() {
            defer { sweeper.didEnd() }
            // A reserve that cannot be opened is the trouble of whoever writes next.
            guard let reserve = try? store.reserve() else { return }
            let sweep = Sweep(store, reserve)
            var began = local_monotonic_ns()
            while sweep.step() {
                guard sweeper.rest(local_monotonic_ns() - began) else { return }
                began = local_monotonic_ns()
            }
        }
    }
}
