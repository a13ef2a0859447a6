import CofferModel
import CofferSystem

/// Threads of our own on which exchanges block, started when there is work and gone when there is none.
///
/// Swift's cooperative pool is about as wide as the machine has cores: a few calls that wait for a disk would stop the
/// whole program.
final class BlockingThreads: Sendable {
    static let shared = BlockingThreads(limit: 64)

    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var threads = 0
        var idle = 0
    }

    private let limit: Int
    private let state = Monitor(State())

    init(limit: Int) { self.limit = limit }

    /// Runs `body` on one of the threads.
    ///
    /// Cancelling the task cancels `handle`, which ends what `body` waits for.
    func run<Value: Sendable>(
        _ handle: CancelHandle,
        _ body: @escaping @Sendable () throws(CofferError) -> Value
    ) async throws(CofferError) -> Value {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, CofferError>, Never>) in
                enqueue { continuation.resume(returning: Result { () throws(CofferError) in try body() }) }
            }
        } onCancel: {
            handle.cancel()
        }
        return try result.get()
    }

    private func enqueue(_ job: @escaping @Sendable () -> Void) {
        let needsThread = state.withLock { state in
            state.jobs.append(job)
            guard state.jobs.count > state.idle, state.threads < limit else { return false }
            state.threads += 1
            return true
        }
        state.signal()
        guard needsThread else { return }
        do {
            _ = try Thread.start(named: "coffer-client") { self.work() }
        } catch {
            // No thread to be had: those that there are do the work, and without any the caller does.
            let isAlone = state.withLock { state in
                state.threads -= 1
                return state.threads == 0
            }
            if isAlone { while let job = next(patiently: false) { job() } }
        }
    }

    private func work() {
        while let job = next(patiently: true) { job() }
    }

    /// The next job; nil where none comes for a while, and then the calling thread is no longer counted.
    private func next(patiently: Bool) -> (@Sendable () -> Void)? {
        if patiently { state.withLock { $0.idle += 1 } }
        let job = state.wait(until: MonotonicTime.now.advanced(milliseconds: patiently ? 5000 : 0)) { state in
            state.jobs.isEmpty ? nil : state.jobs.removeFirst()
        }
        guard patiently else { return job }
        return state.withLock { state in
            state.idle -= 1
            // A job may have come between the end of the wait and now.
            if let job { return job }
            if !state.jobs.isEmpty { return state.jobs.removeFirst() }
            state.threads -= 1
            return nil
        }
    }
}
