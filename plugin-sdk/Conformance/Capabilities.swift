import CCofferPlugin

/// What a plugin declares that its store does by itself: the bits `COFFER_CAP_*`.
public struct Capabilities: OptionSet, Sendable {
    /// The bits as in the header.
    public let rawValue: UInt64

    /// Takes the bits as they are.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    static let stat = Self(rawValue: COFFER_CAP_STAT)
    static let read = Self(rawValue: COFFER_CAP_READ)
    static let range = Self(rawValue: COFFER_CAP_READ_RANGE)
    static let readDescriptor = Self(rawValue: COFFER_CAP_READ_FD)
    static let pinned = Self(rawValue: COFFER_CAP_READ_PINNED)
    static let readCondition = Self(rawValue: COFFER_CAP_READ_CONDITION)
    static let write = Self(rawValue: COFFER_CAP_WRITE)
    static let ingest = Self(rawValue: COFFER_CAP_WRITE_INGEST)
    static let atomic = Self(rawValue: COFFER_CAP_ATOMIC_REPLACE)
    static let createIfAbsent = Self(rawValue: COFFER_CAP_CREATE_IF_ABSENT)
    static let ifMatch = Self(rawValue: COFFER_CAP_IF_MATCH)
    static let remove = Self(rawValue: COFFER_CAP_REMOVE)
    static let removeIfMatch = Self(rawValue: COFFER_CAP_REMOVE_IF_MATCH)
    static let removeBatch = Self(rawValue: COFFER_CAP_REMOVE_BATCH)
    static let list = Self(rawValue: COFFER_CAP_LIST)
    static let delimiter = Self(rawValue: COFFER_CAP_LIST_DELIMITER)
    static let startAfter = Self(rawValue: COFFER_CAP_LIST_AFTER)
    static let sorted = Self(rawValue: COFFER_CAP_LIST_SORTED)
    static let copy = Self(rawValue: COFFER_CAP_COPY)
    static let copyCondition = Self(rawValue: COFFER_CAP_COPY_CONDITION)
    static let copyMeta = Self(rawValue: COFFER_CAP_COPY_META)
    static let move = Self(rawValue: COFFER_CAP_MOVE)
    static let contentType = Self(rawValue: COFFER_CAP_CONTENT_TYPE)
    static let contentProps = Self(rawValue: COFFER_CAP_CONTENT_PROPS)
    static let userMeta = Self(rawValue: COFFER_CAP_USER_META)
    static let mtime = Self(rawValue: COFFER_CAP_MTIME)
    static let checksum = Self(rawValue: COFFER_CAP_CHECKSUM)
    static let presign = Self(rawValue: COFFER_CAP_PRESIGN)
    static let publicURL = Self(rawValue: COFFER_CAP_PUBLIC_URL)
    static let containers = Self(rawValue: COFFER_CAP_CONTAINERS)
    static let versions = Self(rawValue: COFFER_CAP_VERSIONS)
    static let usage = Self(rawValue: COFFER_CAP_USAGE)
    static let resume = Self(rawValue: COFFER_CAP_RESUME)
    static let durable = Self(rawValue: COFFER_CAP_DURABLE)

    static let readOnly = Self(rawValue: COFFER_CAP_READ_ONLY)
    static let caseInsensitive = Self(rawValue: COFFER_CAP_CASE_INSENSITIVE)
    static let normalizing = Self(rawValue: COFFER_CAP_NORMALIZING)
    static let eventual = Self(rawValue: COFFER_CAP_EVENTUAL)
    static let directories = Self(rawValue: COFFER_CAP_DIRECTORIES)

    /// The conditions on changes: what may be unproven.
    static let changeConditions: Self = [.createIfAbsent, .ifMatch, .removeIfMatch, .copyCondition]

    /// What a case needs that stores something and looks at it.
    static let storing: Self = [.write, .read]

    /// Each ability with its word, in the order of the bits; facts about the store follow.
    static let table: [(Self, String)] = [
        (.stat, "stat"), (.read, "read"), (.range, "read_range"), (.readDescriptor, "read_fd"),
        (.pinned, "read_pinned"), (.readCondition, "read_condition"), (.write, "write"), (.ingest, "write_ingest"),
        (.atomic, "atomic_replace"), (.createIfAbsent, "create_if_absent"), (.ifMatch, "if_match"),
        (.remove, "remove"), (.removeIfMatch, "remove_if_match"), (.removeBatch, "remove_batch"), (.list, "list"),
        (.delimiter, "list_delimiter"), (.startAfter, "list_after"), (.sorted, "list_sorted"), (.copy, "copy"),
        (.copyCondition, "copy_condition"), (.copyMeta, "copy_meta"), (.move, "move"),
        (.contentType, "content_type"), (.contentProps, "content_properties"), (.userMeta, "user_metadata"),
        (.mtime, "mtime"), (.checksum, "checksum"), (.presign, "presign"), (.publicURL, "public_url"),
        (.containers, "containers"), (.versions, "versions"), (.usage, "usage"), (.resume, "resume"),
        (.durable, "durable"),
    ]

    static let facts: [(Self, String)] = [
        (.readOnly, "read_only"), (.caseInsensitive, "case_insensitive"), (.normalizing, "normalizing"),
        (.eventual, "eventual"), (.directories, "directories"),
    ]

    /// The words of the bits that are set.
    public var names: [String] { (Self.table + Self.facts).filter { contains($0.0) }.map(\.1) }

    /// Every ability, without the facts, with its word.
    public static var abilities: [(capability: Capabilities, name: String)] { table.map { ($0.0, $0.1) } }
}
