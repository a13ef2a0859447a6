// What a backend can do by itself.

import CCofferPlugin

/// What the store itself does, safely.
///
/// The kit answers `unsupported` for whatever an instance does not claim, before the backend is asked: an operation, a
/// condition, a property, a version, a delimiter. A backend sees only what it claimed.
public struct Capabilities: OptionSet, Sendable, Hashable {
    /// The bits of the C header.
    public let rawValue: UInt64

    /// Capabilities by their bits.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// `stat` works.
    public static let stat = Capabilities(rawValue: COFFER_CAP_STAT)
    /// `openRead` works.
    public static let read = Capabilities(rawValue: COFFER_CAP_READ)
    /// Reads take an offset, a length, a suffix.
    public static let readRange = Capabilities(rawValue: COFFER_CAP_READ_RANGE)
    /// Reads may answer with a descriptor.
    public static let readDescriptor = Capabilities(rawValue: COFFER_CAP_READ_FD)
    /// A reader sees one version to its end, or `changed`.
    public static let readPinned = Capabilities(rawValue: COFFER_CAP_READ_PINNED)
    /// Conditions on `stat` and `openRead`.
    public static let readCondition = Capabilities(rawValue: COFFER_CAP_READ_CONDITION)
    /// `beginWrite` works.
    public static let write = Capabilities(rawValue: COFFER_CAP_WRITE)
    /// Writes take a descriptor.
    public static let writeIngest = Capabilities(rawValue: COFFER_CAP_WRITE_INGEST)
    /// Nothing is visible before commit; then all of it.
    public static let atomicReplace = Capabilities(rawValue: COFFER_CAP_ATOMIC_REPLACE)
    /// `ifNoneMatch` `*` on a write.
    public static let createIfAbsent = Capabilities(rawValue: COFFER_CAP_CREATE_IF_ABSENT)
    /// `ifMatch` on a write.
    public static let ifMatch = Capabilities(rawValue: COFFER_CAP_IF_MATCH)
    /// `remove` works.
    public static let remove = Capabilities(rawValue: COFFER_CAP_REMOVE)
    /// `ifMatch` on a remove.
    public static let removeIfMatch = Capabilities(rawValue: COFFER_CAP_REMOVE_IF_MATCH)
    /// `removeBatch` works.
    public static let removeBatch = Capabilities(rawValue: COFFER_CAP_REMOVE_BATCH)
    /// `openList` works.
    public static let list = Capabilities(rawValue: COFFER_CAP_LIST)
    /// Listings take any delimiter.
    public static let listDelimiter = Capabilities(rawValue: COFFER_CAP_LIST_DELIMITER)
    /// Listings take a start.
    public static let listAfter = Capabilities(rawValue: COFFER_CAP_LIST_AFTER)
    /// Listings come in byte order of the key.
    public static let listSorted = Capabilities(rawValue: COFFER_CAP_LIST_SORTED)
    /// `copy` inside the store.
    public static let copy = Capabilities(rawValue: COFFER_CAP_COPY)
    /// Conditions on a copy.
    public static let copyCondition = Capabilities(rawValue: COFFER_CAP_COPY_CONDITION)
    /// A copy may replace the metadata; from a key to itself it changes them in place.
    public static let copyMetadata = Capabilities(rawValue: COFFER_CAP_COPY_META)
    /// `move`: source or target, never neither, never both.
    public static let move = Capabilities(rawValue: COFFER_CAP_MOVE)
    /// The property `content-type` is kept.
    public static let contentType = Capabilities(rawValue: COFFER_CAP_CONTENT_TYPE)
    /// Encoding, disposition, language and cache-control are kept.
    public static let contentProperties = Capabilities(rawValue: COFFER_CAP_CONTENT_PROPS)
    /// User metadata are kept.
    public static let userMetadata = Capabilities(rawValue: COFFER_CAP_USER_META)
    /// A modification time given with a write is kept.
    public static let modificationTime = Capabilities(rawValue: COFFER_CAP_MTIME)
    /// Checksums given by the host are kept and shown by `stat`.
    public static let checksum = Capabilities(rawValue: COFFER_CAP_CHECKSUM)
    /// `presign` works.
    public static let presign = Capabilities(rawValue: COFFER_CAP_PRESIGN)
    /// `publicURL` works.
    public static let publicURL = Capabilities(rawValue: COFFER_CAP_PUBLIC_URL)
    /// The container operations work.
    public static let containers = Capabilities(rawValue: COFFER_CAP_CONTAINERS)
    /// Versions can be named and listed.
    public static let versions = Capabilities(rawValue: COFFER_CAP_VERSIONS)
    /// `usage` works.
    public static let usage = Capabilities(rawValue: COFFER_CAP_USAGE)
    /// The upload operations work: the extension `coffer.upload/1`.
    public static let resume = Capabilities(rawValue: COFFER_CAP_RESUME)
    /// A commit that returned survives a power loss.
    public static let durable = Capabilities(rawValue: COFFER_CAP_DURABLE)
    /// A fact: nothing can be written.
    public static let readOnly = Capabilities(rawValue: COFFER_CAP_READ_ONLY)
    /// A fact: keys that differ in case are one.
    public static let caseInsensitive = Capabilities(rawValue: COFFER_CAP_CASE_INSENSITIVE)
    /// A fact: Unicode forms are unified.
    public static let normalizing = Capabilities(rawValue: COFFER_CAP_NORMALIZING)
    /// A fact: a read may miss an acknowledged write for a while.
    public static let eventual = Capabilities(rawValue: COFFER_CAP_EVENTUAL)
    /// A fact: `a` and `a/b` cannot both be objects.
    public static let directories = Capabilities(rawValue: COFFER_CAP_DIRECTORIES)

    /// The conditions on changes: what ``Traits/unproven`` may hold.
    public static let changeConditions: Capabilities = [.createIfAbsent, .ifMatch, .removeIfMatch, .copyCondition]
}

/// What holds for one instance, once it is open.
public struct Traits: Sendable {
    /// Bytes or counts; 0 means no limit.
    public struct Limits: Sendable {
        /// The largest object.
        public var maxObject: UInt64 = 0
        /// The part size that the store likes.
        public var preferredPart: UInt64 = 0
        /// The most parts of one upload.
        public var maxParts: UInt64 = 0
        /// The least bytes of every part of an upload but its last.
        public var minPart: UInt64 = 0
        /// The longest key.
        public var maxKey: UInt64 = 0
        /// The most entries of one page.
        public var maxListPage: UInt64 = 0
        /// The most items of one `removeBatch`.
        public var maxBatch: UInt64 = 0
        /// The longest life of a presigned URL, in seconds.
        public var maxPresignSeconds: UInt64 = 0
        /// The most bytes of user metadata.
        public var maxMetadata: UInt64 = 0

        /// No limits.
        public init() {}
    }

    /// What the store does itself here; a subset of what the description names.
    public var native: Capabilities
    /// Conditions that this backend can send while nobody knows whether the store keeps them.
    ///
    /// They come only when the host tries them with an object of its own, or once such a probe has proven them; until
    /// then they are refused like what is missing. The backend sends them like native ones.
    public var unproven: Capabilities
    /// What the host must not emulate here.
    public var noEmulation: Capabilities
    /// The limits here.
    public var limits: Limits

    /// What holds for one instance.
    public init(
        native: Capabilities,
        unproven: Capabilities = [],
        noEmulation: Capabilities = [],
        limits: Limits = Limits()
    ) {
        self.native = native
        self.unproven = unproven
        self.noEmulation = noEmulation
        self.limits = limits
    }
}
