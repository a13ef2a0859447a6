import CCofferPlugin

/// The capabilities of the ABI as a set of bits, and the words for them.
///
/// The words are the ones that JSON, manifests and messages use; they are here once.
public struct CapabilityBits: OptionSet, Sendable, Hashable {
    /// The bits of `coffer_plugin.caps`.
    public let rawValue: UInt64

    /// Wraps bits; unknown ones are kept.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The set of these words; nil if one is unknown.
    public init?(words: [String]) {
        var bits: UInt64 = 0
        for word in words {
            guard let bit = CapabilityBits.all.first(where: { $0.word == word })?.bit else { return nil }
            bits |= bit
        }
        self.init(rawValue: bits)
    }

    /// The words of the known bits, in the order of the header.
    public var words: [String] { CapabilityBits.all.filter { rawValue & $0.bit != 0 }.map(\.word) }

    /// Whether all of `bits` are in.
    public func has(_ bits: UInt64) -> Bool { rawValue & bits == bits }

    /// The conditions on changes: the only ones that a store may have unproven.
    public static let changeConditions = CapabilityBits(
        rawValue: COFFER_CAP_CREATE_IF_ABSENT | COFFER_CAP_IF_MATCH | COFFER_CAP_REMOVE_IF_MATCH
            | COFFER_CAP_COPY_CONDITION
    )

    /// Each known bit with its word; the abilities first, the facts after them.
    public static let all: [(bit: UInt64, word: String)] = abilities + facts

    /// What a store may be able to do.
    public static let abilities: [(bit: UInt64, word: String)] = [
        (COFFER_CAP_STAT, "stat"), (COFFER_CAP_READ, "read"), (COFFER_CAP_READ_RANGE, "read_range"),
        (COFFER_CAP_READ_FD, "read_descriptor"), (COFFER_CAP_READ_PINNED, "read_pinned"),
        (COFFER_CAP_READ_CONDITION, "read_condition"), (COFFER_CAP_WRITE, "write"),
        (COFFER_CAP_WRITE_INGEST, "write_ingest"), (COFFER_CAP_ATOMIC_REPLACE, "atomic_replace"),
        (COFFER_CAP_CREATE_IF_ABSENT, "create_if_absent"), (COFFER_CAP_IF_MATCH, "if_match"),
        (COFFER_CAP_REMOVE, "remove"), (COFFER_CAP_REMOVE_IF_MATCH, "remove_if_match"),
        (COFFER_CAP_REMOVE_BATCH, "remove_batch"), (COFFER_CAP_LIST, "list"),
        (COFFER_CAP_LIST_DELIMITER, "list_delimiter"), (COFFER_CAP_LIST_AFTER, "list_after"),
        (COFFER_CAP_LIST_SORTED, "list_sorted"), (COFFER_CAP_COPY, "copy"),
        (COFFER_CAP_COPY_CONDITION, "copy_condition"), (COFFER_CAP_COPY_META, "copy_metadata"),
        (COFFER_CAP_MOVE, "move"), (COFFER_CAP_CONTENT_TYPE, "content_type"),
        (COFFER_CAP_CONTENT_PROPS, "content_properties"), (COFFER_CAP_USER_META, "user_metadata"),
        (COFFER_CAP_MTIME, "modification_time"), (COFFER_CAP_CHECKSUM, "checksum"),
        (COFFER_CAP_PRESIGN, "presign"), (COFFER_CAP_PUBLIC_URL, "public_url"),
        (COFFER_CAP_CONTAINERS, "containers"), (COFFER_CAP_VERSIONS, "versions"), (COFFER_CAP_USAGE, "usage"),
        (COFFER_CAP_RESUME, "resume"), (COFFER_CAP_DURABLE, "durable"),
    ]

    /// What is true of a store without being an ability.
    public static let facts: [(bit: UInt64, word: String)] = [
        (COFFER_CAP_READ_ONLY, "read_only"), (COFFER_CAP_CASE_INSENSITIVE, "case_insensitive"),
        (COFFER_CAP_NORMALIZING, "normalizing"), (COFFER_CAP_EVENTUAL, "eventual"),
        (COFFER_CAP_DIRECTORIES, "directories"),
    ]
}
