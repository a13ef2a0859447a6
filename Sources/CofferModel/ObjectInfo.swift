/// What is known of an object, the same everywhere; what is unknown is nil.
public struct ObjectInfo: Sendable, Hashable {
    /// The object's key in its storage.
    public var key: Key
    /// Its length in bytes.
    public var size: Int64?
    /// The strong token that conditions compare, without quotes.
    public var etag: String?
    /// The version's id, where the store keeps versions.
    public var version: String?
    /// When the bytes or the metadata last changed.
    public var modified: Timestamp?
    /// When the object came to be.
    public var created: Timestamp?
    /// Content headers and user metadata.
    public var metadata: Metadata
    /// Digests of the bytes, as the store keeps them.
    public var checksums: [Checksum]

    /// Creates a description of the object under `key`.
    public init(
        key: Key,
        size: Int64? = nil,
        etag: String? = nil,
        version: String? = nil,
        modified: Timestamp? = nil,
        created: Timestamp? = nil,
        metadata: Metadata = Metadata(),
        checksums: [Checksum] = []
    ) {
        self.key = key
        self.size = size
        self.etag = etag
        self.version = version
        self.modified = modified
        self.created = created
        self.metadata = metadata
        self.checksums = checksums
    }
}

/// What travels with an object's bytes.
public struct Metadata: Sendable, Hashable {
    /// The media type (RFC 9110, section 8.3).
    public var contentType: String?
    /// The coding of the stored bytes (RFC 9110, section 8.4); never applied or removed by the host.
    public var contentEncoding: String?
    /// How a download presents itself (RFC 6266).
    public var contentDisposition: String?
    /// The audience's language (RFC 9110, section 8.5).
    public var contentLanguage: String?
    /// What caches may do (RFC 9111).
    public var cacheControl: String?
    /// The caller's own names and values; names are lower-case, order is by name.
    public var user: [UserMetadata]

    /// Creates metadata; all of it is optional.
    public init(
        contentType: String? = nil,
        contentEncoding: String? = nil,
        contentDisposition: String? = nil,
        contentLanguage: String? = nil,
        cacheControl: String? = nil,
        user: [UserMetadata] = []
    ) {
        self.contentType = contentType
        self.contentEncoding = contentEncoding
        self.contentDisposition = contentDisposition
        self.contentLanguage = contentLanguage
        self.cacheControl = cacheControl
        self.user = user
    }
}

/// One name and value of a caller's own.
public struct UserMetadata: Sendable, Hashable {
    /// Lower-case letters, digits and `-`, `_`, `.`.
    public var name: String
    /// Any UTF-8 text.
    public var value: String

    /// Creates a pair.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}
