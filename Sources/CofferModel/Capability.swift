/// How well a storage does something.
public enum Grade: String, Sendable, Hashable, Comparable, CaseIterable {
    /// Not at all: such a request is refused before anything happens.
    case none
    /// The host does it on top of the store.
    case emulated
    /// The store does it.
    case native

    /// Whether `left` promises less.
    public static func < (left: Grade, right: Grade) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .none: 0
        case .emulated: 1
        case .native: 2
        }
    }
}

/// Something a storage may be able to do; the raw value is the word in JSON and in messages.
public enum Capability: String, Sendable, Hashable, CaseIterable {
    case stat
    case read
    case readRange = "read_range"
    case readDescriptor = "read_descriptor"
    case readPinned = "read_pinned"
    case readCondition = "read_condition"
    case write
    case writeIngest = "write_ingest"
    case atomicReplace = "atomic_replace"
    case createIfAbsent = "create_if_absent"
    case ifMatch = "if_match"
    case remove
    case removeIfMatch = "remove_if_match"
    case removeBatch = "remove_batch"
    case list
    case listDelimiter = "list_delimiter"
    case listAfter = "list_after"
    case listSorted = "list_sorted"
    case copy
    case copyCondition = "copy_condition"
    case copyMetadata = "copy_metadata"
    case move
    case contentType = "content_type"
    case contentProperties = "content_properties"
    case userMetadata = "user_metadata"
    case modificationTime = "modification_time"
    case checksum
    case presign
    case publicURL = "public_url"
    case containers
    case versions
    case usage
    case resume
    case durable
}

/// A fact about a store that is no ability.
public enum StoreFact: String, Sendable, Hashable, CaseIterable {
    case readOnly = "read_only"
    case caseInsensitive = "case_insensitive"
    case normalizing
    case eventual
    case directories
}

/// The grade of each capability, with the reason where it is not native.
public struct Capabilities: Sendable, Hashable {
    /// A grade and what explains it.
    public struct Entry: Sendable, Hashable {
        /// How well it is done.
        public var grade: Grade
        /// Why it is not native; nil where it is.
        public var reason: String?

        /// Creates an entry.
        public init(_ grade: Grade, reason: String? = nil) {
            self.grade = grade
            self.reason = reason
        }
    }

    private var entries: [Capability: Entry]
    /// Facts about the store.
    public var facts: Set<StoreFact>
    /// Conditions on changes that can be sent while nobody knows whether the store keeps them.
    ///
    /// Their grade is what it is without the store, until a probe has proven them.
    public var unproven: Set<Capability>

    /// Creates a table; what it does not name is `none`.
    public init(
        _ entries: [Capability: Entry] = [:],
        facts: Set<StoreFact> = [],
        unproven: Set<Capability> = []
    ) {
        self.entries = entries
        self.facts = facts
        self.unproven = unproven
    }

    /// The grade of `capability`, and why.
    public subscript(capability: Capability) -> Entry {
        get { entries[capability] ?? Entry(.none) }
        set { entries[capability] = newValue }
    }

    /// Whether `capability` is there at all.
    public func has(_ capability: Capability) -> Bool { self[capability].grade != .none }
}

/// A store's limits, in bytes or counts; nil where there is none.
public struct StoreLimits: Sendable, Hashable {
    /// Bytes of one object.
    public var objectSize: Int64?
    /// Bytes of one key.
    public var keyLength: Int64?
    /// Entries of one page of a listing.
    public var listPage: Int64?
    /// Items of one batch delete.
    public var batch: Int64?
    /// Bytes of one part of an object that the store takes in parts.
    public var preferredPart: Int64?
    /// Seconds that a presigned URL may live.
    public var presignSeconds: Int64?
    /// Bytes of names and values of user metadata.
    public var metadataSize: Int64?

    /// Creates limits; without arguments, none.
    public init(
        objectSize: Int64? = nil,
        keyLength: Int64? = nil,
        listPage: Int64? = nil,
        batch: Int64? = nil,
        preferredPart: Int64? = nil,
        presignSeconds: Int64? = nil,
        metadataSize: Int64? = nil
    ) {
        self.objectSize = objectSize
        self.keyLength = keyLength
        self.listPage = listPage
        self.batch = batch
        self.preferredPart = preferredPart
        self.presignSeconds = presignSeconds
        self.metadataSize = metadataSize
    }
}
