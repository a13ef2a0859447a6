package import CofferModel
package import CofferSystem

/// Which object, which of its versions and bytes, and under which conditions.
package struct ReadRequest: Sendable {
    package var key: Key
    package var version: String?
    package var conditions: Conditions
    package var range: ByteRange
    /// Whether the caller can use a descriptor instead of a stream.
    package var wantsDescriptor: Bool

    package init(
        key: Key,
        version: String? = nil,
        conditions: Conditions = .none,
        range: ByteRange = .all,
        wantsDescriptor: Bool = false
    ) {
        self.key = key
        self.version = version
        self.conditions = conditions
        self.range = range
        self.wantsDescriptor = wantsDescriptor
    }
}

/// An opened read: what the object is, which of its bytes come, and how.
package struct ReadResult: Sendable {
    /// The bytes.
    package enum Body: Sendable {
        case stream(any ReadStream)
        case descriptor(ReadDescriptor)
    }

    /// The whole object, not the range.
    package var info: ObjectInfo
    /// The bytes of the object that ``body`` holds.
    package var range: Range<Int64>
    package var body: Body

    package init(info: ObjectInfo, range: Range<Int64>, body: Body) {
        self.info = info
        self.range = range
        self.body = body
    }
}

/// The answer to a read as a file.
package struct ReadDescriptor: Sendable {
    package var file: Descriptor
    /// Where the answer starts in the file.
    package var offset: Int64
    /// A regular file: `pread` and `sendfile` work.
    package var isSeekable: Bool
    /// Holds this object and nothing else, opened read-only: may go to a client.
    package var isShareable: Bool
    /// Its bytes never change while it is open.
    package var isImmutable: Bool

    package init(file: Descriptor, offset: Int64, isSeekable: Bool, isShareable: Bool, isImmutable: Bool) {
        self.file = file
        self.offset = offset
        self.isSeekable = isSeekable
        self.isShareable = isShareable
        self.isImmutable = isImmutable
    }
}

/// What to write, and under which conditions.
package struct WriteRequest: Sendable {
    package var key: Key
    package var conditions: Conditions
    package var metadata: Metadata
    /// The exact length, where it is known; another one fails and publishes nothing.
    package var size: Int64?
    /// Digests that are known beforehand.
    package var checksums: [Checksum]
    /// Unique for this attempt: temporary data carries it, clean-up goes by it.
    package var attempt: String

    package init(
        key: Key,
        conditions: Conditions = .none,
        metadata: Metadata = Metadata(),
        size: Int64? = nil,
        checksums: [Checksum] = [],
        attempt: String
    ) {
        self.key = key
        self.conditions = conditions
        self.metadata = metadata
        self.size = size
        self.checksums = checksums
        self.attempt = attempt
    }
}

/// What to remove.
package struct RemoveRequest: Sendable {
    package var key: Key
    package var version: String?
    package var ifMatch: Conditions.Match?
    /// Whether an absent key is `not_found`.
    package var isStrict: Bool

    package init(key: Key, version: String? = nil, ifMatch: Conditions.Match? = nil, isStrict: Bool = false) {
        self.key = key
        self.version = version
        self.ifMatch = ifMatch
        self.isStrict = isStrict
    }
}

/// What to list.
package struct ListQuery: Sendable {
    /// Of bytes, not of segments.
    package var prefix: String
    /// Empty for none.
    package var delimiter: String
    /// Only keys and prefixes strictly greater.
    package var startAfter: String
    /// A ``ListStream/resumeToken`` of an earlier listing with the same arguments; outranks ``startAfter``.
    package var resumeToken: String?
    /// Whether metadata and checksums are wanted, even at a cost.
    package var wantsMetadata: Bool

    package init(
        prefix: String = "",
        delimiter: String = "",
        startAfter: String = "",
        resumeToken: String? = nil,
        wantsMetadata: Bool = false
    ) {
        self.prefix = prefix
        self.delimiter = delimiter
        self.startAfter = startAfter
        self.resumeToken = resumeToken
        self.wantsMetadata = wantsMetadata
    }
}

/// What to copy or move, and under which conditions.
package struct CopyRequest: Sendable {
    package var from: Key
    package var sourceVersion: String?
    package var sourceIfMatch: Conditions.Match?
    package var to: Key
    package var conditions: Conditions
    /// What the target gets instead of the source's metadata; `from == to` needs it.
    package var metadata: Metadata?
    package var attempt: String

    package init(
        from: Key,
        sourceVersion: String? = nil,
        sourceIfMatch: Conditions.Match? = nil,
        to: Key,
        conditions: Conditions = .none,
        metadata: Metadata? = nil,
        attempt: String
    ) {
        self.from = from
        self.sourceVersion = sourceVersion
        self.sourceIfMatch = sourceIfMatch
        self.to = to
        self.conditions = conditions
        self.metadata = metadata
        self.attempt = attempt
    }
}
