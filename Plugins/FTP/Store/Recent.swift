// Tokens that were given out a moment ago, so that none is given out for another state of the same object.

import CofferPluginSDK
import Glibc

/// The tokens that this instance published lately.
///
/// A server tells times by the second, and may give a new file the number of one that was just removed: a third version
/// within a second could look like the first. Who publishes asks here, and sets the time a second forward if so.
final class Recent: Sendable {
    private struct Item {
        var tokens: [UInt64]
        var until: UInt64
    }

    private static let nanoseconds: UInt64 = 3_000_000_000
    private let items = Guarded<(byPath: [[UInt8]: Item], sweep: UInt64)>(([:], 0))

    /// Nothing was published.
    init() {}

    /// Takes in a token that is about to be published for a path, unless it was lately; whether it was taken.
    func take(_ token: UInt64, for path: [UInt8], ahead seconds: UInt64) -> Bool {
        let now = monotonicNow()
        return items.withLock { items in
            if now > items.sweep {
                items.byPath = items.byPath.filter { $0.value.until > now }
                items.sweep = now + Self.nanoseconds
            }
            var item = items.byPath[path] ?? Item(tokens: [], until: 0)
            if item.until <= now { item.tokens = [] }
            guard !item.tokens.contains(token) else { return false }
            item.tokens.append(token)
            item.until = max(item.until, now + Self.nanoseconds + seconds * 1_000_000_000)
            items.byPath[path] = item
            return true
        }
    }
}
