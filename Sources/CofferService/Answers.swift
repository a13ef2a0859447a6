// What a storage answers that is no object.
package import CofferModel

/// What a removal of a whole prefix did, or with `dry_run` would do.
package struct PrefixRemoval: Sendable {
    /// How many objects.
    package var count = 0
    /// Their first keys, at most ``keyLimit``.
    package var keys: [Key] = []
    /// How many objects could not be removed.
    package var failed = 0
    /// The first of them, and why; at most ``keyLimit``.
    package var failures: [CofferError] = []

    /// How many keys and failures are told.
    package static let keyLimit = 1000
}

/// One page of a listing.
package struct ListPage: Sendable {
    package var batch: ListBatch
    /// Opens the next page of the same query; nil at the end.
    package var cursor: String?
}

/// What a probe found out about one capability.
package struct ProbeFinding: Sendable, Hashable {
    /// What the store makes of a condition.
    package enum Verdict: String, Sendable, Hashable {
        /// What should pass passed, what should lose lost.
        case kept
        /// What should lose was done.
        case ignored
        /// The store takes no such requests, or nobody could tell.
        case unknown
    }

    package var capability: Capability
    package var verdict: Verdict
    /// What was seen, for a person.
    package var detail: String

    package var isProven: Bool { verdict == .kept }
}
