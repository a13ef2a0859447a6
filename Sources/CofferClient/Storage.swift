import CofferAPI
public import CofferModel
import CofferSystem

/// A storage of a host: what an application puts its objects into.
///
/// A value that names the storage; it holds nothing open.
public struct Storage: Sendable {
    /// The storage's name.
    public let name: String
    /// The client that talks to the host.
    public let client: CofferClient

    init(name: String, client: CofferClient) {
        self.name = name
        self.client = client
    }
}

// MARK: Writing
extension Storage {
    /// Writes `bytes` under `key` and says where they went: with `rename`, the real key is in the answer.
    @discardableResult
    public func put(
        _ bytes: [UInt8],
        at key: Key,
        options: PutOptions = PutOptions()
    ) async throws(CofferError) -> StoredObject {
        try await run { channel, storage, cancel throws(CofferError) in
            try channel.put(storage, .key(key), bytes, options, cancel).object
        }
    }

    /// Writes `bytes` under a key that the host makes: a UUID with the extension of `filename`, below `location`.
    public func put(
        _ bytes: [UInt8],
        filename: String?,
        location: String = "",
        options: PutOptions = PutOptions()
    ) async throws(CofferError) -> StoredObject {
        let target = PutTarget.generated(CreateParameters(filename: filename, location: location))
        return try await run { channel, storage, cancel throws(CofferError) in
            try channel.put(storage, target, bytes, options, cancel).object
        }
    }

    /// Writes the file at `path` under `key`.
    ///
    /// From 64 KiB on the host gets the file's descriptor instead of its bytes, and copies it as its disks can best.
    @discardableResult
    public func put(
        contentsOf path: String,
        at key: Key,
        options: PutOptions = PutOptions()
    ) async throws(CofferError) -> StoredObject {
        try await run { channel, storage, cancel throws(CofferError) in
            let file = try LocalFile(reading: path)
            return try file.put(channel, storage, .key(key), options, cancel).object
        }
    }

    /// Writes pieces as they come, `length` bytes in all, or as many as there are.
    ///
    /// The next piece is asked for when the host has taken the last one. An error of `pieces`, or cancelling, leaves
    /// nothing behind.
    @discardableResult
    public func put<Pieces: AsyncSequence & Sendable>(
        _ pieces: Pieces,
        length: Int64? = nil,
        at key: Key,
        options: PutOptions = PutOptions()
    ) async throws -> StoredObject where Pieces.Element == [UInt8] {
        let writer = try await write(at: key, length: length, options: options)
        do {
            for try await piece in pieces { try await writer.append(piece) }
            return try await writer.finish()
        } catch {
            writer.cancel()
            throw error
        }
    }

    /// Begins a write whose bytes the caller hands over piece by piece.
    public func write(
        at key: Key,
        length: Int64? = nil,
        options: PutOptions = PutOptions()
    ) async throws(CofferError) -> ObjectWriter {
        let cancel = CancelHandle()
        let channel = client.channel
        let storage = name
        let upload = try await BlockingThreads.shared.run(cancel) { () throws(CofferError) in
            try ObjectUpload(channel, storage, .key(key), length: length, options, cancel)
        }
        return ObjectWriter(upload, cancel)
    }
}

// MARK: Reading
extension Storage {
    /// Reads a whole object, or a part of it, into memory; `limit` guards that.
    public func get(
        _ key: Key,
        range: ByteRange = .all,
        limit: Int = 1 << 30
    ) async throws(CofferError) -> [UInt8] {
        try await run { channel, storage, cancel throws(CofferError) in
            try ObjectDownload.open(channel, storage, key, range: range, cancel).readAll(limit: limit)
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

    /// The object's public URL.
    public func url(_ key: Key) async throws(CofferError) -> String {
        try await run { channel, storage, cancel throws(CofferError) in try channel.url(storage, key, cancel) }
    }
}

// MARK: Links
extension Storage {
    /// Makes a link: a URL that lets whoever holds it do one thing with the object, without the host, until it expires.
    ///
    /// The answer says what the request must send beside the URL, and when the link really expires. An upload binds its
    /// content type, `application/octet-stream` unless `contentType` says another one, and its length where `size` is
    /// given; for a read, `contentType` and `filename` are what the answer declares and is saved as.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument` for a lifetime beyond the storage's limit, which is in the
    ///   message, or `unsupported` where the store makes no such link.
    public func link(
        _ key: Key,
        for method: LinkMethod = .get,
        expiresIn lifetime: Duration? = nil,
        contentType: String? = nil,
        filename: String? = nil,
        size: Int64? = nil
    ) async throws(CofferError) -> LinkInfo {
        let body = LinkBody(
            key: key,
            method: method,
            expiresIn: lifetime?.components.seconds,
            contentType: contentType,
            filename: filename,
            size: size
        )
        return try await run { channel, storage, cancel throws(CofferError) in try channel.link(storage, body, cancel) }
    }
}

// MARK: Containers
extension Storage {
    /// The buckets or containers of the storage's store; needs the permission `manage`, like all that concerns them.
    public func containers() async throws(CofferError) -> [ContainerInfo] {
        try await run { channel, storage, cancel throws(CofferError) in try channel.containers(storage, cancel) }
    }

    /// Makes a container; one that is there is `already_exists`.
    public func makeContainer(_ name: String) async throws(CofferError) {
        try await run { channel, storage, cancel throws(CofferError) in
            try channel.makeContainer(storage, name, cancel)
        }
    }

    /// Removes a container; one that holds anything is `not_empty`.
    public func removeContainer(_ name: String) async throws(CofferError) {
        try await run { channel, storage, cancel throws(CofferError) in
            try channel.removeContainer(storage, name, cancel)
        }
    }
}

// MARK: Changing
extension Storage {
    /// Deletes an object; that there is none is success, unless `ifMatch` names one.
    public func delete(_ key: Key, ifMatch: Conditions.Match? = nil) async throws(CofferError) {
        try await run { channel, storage, cancel throws(CofferError) in
            try channel.delete(storage, key, ifMatch: ifMatch, cancel)
        }
    }

    /// Deletes many objects, with one result for each, in order.
    public func delete(_ keys: [Key]) async throws(CofferError) -> [DeletionResult] {
        try await run { channel, storage, cancel throws(CofferError) in
            try channel.delete(storage, many: keys.map { DeletionBody.Item(key: $0) }, cancel)
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
    @discardableResult
    public func copy(
        _ source: Key,
        to target: Key,
        in other: String? = nil,
        onConflict: OnConflict? = nil,
        conditions: Conditions = .none
    ) async throws(CofferError) -> StoredObject {
        let body = TransferBody(from: source, to: target, toStorage: other, onConflict: onConflict)
        return try await run { channel, storage, cancel throws(CofferError) in
            try channel.transfer(.copy(storage), body, conditions: conditions, cancel)
        }
    }

    /// Moves an object, inside this storage or into `other`.
    @discardableResult
    public func move(
        _ source: Key,
        to target: Key,
        in other: String? = nil,
        onConflict: OnConflict? = nil,
        conditions: Conditions = .none
    ) async throws(CofferError) -> StoredObject {
        let body = TransferBody(from: source, to: target, toStorage: other, onConflict: onConflict)
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

    /// What the storage can do, its limits and its state.
    public func info() async throws(CofferError) -> StorageInfo {
        try await run { channel, storage, cancel throws(CofferError) in try channel.storage(storage, cancel) }
    }

    /// Proves what the store makes of conditions with an object of our own, and tells what was found beside the rest.
    public func probe() async throws(CofferError) -> StorageInfo {
        try await run { channel, storage, cancel throws(CofferError) in
            try channel.storage(storage, probe: true, cancel)
        }
    }

    /// Tests the connection to the store without writing.
    public func health() async throws(CofferError) -> StorageHealth {
        try await run { channel, storage, cancel throws(CofferError) in try channel.storageHealth(storage, cancel) }
    }

    private func run<Value: Sendable>(
        _ body: @escaping @Sendable (HostChannel, String, CancelHandle) throws(CofferError) -> Value
    ) async throws(CofferError) -> Value {
        let name = name
        return try await client.run { channel, cancel throws(CofferError) in try body(channel, name, cancel) }
    }
}
