import CofferAPI
public import CofferModel

/// On which terms an object is written.
public struct PutOptions: Sendable, Hashable {
    /// What to do when the key is taken; nil for the storage's own rule.
    public var onConflict: OnConflict?
    /// What must hold for the write to happen.
    public var conditions: Conditions
    /// Content headers and the caller's own names and values.
    public var metadata: Metadata
    /// Digests of the bytes, if known: others publish nothing.
    public var checksums: [Checksum]
    /// Makes a repeated write answer as the first one did.
    public var idempotencyKey: String?

    /// Creates options; all of it is optional.
    public init(
        onConflict: OnConflict? = nil,
        conditions: Conditions = .none,
        metadata: Metadata = Metadata(),
        checksums: [Checksum] = [],
        idempotencyKey: String? = nil
    ) {
        self.onConflict = onConflict
        self.conditions = conditions
        self.metadata = metadata
        self.checksums = checksums
        self.idempotencyKey = idempotencyKey
    }

    /// The fields of the request.
    ///
    /// - Throws: ``CofferError`` for metadata or a digest that cannot travel: nothing is left out in silence.
    func fields() throws(CofferError) -> FieldList {
        try RequestFields.check(metadata.user)
        var fields = RequestFields.fields(of: metadata)
        fields += ConditionFields.fields(of: conditions)
        if !checksums.isEmpty { fields.append(("Content-Digest", try DigestFields.announcement(checksums))) }
        if let key = idempotencyKey { fields.append((Wire.idempotencyKey, key)) }
        return fields
    }
}
