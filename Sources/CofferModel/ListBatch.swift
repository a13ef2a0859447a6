/// Entries of a listing in one flat block, so that a million of them cost no million allocations.
///
/// Invariants:
/// 1. ``bytes`` holds the texts of all ``records``, one after the other; a record says where its own lie.
/// 2. ``removeAll()`` keeps the memory, so that one batch serves a whole listing.
public struct ListBatch: Sendable {
    /// Where a text lies in ``ListBatch/bytes``; empty where there is none.
    public typealias Slice = Range<Int>

    /// One object or one common prefix.
    public struct Record: Sendable {
        /// Whether this is a common prefix instead of an object.
        public var isPrefix: Bool
        /// The key, or the prefix.
        public var key: Slice
        /// Length in bytes; -1 where unknown.
        public var size: Int64
        /// Unix nanoseconds; `Int64.min` where unknown.
        public var modified: Int64
        /// The strong token; empty where unknown.
        public var etag: Slice
        /// The media type; empty where unknown.
        public var contentType: Slice
        /// The SHA-256 in hexadecimal; empty where unknown.
        public var sha256: Slice

        /// Creates a record.
        public init(
            isPrefix: Bool,
            key: Slice,
            size: Int64 = -1,
            modified: Int64 = .min,
            etag: Slice = 0..<0,
            contentType: Slice = 0..<0,
            sha256: Slice = 0..<0
        ) {
            self.isPrefix = isPrefix
            self.key = key
            self.size = size
            self.modified = modified
            self.etag = etag
            self.contentType = contentType
            self.sha256 = sha256
        }
    }

    /// The texts.
    public var bytes: [UInt8] = []
    /// The entries, in the order of the listing.
    public var records: [Record] = []

    /// Creates an empty batch.
    public init() {}

    /// How many entries there are.
    public var count: Int { records.count }

    /// Forgets the entries and keeps the memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
    }

    /// Keeps `text` and says where it lies.
    public mutating func keep(_ text: some Sequence<UInt8>) -> Slice {
        let start = bytes.count
        bytes.append(contentsOf: text)
        return start..<bytes.count
    }

    /// The text at `slice`.
    public func text(_ slice: Slice) -> String { String(decoding: bytes[slice], as: UTF8.self) }

    /// The key or prefix of the entry at `index`.
    public func key(at index: Int) -> Key { Key(text(records[index].key)) }
}
