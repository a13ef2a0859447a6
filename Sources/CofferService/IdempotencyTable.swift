// Answers kept for a while, so that a write repeated after a lost answer happens once.
import CofferModel
import CofferSystem

/// The outcomes of writes by their idempotency keys.
///
///     begin ──▶ running ──finish──▶ done ──ten minutes──▶ forgotten
///                  └──────abandon──────────────────────────────▲
///
/// It is bounded and in memory: past its capacity the oldest outcomes go first, and with the host all of them.
final class IdempotencyTable: Sendable {
    enum Entry: Sendable {
        case running(request: String)
        case done(request: String, PutOutcome, at: MonotonicTime)
    }

    private struct State {
        var entries: [String: Entry] = [:]
        /// Finished keys, oldest first; those before `head` are gone.
        var order: [(key: String, at: MonotonicTime)] = []
        var head = 0
    }

    private let state = Locked(State())
    private let capacity: Int
    private let lifetime: Int64

    init(capacity: Int = 4096, lifetimeMilliseconds: Int = 600_000) {
        self.capacity = capacity
        lifetime = Int64(lifetimeMilliseconds) * 1_000_000
    }

    /// Begins the request called `key`, or gives the outcome that it had; `request` tells requests apart.
    ///
    /// - Throws: ``CofferError`` with `unavailable` while the first one still runs, `invalid_argument` where it was another.
    func begin(_ key: String, request: String, now: MonotonicTime = .now) throws(CofferError) -> PutOutcome? {
        let found = state.withLock { state -> Entry? in
            forget(before: now, in: &state)
            if let entry = state.entries[key] { return entry }
            state.entries[key] = .running(request: request)
            return nil
        }
        switch found {
        case nil: return nil
        case .running(let other):
            try requireSame(other, request)
            throw CofferError(
                .unavailable,
                "the first request with this idempotency key is still running",
                isRetryable: true,
                retryAfter: 1000
            )
        case .done(let other, var outcome, _):
            try requireSame(other, request)
            outcome.isReplayed = true
            return outcome
        }
    }

    private func requireSame(_ first: String, _ second: String) throws(CofferError) {
        guard first.utf8.elementsEqual(second.utf8) else {
            throw CofferError(.invalidArgument, "this idempotency key belongs to another request")
        }
    }

    /// Keeps the outcome of a request that was begun.
    func finish(_ key: String, request: String, _ outcome: PutOutcome, now: MonotonicTime = .now) {
        state.withLock { state in
            state.entries[key] = .done(request: request, outcome, at: now)
            state.order.append((key, now))
            forget(before: now, in: &state)
        }
    }

    /// Forgets a request that came to nothing.
    func abandon(_ key: String) {
        state.withLock { state in
            if case .running = state.entries[key] { state.entries[key] = nil }
        }
    }

    private func forget(before now: MonotonicTime, in state: inout State) {
        while state.head < state.order.count {
            let oldest = state.order[state.head]
            let isOver = now.nanoseconds - oldest.at.nanoseconds > lifetime
            guard isOver || state.order.count - state.head > capacity else { break }
            state.entries[oldest.key] = nil
            state.head += 1
        }
        if state.head > capacity {
            state.order.removeFirst(state.head)
            state.head = 0
        }
    }
}
