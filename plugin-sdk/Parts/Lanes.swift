// Threads of one transfer: some pieces of it go at once.

public import CofferPluginSDK
import Glibc

/// What a thread can run without knowing the type of its results.
private protocol Lane: AnyObject {
    func runLane()
}

/// Runs pieces of one transfer on a few threads of its own, and gathers what they answer.
///
/// 1. At most `most` pieces run at once; whoever brings one more waits.
/// 2. The first error ends it: pieces in flight are cancelled, and every later call throws that error.
/// 3. ``cancel()`` ends all and joins the threads, within a second; it must come, once, and nothing after it.
public final class Lanes<Result: Sendable>: Lane, Sendable {
    /// A piece of the transfer; its call ends with the transfer.
    public typealias Piece = @Sendable (Call) throws(BackendError) -> Result

    private struct State {
        var threads: [pthread_t] = []
        var waiting: Piece?
        var running = 0
        var results: [Result] = []
        var failure: BackendError?
        var isEnding = false
    }

    private let most: Int
    private let work: Background
    private let state = Guarded(State())

    /// Lanes for at most `most` pieces at once; threads start when there is something to do.
    public init(most: Int) throws(BackendError) {
        self.most = most
        work = try Background()
    }

    /// Starts a piece, once there is a lane for it.
    public func run(call: Call, _ piece: @escaping Piece) throws(BackendError) {
        try wait(call: call) { [most] state in
            guard state.waiting == nil, state.running < most else { return false }
            state.waiting = piece
            return true
        }
        try state.withLock { state throws(BackendError) in
            // Without a waiting piece somebody took it, and there are lanes enough.
            if state.waiting != nil, state.threads.count == state.running, state.threads.count < most {
                try start(&state)
            }
        }
        state.wake(all: true)
    }

    /// Waits for every piece; what they answered, in no order.
    public func finish(call: Call) throws(BackendError) -> [Result] {
        var results: [Result] = []
        try wait(call: call) { state in
            guard state.waiting == nil, state.running == 0 else { return false }
            results = state.results
            return true
        }
        return results
    }

    /// Waits for the answer of one piece, and takes it out.
    public func take(call: Call, where isWanted: (Result) -> Bool) throws(BackendError) -> Result {
        var taken: Result?
        try wait(call: call) { state in
            guard let index = state.results.firstIndex(where: isWanted) else { return false }
            taken = state.results.remove(at: index)
            return true
        }
        guard let taken else { throw BackendError(.internal, "a piece went astray") }
        return taken
    }

    /// Ends everything and joins the threads.
    public func cancel() {
        work.cancel()
        let ended = state.withLock { state in
            state.isEnding = true
            defer { state.threads = [] }
            return state.threads
        }
        state.wake(all: true)
        for thread in ended { pthread_join(thread, nil) }
    }

    /// Waits until `isReady`, an error, or the end of the call.
    private func wait(call: Call, until isReady: (inout State) -> Bool) throws(BackendError) {
        while true {
            var failure: BackendError?
            // Nobody wakes us when the call is cancelled: it is asked now and then.
            let isOver = state.wait(until: monotonicNow() + 50_000_000) { state in
                failure = state.failure
                return failure != nil || isReady(&state)
            }
            if let failure { throw failure }
            if isOver { return }
            try call.check()
        }
    }

    private func start(_ state: inout State) throws(BackendError) {
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
            state.threads.append(thread)
            return
        }
        box.release()
        // The lanes that are there do the work.
        if state.threads.isEmpty {
            state.waiting = nil
            throw BackendError(.unavailable, "no thread could be started", isRetryable: true, native: status)
        }
    }

    /// One lane's life: a piece, then the next.
    fileprivate func runLane() {
        while let piece = nextPiece() {
            let outcome: Swift.Result<Result, BackendError>
            do throws(BackendError) {
                outcome = .success(try piece(work.call))
            } catch {
                outcome = .failure(error)
            }
            state.withLock { state in
                state.running -= 1
                switch outcome {
                case .success(let result): state.results.append(result)
                case .failure(let error):
                    // First told, then cancelled: a piece that ends of the cancellation must not tell its own error first.
                    if state.failure == nil { state.failure = error }
                    work.cancel()
                }
            }
            state.wake(all: true)
        }
    }

    /// The piece that waits, once there is one; nil at the end.
    private func nextPiece() -> Piece? {
        var piece: Piece?
        _ = state.wait(until: .max) { state in
            if state.isEnding { return true }
            guard let next = state.waiting else { return false }
            piece = next
            state.waiting = nil
            state.running += 1
            return true
        }
        state.wake(all: true)
        return piece
    }
}
