// What is known of an object, a common prefix or a container.

/// What is known of an object, a common prefix or a container.
///
/// A listing may leave all but the kind, the key, the size and the time empty.
public struct Entry: Sendable {
    /// What an entry is.
    public enum Kind: UInt32, Sendable {
        /// An object.
        case object = 1
        /// What keys share up to a delimiter.
        case prefix = 2
        /// A container.
        case container = 3
    }

    /// What this is.
    public var kind: Kind
    /// Whether it is the latest of several versions.
    public var isLatest = false
    /// Whether it marks a deletion.
    public var isDeleteMarker = false
    /// The key, the prefix or the container's name.
    public var key: ByteString
    /// Bytes; -1 unknown.
    public var size: Int64
    /// Unix nanoseconds of the last change; `unknownTime` if unknown.
    public var modified: Int64
    /// Unix nanoseconds of the creation; `unknownTime` if unknown.
    public var created: Int64
    /// The strong token that conditions compare, unquoted.
    public var etag: ByteString
    /// The version's id, where the store keeps versions.
    public var version: ByteString
    /// Properties by their reserved names: `content-type`, `content-encoding` and so on.
    public var properties: Properties
    /// User metadata; names are lower-case.
    public var metadata: Properties
    /// Digests of the bytes.
    public var checksums: Checksums

    /// A time that nobody knows.
    public static let unknownTime = Int64.min

    /// What is known of something.
    public init(
        _ key: ByteString,
        kind: Kind = .object,
        size: Int64 = -1,
        modified: Int64 = Entry.unknownTime,
        created: Int64 = Entry.unknownTime,
        etag: ByteString = .empty,
        version: ByteString = .empty,
        properties: Properties = Properties(),
        metadata: Properties = Properties(),
        checksums: Checksums = Checksums()
    ) {
        self.kind = kind
        self.key = key
        self.size = size
        self.modified = modified
        self.created = created
        self.etag = etag
        self.version = version
        self.properties = properties
        self.metadata = metadata
        self.checksums = checksums
    }
}

/// How much is stored, and how much room there is; nil where unknown.
public struct Usage: Sendable, Hashable {
    /// Bytes in objects.
    public var bytes: UInt64?
    /// Objects.
    public var objects: UInt64?
    /// Bytes that still fit.
    public var bytesFree: UInt64?
    /// Bytes in all.
    public var bytesTotal: UInt64?

    /// How much is stored.
    public init(bytes: UInt64? = nil, objects: UInt64? = nil, bytesFree: UInt64? = nil, bytesTotal: UInt64? = nil) {
        self.bytes = bytes
        self.objects = objects
        self.bytesFree = bytesFree
        self.bytesTotal = bytesTotal
    }
}

/// A URL that works without further credentials until it expires.
public struct PresignedURL: Sendable {
    /// The URL.
    public var url: String
    /// Headers that the client must send.
    public var headers: Properties
    /// When it really expires, in Unix seconds.
    public var expires: Int64

    /// A presigned URL.
    public init(url: String, headers: Properties = Properties(), expires: Int64) {
        self.url = url
        self.headers = headers
        self.expires = expires
    }
}
