// One command that runs while its caller does something else.

import CGridFS
import CofferPluginSDK
import Glibc
import Synchronization

/// Says that nobody waits any more.
final class StopFlag: Sendable {
    let isSet = Atomic(false)
}

/// One command that runs on a thread of its own: the batch that a reader will want next, or one that a writer has filled.
///
/// 1. A thread for each: it costs some microseconds, and a batch of megabytes takes milliseconds.
/// 2. It has no deadline of its own but the longest silence of the server; who waits for it brings one.
/// 3. `cancel` ends it within a tenth of a second; it is joined before its owner goes.
final class Ahead {
    private let work: Work
    private var thread: pthread_t?

    /// Starts; nil if there is no thread to be had, and nothing has begun.
    init?(_ command: @escaping @Sendable (Patience) throws(BackendError) -> Reply) {
        work = Work(command)
        thread = Self.start(work)
        if thread == nil { return nil }
    }

    deinit { cancel() }

    /// Waits for the answer, as long as the caller may.
    func wait(_ call: Call) throws(BackendError) -> Reply {
        while true {
            if let result = work.result(within: 20_000_000) {
                join()
                return try result.get()
            }
            try call.check()
        }
    }

    /// Ends it, and waits until it has ended; whether it may have had an effect without an answer.
    @discardableResult
    func cancel() -> Bool {
        work.flag.isSet.store(true, ordering: .relaxed)
        join()
        if case .failure(let error) = work.result(within: 0) { return error.isMaybeApplied }
        return false
    }

    private func join() {
        if let thread { pthread_join(thread, nil) }
        thread = nil
    }

    private static func start(_ work: Work) -> pthread_t? {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 512 << 10)
        // Signals are the host's: none may choose this thread.
        var (everything, before) = (sigset_t(), sigset_t())
        sigfillset(&everything)
        pthread_sigmask(SIG_SETMASK, &everything, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let context = Unmanaged.passRetained(work)
        var thread = pthread_t()
        let status = pthread_create(
            &thread,
            &attributes,
            { context in
                guard let context else { return nil }
                gridfs_name_thread("gridfs-ahead")
                Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            context.toOpaque()
        )
        if status == 0 { return thread }
        context.release()
        return nil
    }

    /// What the thread and its owner share.
    private final class Work: @unchecked Sendable {  // What changes is under the mutex; the flag is atomic.
        let flag = StopFlag()
        private let command: @Sendable (Patience) throws(BackendError) -> Reply
        private var result: Result<Reply, BackendError>?
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let ended = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

        init(_ command: @escaping @Sendable (Patience) throws(BackendError) -> Reply) {
            self.command = command
            pthread_mutex_init(mutex, nil)
            gridfs_cond_init(ended)
        }

        deinit {
            pthread_cond_destroy(ended)
            pthread_mutex_destroy(mutex)
            ended.deallocate()
            mutex.deallocate()
        }

        func run() {
            let outcome: Result<Reply, BackendError>
            do throws(BackendError) {
                outcome = .success(try command(Patience(until: flag)))
            } catch {
                outcome = .failure(error)
            }
            pthread_mutex_lock(mutex)
            result = outcome
            pthread_cond_signal(ended)
            pthread_mutex_unlock(mutex)
        }

        /// The outcome, if it comes within so many nanoseconds.
        func result(within nanoseconds: UInt64) -> Result<Reply, BackendError>? {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            if result == nil, nanoseconds > 0 { gridfs_cond_wait(ended, mutex, nanoseconds) }
            return result
        }
    }
}
