package import CofferModel

/// What the operator decided about one storage, as the profile's effective values give it.
package struct StoragePolicy: Sendable, Hashable {
    /// Whether a store must replace objects atomically to be taken.
    package enum Atomic: String, Sendable, Hashable, CaseIterable {
        /// A store that cannot is a configuration error.
        case required
        /// A store that cannot is taken, and readers may see half an object.
        case bestEffort = "best_effort"
    }

    /// Who else writes into the same place.
    package enum Writers: String, Sendable, Hashable, CaseIterable {
        /// Anybody: the host may not stand in for conditions that the store cannot check.
        case shared
        /// This host alone: conditions may be kept under its own locks.
        case exclusive
    }

    /// What is made of the store's word about conditions.
    package enum ConditionalRequests: String, Sendable, Hashable, CaseIterable {
        /// As the store declares; what it does not declare is off until a probe has proven it.
        case auto
        /// A store without create-if-absent and if-match is a configuration error.
        case required
        /// Off: conditional requests are refused.
        ///
        /// `on_conflict: error` then looks before it writes, which two writers at once can defeat.
        case none
    }

    /// What may be stored.
    package var accept: FileTypeRule
    /// What may not, whatever ``accept`` says.
    package var deny: FileTypeRule
    /// The largest object, in bytes; nil for any.
    package var maxSize: Int64?
    /// Whether nothing may be written or removed.
    package var isReadOnly: Bool
    /// The folder of the store in which all keys live, without slashes at its ends; empty for none.
    ///
    /// Callers never see it.
    package var prefix: String
    /// The digest computed of everything written; nil for none.
    package var checksum: Checksum.Algorithm?
    /// What a write does when the key is taken and the caller does not say.
    package var onConflict: OnConflict
    /// The URL under which the storage's objects are published; nil for none.
    package var url: String?
    package var atomic: Atomic
    package var writers: Writers
    package var conditions: ConditionalRequests
    /// How long one step of a call may go without progress, in nanoseconds; nil for as long as it likes.
    package var stepTimeout: Int64?
    /// How many requests of one kind are handled at once; nil for the host's own number.
    package var concurrency: Int?
    /// The most seconds that a link may live.
    package var linkLimit: Int64

    package init(
        accept: FileTypeRule = .all,
        deny: FileTypeRule = .none,
        maxSize: Int64? = nil,
        isReadOnly: Bool = false,
        prefix: String = "",
        checksum: Checksum.Algorithm? = .sha256,
        onConflict: OnConflict = .error,
        url: String? = nil,
        atomic: Atomic = .required,
        writers: Writers = .shared,
        conditions: ConditionalRequests = .auto,
        stepTimeout: Int64? = nil,
        concurrency: Int? = nil,
        linkLimit: Int64 = 7 * 86_400
    ) {
        self.accept = accept
        self.deny = deny
        self.maxSize = maxSize
        self.isReadOnly = isReadOnly
        self.prefix = prefix
        self.checksum = checksum
        self.onConflict = onConflict
        self.url = url
        self.atomic = atomic
        self.writers = writers
        self.conditions = conditions
        self.stepTimeout = stepTimeout
        self.concurrency = concurrency
        self.linkLimit = linkLimit
    }
}
