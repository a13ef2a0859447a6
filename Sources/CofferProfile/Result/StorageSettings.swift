// The settings that the host itself honours for a storage, whatever its backend.

package import CofferModel

/// Which digest the host computes over what is written.
package enum ChecksumChoice: String, Sendable, Hashable, CaseIterable {
    case sha256, crc32c, none
}

/// Who writes to the store besides this host.
package enum Writers: String, Sendable, Hashable, CaseIterable {
    /// Perhaps others: the host emulates no condition.
    case shared
    /// Nobody, by the operator's word: the host may emulate conditions under locks of its own.
    case exclusive
}

/// Whether a replace must be all or nothing.
package enum Atomicity: String, Sendable, Hashable, CaseIterable {
    /// A store that cannot is refused.
    case required
    /// A store that cannot is taken as it is.
    case bestEffort = "best_effort"
}

/// How conditions (`if_match`, create-if-absent) are honoured.
package enum ConditionPolicy: String, Sendable, Hashable, CaseIterable {
    /// At the grade the storage has; unproven stores have none until they are probed.
    case auto
    /// The storage is refused unless it has them, native or emulated.
    case required
    /// Requests with conditions are refused, whatever the store can.
    case none
}

/// The settings of a storage that every backend shares, typed.
package struct StorageSettings: Sendable, Hashable {
    /// The public URL of the storage; nil if it has none of its own.
    package var url: String?
    /// What a write does when the key is taken.
    package var onConflict: OnConflict = .error
    package var accept: FileTypeRule = .all
    package var deny: FileTypeRule = .none
    /// The most bytes an object may have; nil for no limit.
    package var maxSize: Int64?
    package var isReadOnly = false
    /// Put before every key; empty, or ends with a slash.
    package var prefix = ""
    package var checksum: ChecksumChoice = .sha256
    package var writers: Writers = .shared
    package var atomic: Atomicity = .required
    package var conditions: ConditionPolicy = .auto
    /// How long one step of a call may take, in milliseconds.
    package var timeout: Int64 = 30_000
    /// How many calls may run at once; nil for the host's own limit.
    package var concurrency: Int?
    /// How long a link may live, in milliseconds.
    package var maxLinkTTL: Int64 = 7 * 86_400_000

    package init() {}
}
