// Whether, and when, a request is tried again.

import CofferPluginSDK

/// What may still be repeated at one endpoint: an outage must not be multiplied by everybody's repetitions.
final class RetryBudget: Sendable {
    private let share: Double
    private let tokens = Guarded(20.0)

    init(share: Double) { self.share = share }

    /// A request was answered well.
    func earn() { tokens.withLock { $0 = min(100, $0 + share) } }

    /// Whether one repetition is allowed, and if so spends it.
    func spend() -> Bool {
        tokens.withLock { tokens in
            guard tokens >= 1 else { return false }
            tokens -= 1
            return true
        }
    }
}

extension RetryPolicy {
    /// How long to wait before the attempt after `attempt` (from 1), by full jitter; `asked` is the server's `Retry-After`.
    ///
    /// nil: not at all.
    func pause(after attempt: Int, asked: Duration?, chance: Double) -> Duration? {
        guard attempt < attempts else { return nil }
        if let asked {
            guard asked <= longestRetryAfter else { return nil }
            return asked + firstPause * chance
        }
        let doubled = firstPause * Double(1 << min(attempt - 1, 20))
        return min(doubled, longestPause) * chance
    }
}
