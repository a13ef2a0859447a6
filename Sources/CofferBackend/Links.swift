// Links and containers as a store is asked for them.
package import CofferModel

/// What a URL shall be good for.
package struct PresignRequest: Sendable, Hashable {
    package var method: LinkMethod
    package var key: Key
    /// How long it shall work, in seconds; at least one.
    package var lifetime: Int64
    /// For an upload bound to the URL; for a read the type that the answer declares, whatever the store keeps.
    package var contentType: String?
    /// For a read: the name under which the answer offers itself for saving.
    package var filename: String?
    /// For an upload: the only length that the URL takes.
    package var size: Int64?

    package init(
        method: LinkMethod,
        key: Key,
        lifetime: Int64,
        contentType: String? = nil,
        filename: String? = nil,
        size: Int64? = nil
    ) {
        self.method = method
        self.key = key
        self.lifetime = lifetime
        self.contentType = contentType
        self.filename = filename
        self.size = size
    }
}

/// A URL that works without credentials until it expires: as good as a secret, and never logged.
package struct PresignedURL: Sendable {
    package var url: String
    /// What the request must send beside its own headers, as it stands here.
    package var requiredHeaders: [(name: String, value: String)]
    /// When it really expires, which may be earlier or later than it was asked for.
    package var expiresAt: Timestamp

    package init(url: String, requiredHeaders: [(name: String, value: String)] = [], expiresAt: Timestamp) {
        self.url = url
        self.requiredHeaders = requiredHeaders
        self.expiresAt = expiresAt
    }
}

/// What a store calls a bucket, a container, a share or a directory.
package struct Container: Sendable, Hashable {
    package var name: String
    package var created: Timestamp?

    package init(name: String, created: Timestamp? = nil) {
        self.name = name
        self.created = created
    }
}
