// What callers ask of a storage when it is to take an object.
package import CofferModel

/// What to write, and on which terms.
package struct PutRequest: Sendable {
    package var key: Key
    /// What to do when the key is taken; nil for the storage's own rule.
    ///
    /// An explicit condition outranks it.
    package var onConflict: OnConflict?
    package var conditions: Conditions
    /// Without a content type, it gets that of the key's extension.
    package var metadata: Metadata
    /// The exact length where it is known; another one publishes nothing.
    package var size: Int64?
    /// Digests that the caller announced; others publish nothing.
    package var checksums: [Checksum]
    /// How digests may be computed that come only behind the body, by ``ObjectWriter/expect(_:)``.
    package var trailingAlgorithms: [Checksum.Algorithm]
    /// A repeated request with the same key gets the first one's outcome.
    package var idempotencyKey: String?

    package init(
        key: Key,
        onConflict: OnConflict? = nil,
        conditions: Conditions = .none,
        metadata: Metadata = Metadata(),
        size: Int64? = nil,
        checksums: [Checksum] = [],
        trailingAlgorithms: [Checksum.Algorithm] = [],
        idempotencyKey: String? = nil
    ) {
        self.key = key
        self.onConflict = onConflict
        self.conditions = conditions
        self.metadata = metadata
        self.size = size
        self.checksums = checksums
        self.trailingAlgorithms = trailingAlgorithms
        self.idempotencyKey = idempotencyKey
    }
}

/// What came of a write, a copy or a move.
package struct PutOutcome: Sendable, Hashable {
    /// The object as it is now, under its real key.
    package var info: ObjectInfo
    /// Whether no object was under that key before, as far as a look just before the write can tell.
    package var isNew: Bool
    /// Whether this is the answer to an earlier request with the same idempotency key.
    package var isReplayed: Bool

    package init(info: ObjectInfo, isNew: Bool, isReplayed: Bool = false) {
        self.info = info
        self.isNew = isNew
        self.isReplayed = isReplayed
    }

    /// Where the object went; differs from the asked key after `rename`.
    package var realKey: Key { info.key }
}

/// On which terms an object is copied or moved.
package struct CopyOptions: Sendable {
    /// What to do when the target key is taken; nil for the target storage's own rule.
    package var onConflict: OnConflict?
    /// Of the target.
    package var conditions: Conditions
    /// Of the source.
    package var sourceIfMatch: Conditions.Match?
    /// What the target gets instead of the source's metadata.
    package var metadata: Metadata?

    package init(
        onConflict: OnConflict? = nil,
        conditions: Conditions = .none,
        sourceIfMatch: Conditions.Match? = nil,
        metadata: Metadata? = nil
    ) {
        self.onConflict = onConflict
        self.conditions = conditions
        self.sourceIfMatch = sourceIfMatch
        self.metadata = metadata
    }
}
