public import CofferAPI
public import CofferModel

/// Reading objects, and finding them.
extension Storage {
    /// Reads a whole object, or a part of it, into memory; `limit` guards that.
    public func get(
        _ key: Key,
        range: ByteRange = .all,
        conditions: Conditions = .none,
        limit: Int = 1 << 30
    ) async throws(CofferError) -> [UInt8] {
        try await run { channel, storage, cancel throws(CofferError) in
            try ObjectDownload.open(channel, storage, key, range: range, conditions: conditions, cancel)
                .readAll(limit: limit)
        }
    }

    /// Opens an object for reading as it comes; all of it is one version, or reading fails.
    public func open(
        _ key: Key,
        range: ByteRange = .all,
        version: String? = nil,
        conditions: Conditions = .none
    ) async throws(CofferError) -> ObjectReader {
        let cancel = CancelHandle()
        let channel = client.channel
        let storage = name
        let download = try await BlockingThreads.shared.run(cancel) { () throws(CofferError) in
            try ObjectDownload.open(
                channel,
                storage,
                key,
                range: range,
                version: version,
                conditions: conditions,
                cancel
            )
        }
        return ObjectReader(download, cancel)
    }

    /// What is known of an object.
    public func stat(
        _ key: Key,
        version: String? = nil,
        conditions: Conditions = .none
    ) async throws(CofferError) -> StoredObject {
        try await run { channel, storage, cancel throws(CofferError) in
            try channel.stat(storage, key, version: version, conditions: conditions, cancel)
        }
    }

    /// Whether there is an object under `key`; any failure but absence is thrown.
    public func exists(_ key: Key) async throws(CofferError) -> Bool {
        do {
            _ = try await stat(key)
            return true
        } catch {
            guard error.code == .notFound else { throw error }
            return false
        }
    }

    /// Everything whose key starts with `prefix`, in byte order, as it comes.
    ///
    /// With a `delimiter`, keys that share what follows the prefix up to it appear as one prefix.
    public func list(prefix: String = "", delimiter: String = "", startAfter: String = "") -> Listing {
        let parameters = ListParameters(prefix: prefix, delimiter: delimiter, startAfter: startAfter)
        return Listing(client.channel, name, parameters)
    }

    /// A part of a listing; its `cursor` continues it where more follows.
    ///
    /// ``list(prefix:delimiter:startAfter:)`` is for walking all of it; pages are for those who must stop in between.
    public func page(
        prefix: String = "",
        delimiter: String = "",
        startAfter: String = "",
        cursor: String? = nil,
        limit: Int? = nil
    ) async throws(CofferError) -> ListingPage {
        let parameters = ListParameters(
            prefix: prefix,
            delimiter: delimiter,
            startAfter: startAfter,
            cursor: cursor,
            limit: limit
        )
        return try await run { channel, storage, cancel throws(CofferError) in
            try channel.page(storage, parameters, cancel)
        }
    }

    /// The object's public URL.
    public func url(_ key: Key) async throws(CofferError) -> String {
        try await run { channel, storage, cancel throws(CofferError) in try channel.url(storage, key, cancel) }
    }
}
