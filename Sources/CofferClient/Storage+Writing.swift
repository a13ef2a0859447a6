import CofferAPI
public import CofferModel

/// Writing objects.
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
