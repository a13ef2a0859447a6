public import CofferAPI
public import CofferModel

/// Links.
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

/// Containers.
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

/// What the storage tells of itself.
extension Storage {
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
}
