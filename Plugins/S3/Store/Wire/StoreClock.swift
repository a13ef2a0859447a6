// What the store's clock shows, as far as its answers tell.

import CofferPluginSDK

/// How far the store's clock is from ours.
///
/// An answer says when it was made, in whole seconds, and we know when we asked and when it came: that bounds the
/// difference of the clocks from both sides, and each answer makes the bounds closer. Once they are close, it is certain
/// in which second the store did something; nobody has to ask for the time of a put.
package final class StoreClock: Sendable {
    /// What the bounds are not trusted by: an answer may be dated a little before or after what it is about.
    private static let doubt: Int64 = 20_000_000
    /// Clocks drift: older bounds are dropped.
    private static let lifetime: Int64 = 60_000_000_000
    private static let second: Int64 = 1_000_000_000

    private let known = Guarded<(bounds: ClosedRange<Int64>, since: Int64)?>(nil)

    /// A clock of which nothing is known.
    package init() {}

    /// Takes in the date of an answer, in whole seconds, to what was asked and answered at these times of our own clock.
    package func note(_ date: Int64, asked: Int64, answered: Int64) {
        guard answered >= asked else { return }
        let fresh = (date - answered)...(date + Self.second - asked)
        known.withLock { known in
            guard let (bounds, since) = known, answered - since < Self.lifetime, bounds.overlaps(fresh) else {
                // Nothing known, or a clock was set: begin anew.
                known = (fresh, answered)
                return
            }
            known = (bounds.clamped(to: fresh), since)
        }
    }

    /// The whole second of the store in which it did what was asked and answered at these times; nil if it may be two.
    package func moment(asked: Int64, answered: Int64) -> Int64? {
        guard let (bounds, since) = known.withLock({ $0 }), answered >= asked, answered - since < Self.lifetime else {
            return nil
        }
        let earliest = wholeSeconds(asked + bounds.lowerBound - Self.doubt)
        let latest = wholeSeconds(answered + bounds.upperBound + Self.doubt)
        return earliest == latest ? earliest : nil
    }
}
