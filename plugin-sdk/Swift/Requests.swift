// What the host asks for, as values.

/// Which bytes of an object are asked for.
public enum ReadRange: Sendable, Hashable {
    /// All of them.
    case all
    /// From an offset to the end.
    case from(UInt64)
    /// `length` bytes from an offset; what lies past the end is cut.
    case slice(offset: UInt64, length: UInt64)
    /// The last bytes.
    case suffix(UInt64)

    /// The bytes of an object of `size`; `range` where they start at or past the end.
    public func resolve(size: UInt64) throws(BackendError) -> Range<UInt64> {
        switch self {
        case .all:
            return 0..<size
        case .from(let offset):
            return try start(offset, size)..<size
        case .slice(let offset, let length):
            return try start(offset, size)..<(length > size - offset ? size : offset + length)
        case .suffix(let length):
            return (length > size ? 0 : size - length)..<size
        }
    }

    private func start(_ offset: UInt64, _ size: UInt64) throws(BackendError) -> UInt64 {
        guard offset < size || (offset == 0 && size == 0) else {
            throw BackendError(.range, "the range starts past the end of \(size) bytes")
        }
        return offset
    }
}

/// Conditions on an object's entity tag: one token each, or `*`; empty is none.
public struct Conditions: Sendable, Hashable {
    /// It must be this version, or with `*` exist.
    public var ifMatch: ByteString
    /// It must not be this version, or with `*` not exist.
    public var ifNoneMatch: ByteString

    /// Conditions.
    public init(ifMatch: ByteString = .empty, ifNoneMatch: ByteString = .empty) {
        self.ifMatch = ifMatch
        self.ifNoneMatch = ifNoneMatch
    }

    /// Whether there is none.
    public var isEmpty: Bool { ifMatch.isEmpty && ifNoneMatch.isEmpty }

    /// Checks a read of an object that exists: `precondition` or `notModified`.
    public func checkRead(_ key: ByteString, etag: ByteString) throws(BackendError) {
        if !ifMatch.isEmpty && !Self.matches(ifMatch, etag) {
            throw BackendError(.precondition, "another version: \(key)")
        }
        if !ifNoneMatch.isEmpty && Self.matches(ifNoneMatch, etag) {
            throw BackendError(.notModified, "not modified: \(key)")
        }
    }

    /// Checks a write, a remove or a copy's target; `etag` is nil where nothing exists.
    public func checkWrite(_ key: ByteString, existing etag: ByteString?) throws(BackendError) {
        if !ifMatch.isEmpty {
            guard let etag, Self.matches(ifMatch, etag) else {
                throw BackendError(.precondition, "another version: \(key)")
            }
        }
        if !ifNoneMatch.isEmpty, let etag, Self.matches(ifNoneMatch, etag) {
            throw Self.isAny(ifNoneMatch)
                ? BackendError(.alreadyExists, "already exists: \(key)")
                : BackendError(.precondition, "that version is there: \(key)")
        }
    }

    private static func isAny(_ token: ByteString) -> Bool { token.count == 1 && token.bytes[0] == 0x2A }
    private static func matches(_ token: ByteString, _ etag: ByteString) -> Bool { isAny(token) || token == etag }
}

/// Arguments of `stat` and `openRead`.
public struct ReadRequest: Sendable {
    /// Which object.
    public var key: ByteString
    /// Which version; empty is the latest.
    public var version: ByteString = .empty
    /// On what condition.
    public var conditions = Conditions()
    /// Which bytes; only `openRead` has one.
    public var range = ReadRange.all
    /// Whether a descriptor is welcome.
    public var wantsDescriptor = false

    /// A request for a key.
    public init(_ key: ByteString) { self.key = key }
}

/// Arguments of `remove`, and one item of `removeBatch`.
public struct RemoveRequest: Sendable {
    /// Which object.
    public var key: ByteString
    /// Which version; empty is the latest.
    public var version: ByteString = .empty
    /// Only this version, or with `*` any that exists; an absent key is `precondition`.
    public var ifMatch: ByteString = .empty
    /// Whether an absent key is `notFound`.
    public var isStrict = false

    /// A request for a key.
    public init(_ key: ByteString) { self.key = key }

    /// Whether there is anything to remove, given the tag of what is there; throws where the request forbids it.
    public func check(existing etag: ByteString?) throws(BackendError) -> Bool {
        try Conditions(ifMatch: ifMatch).checkWrite(key, existing: etag)
        if etag == nil && isStrict { throw .notFound(key) }
        return etag != nil
    }
}

/// Arguments of `beginWrite`.
public struct WriteRequest: Sendable {
    /// Which object.
    public var key: ByteString
    /// On what condition; check it at begin and again at commit.
    public var conditions = Conditions()
    /// Unique for this attempt: mark temporary data with it, clean up by it.
    public var attempt: ByteString = .empty
    /// The exact number of bytes, or nil; the kit fails a commit of another number.
    public var size: UInt64?
    /// Properties by their reserved names, without `mtime`.
    public var properties = Properties()
    /// The modification time to keep, in Unix nanoseconds; nil is now.
    public var modified: Int64?
    /// User metadata.
    public var metadata = Properties()
    /// Digests known beforehand: verify those you can, keep those you can.
    public var checksums = Checksums()

    /// A request for a key.
    public init(_ key: ByteString) { self.key = key }
}

/// Arguments of `openList`.
public struct ListRequest: Sendable {
    /// What keys start with; bytes, not segments.
    public var prefix: ByteString = .empty
    /// Keys that share the part up to it become one prefix entry; empty is none.
    public var delimiter: ByteString = .empty
    /// Only keys and prefixes strictly greater.
    public var startAfter: ByteString = .empty
    /// A token of an earlier listing with the same arguments; outranks `startAfter`.
    public var token: ByteString = .empty
    /// Whether each version is an entry.
    public var wantsVersions = false
    /// Whether properties, metadata and checksums are wanted, even at a cost.
    public var wantsMetadata = false

    /// A request for everything.
    public init() {}
}

/// Arguments of `copy` and `move`.
public struct CopyRequest: Sendable {
    /// The source.
    public var from: ByteString
    /// Which version of it; empty is the latest.
    public var sourceVersion: ByteString = .empty
    /// Only if the source is this version.
    public var sourceIfMatch: ByteString = .empty
    /// The target; the same as the source only with `replacement`.
    public var to: ByteString
    /// Conditions on the target.
    public var conditions = Conditions()
    /// Unique for this attempt.
    public var attempt: ByteString = .empty
    /// What replaces the properties and metadata of the source; nil keeps them.
    public var replacement: Replacement?

    /// Properties and metadata that replace those of the source.
    public struct Replacement: Sendable {
        /// Properties by their reserved names, without `mtime`.
        public var properties = Properties()
        /// The modification time to keep, in Unix nanoseconds.
        public var modified: Int64?
        /// User metadata.
        public var metadata = Properties()

        /// Nothing at all.
        public init() {}
    }

    /// A request from one key to another.
    public init(from: ByteString, to: ByteString) {
        self.from = from
        self.to = to
    }
}

/// Arguments of `presign`.
public struct PresignRequest: Sendable {
    /// `GET`, `PUT`, `HEAD` or `DELETE`.
    public var method: String
    /// Which object.
    public var key: ByteString
    /// How long it shall work.
    public var expiresSeconds: UInt64 = 0
    /// For `PUT` bound to the link; for `GET` the answer's type.
    public var contentType = ""
    /// For `GET`: the download's name.
    public var filename = ""
    /// For `GET`: overrides the stored type.
    public var responseType = ""
    /// For `PUT`: bound to the link; nil is any.
    public var size: UInt64?
    /// Further parameters to sign.
    public var query = Properties()

    /// A request for a method and a key.
    public init(method: String, key: ByteString) {
        self.method = method
        self.key = key
    }
}
