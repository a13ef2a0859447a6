public import CofferAPI
public import CofferModel

/// Deleting, copying, moving and changing objects.
extension Storage {
    /// Deletes an object; that there is none is success, unless `ifMatch` names one.
    public func delete(_ key: Key, ifMatch: Conditions.Match? = nil) async throws(CofferError) {
        try await run { channel, storage, cancel throws(CofferError) in
            try channel.delete(storage, key, ifMatch: ifMatch, cancel)
        }
    }

    /// Deletes many objects, with one result for each, in order.
    public func delete(_ keys: [Key]) async throws(CofferError) -> [DeletionResult] {
        try await delete(keys.map { Deletion($0) })
    }

    /// Deletes many objects, each only as the version that is named, with one result for each, in order.
    public func delete(_ deletions: [Deletion]) async throws(CofferError) -> [DeletionResult] {
        let items = deletions.map { DeletionBody.Item(key: $0.key, ifMatch: $0.ifMatch) }
        return try await run { channel, storage, cancel throws(CofferError) in
            try channel.delete(storage, many: items, cancel)
        }
    }

    /// Deletes what lies below `prefix`, by segments: `a/b` means `a/b/…` and never `a/bb`.
    ///
    /// The empty prefix is everything and needs `force`.
    @discardableResult
    public func deletePrefix(
        _ prefix: String,
        isDryRun: Bool = false,
        force: Bool = false
    ) async throws(CofferError) -> PrefixDeletion {
        let parameters = DeletePrefixParameters(prefix: prefix, isDryRun: isDryRun, isForced: force)
        return try await run { channel, storage, cancel throws(CofferError) in
            try channel.deletePrefix(storage, parameters, cancel)
        }
    }

    /// Copies an object, inside this storage or into `other`.
    ///
    /// `conditions` are about the target; `sourceIfMatch` is the etag that the source must have.
    @discardableResult
    public func copy(
        _ source: Key,
        to target: Key,
        in other: String? = nil,
        onConflict: OnConflict? = nil,
        conditions: Conditions = .none,
        sourceIfMatch: String? = nil
    ) async throws(CofferError) -> StoredObject {
        let body = TransferBody(
            from: source,
            to: target,
            toStorage: other,
            onConflict: onConflict,
            sourceIfMatch: sourceIfMatch
        )
        return try await run { channel, storage, cancel throws(CofferError) in
            try channel.transfer(.copy(storage), body, conditions: conditions, cancel)
        }
    }

    /// Moves an object, inside this storage or into `other`, as ``copy(_:to:in:onConflict:conditions:sourceIfMatch:)``.
    @discardableResult
    public func move(
        _ source: Key,
        to target: Key,
        in other: String? = nil,
        onConflict: OnConflict? = nil,
        conditions: Conditions = .none,
        sourceIfMatch: String? = nil
    ) async throws(CofferError) -> StoredObject {
        let body = TransferBody(
            from: source,
            to: target,
            toStorage: other,
            onConflict: onConflict,
            sourceIfMatch: sourceIfMatch
        )
        return try await run { channel, storage, cancel throws(CofferError) in
            try channel.transfer(.move(storage), body, conditions: conditions, cancel)
        }
    }

    /// Copies an object to a new key that the host makes.
    public func duplicate(_ source: Key, in other: String? = nil) async throws(CofferError) -> StoredObject {
        let body = TransferBody(from: source, toStorage: other)
        return try await run { channel, storage, cancel throws(CofferError) in
            try channel.transfer(.duplicate(storage), body, cancel)
        }
    }

    /// Changes an object's metadata and leaves its bytes.
    @discardableResult
    public func changeMetadata(
        of key: Key,
        _ change: MetadataChange,
        ifMatch: Conditions.Match? = nil
    ) async throws(CofferError) -> StoredObject {
        try await run { channel, storage, cancel throws(CofferError) in
            try channel.changeMetadata(storage, key, change, ifMatch: ifMatch, cancel)
        }
    }
}
