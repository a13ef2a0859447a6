package import CofferModel
import CofferSystem

/// Holds the current generation and swaps it.
package final class Generations: Sendable {
    package init(_ first: Generation) {}

    /// The generation that a request beginning now belongs to.
    package var current: Generation { fatalError() }

    /// The number for the next generation; each is given once.
    package func nextNumber() -> Int { 0 }

    /// Makes `next` the current one, at once and for all requests that begin from now on.
    ///
    /// Ephemeral storages come along, unless `next` has one of the same name.
    package func swap(to next: Generation) {}

    /// Adds a storage that was made at run time.
    ///
    /// - Throws: ``CofferError`` with `already_exists` where the name is taken.
    package func add(_ storage: Storage) throws(CofferError) { throw unbuilt }

    /// Drops a storage that was made at run time; its objects stay where they are.
    ///
    /// - Throws: ``CofferError`` with `not_found`, or `invalid_argument` for a configured one.
    package func drop(_ name: String) throws(CofferError) { throw unbuilt }

    /// Tries again to open those failed storages whose time has come; returns when the next one's comes, if any.
    package func retryFailed(now: ContinuousClock.Instant = .now) -> ContinuousClock.Instant? { nil }
}
