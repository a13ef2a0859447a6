// How many requests one server is asked at once.

import CofferPluginSDK

/// Admits requests up to a limit that the server's own words and its latency move: up by one for each window that went
/// well, down by a third after 429 or 503 or where answers take several times as long as they used to.
///
/// A request counts while its answer is waited for. Bodies that stay open do not: who holds one may ask for another.
final class ConcurrencyLimit: Sendable {
    /// What became of a request.
    enum Outcome: Sendable {
        /// An answer after so many nanoseconds.
        case answered(after: UInt64)
        /// The server said that it is too much.
        case overloaded
        /// It says nothing about load.
        case unknown
    }

    /// The numbers, moved by what happens; no clock and no thread of its own.
    struct State: Sendable {
        private let ceiling: Double
        private(set) var limit: Double
        private(set) var inFlight = 0
        private var usual: Double = 0
        private var recent: Double = 0
        private var lastDecrease: UInt64 = 0

        init(ceiling: Int) {
            self.ceiling = Double(ceiling)
            limit = Double(ceiling)
        }

        mutating func admit() -> Bool {
            guard inFlight < Int(limit) else { return false }
            inFlight += 1
            return true
        }

        mutating func leave(_ outcome: Outcome, now: UInt64) {
            inFlight -= 1
            note(outcome, now: now)
        }

        mutating func note(_ outcome: Outcome, now: UInt64) {
            switch outcome {
            case .unknown: return
            case .overloaded: decrease(to: 0.66, now: now)
            case .answered(let time):
                let seconds = Double(time) / 1e9
                usual = usual == 0 ? seconds : usual + (seconds - usual) * 0.005
                recent = recent == 0 ? seconds : recent + (seconds - recent) * 0.1
                if recent > 0.25, recent > usual * 4 {
                    decrease(to: 0.9, now: now)
                } else if limit < ceiling {
                    limit = min(ceiling, limit + 1 / limit)
                }
            }
        }

        /// Once in 200 ms at most: answers of one moment tell of one moment.
        private mutating func decrease(to factor: Double, now: UInt64) {
            guard now >= lastDecrease &+ 200_000_000 else { return }
            lastDecrease = now
            limit = max(1, limit * factor)
        }
    }

    private let state: Guarded<State>?

    /// A limit that starts at its ceiling; 0 is none.
    init(ceiling: Int) { state = ceiling > 0 ? Guarded(State(ceiling: ceiling)) : nil }

    /// Waits for admission, no longer than the call allows.
    func enter(_ call: Call) throws(BackendError) {
        guard let state else { return }
        if state.withLock({ $0.admit() }) { return }
        while true {
            try call.check()
            // Nobody signals a cancellation here, so it is asked for again now and then.
            let slice = min(monotonicNow() + 20_000_000, call.deadline ?? .max)
            if state.wait(until: slice, { $0.admit() }) { return }
        }
    }

    /// Admits at once, or not.
    func tryEnter() -> Bool { state?.withLock { $0.admit() } ?? true }

    /// Learns from a request that took no place.
    func note(_ outcome: Outcome) {
        let now = monotonicNow()
        state?.withLock { $0.note(outcome, now: now) }
    }

    /// Ends what was admitted.
    func leave(_ outcome: Outcome) {
        guard let state else { return }
        let now = monotonicNow()
        state.withLock { $0.leave(outcome, now: now) }
        state.wake()
    }
}
