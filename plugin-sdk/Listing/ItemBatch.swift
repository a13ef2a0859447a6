// Names of one directory in flat bytes, sorted by an index beside them.

import CofferPluginSDK
import Glibc

/// Names in flat bytes, each with its size, time and tag, sorted by an index beside them.
///
/// A record is: the length of the name (2 bytes), size and time (8 each), the length of the tag (1), the tag, the name. A
/// directory's name ends with a slash: so `a-b` comes before `a/`, and both in the order of the keys.
struct ItemBatch {
    private struct Place {
        /// The first bytes of the name, so that most comparisons need no more.
        var head: UInt64
        var offset: Int
    }

    static let headLength = 19
    private var bytes: [UInt8] = []
    private var places: [Place] = []

    /// What it takes in memory.
    var weight: Int { bytes.count + places.count * MemoryLayout<Place>.stride }
    /// How many names there are.
    var count: Int { places.count }

    /// Adds an item.
    mutating func add(_ item: DirectoryItem) {
        let length = item.name.count + (item.isDirectory ? 1 : 0)
        places.append(Place(head: 0, offset: bytes.count))
        withUnsafeBytes(of: UInt16(truncatingIfNeeded: length)) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: item.size) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: item.modified) { bytes.append(contentsOf: $0) }
        // A tag that is longer than any store's is as good as none.
        let tag = item.etag.count < 256 ? item.etag.bytes : []
        bytes.append(UInt8(tag.count))
        bytes.append(contentsOf: tag)
        bytes.append(contentsOf: item.name)
        if item.isDirectory { bytes.append(UInt8(ascii: "/")) }
    }

    /// Sorts.
    mutating func sort() {
        guard places.count > 1 else { return }
        bytes.withUnsafeBytes { bytes in
            let first = Self.name(in: bytes, at: places[0].offset)
            var shared = first.count
            for place in places {
                let name = Self.name(in: bytes, at: place.offset)
                var length = 0
                while length < min(shared, name.count) && name[length] == first[length] { length += 1 }
                shared = length
            }
            for index in places.indices {
                let name = Self.name(in: bytes, at: places[index].offset).dropFirst(shared).prefix(8)
                let head = name.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                places[index].head = head << UInt64(8 * (8 - name.count))
            }
            places.sort { left, right in
                if left.head != right.head { return left.head < right.head }
                return precedes(Self.name(in: bytes, at: left.offset), Self.name(in: bytes, at: right.offset))
            }
        }
    }

    /// Hands over the record at `index` of the order.
    func withRecord<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        bytes.withUnsafeBytes { bytes in
            let start = places[index].offset
            let length = Self.length(UnsafeRawBufferPointer(rebasing: bytes[start...]))
            return body(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + length)]))
        }
    }

    /// The bytes of a record, of which the head at least is there.
    static func length(_ record: UnsafeRawBufferPointer) -> Int {
        headLength + Int(record[headLength - 1]) + Int(record.loadUnaligned(as: UInt16.self))
    }

    private static func name(in bytes: UnsafeRawBufferPointer, at offset: Int) -> UnsafeRawBufferPointer {
        let length = Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
        let start = offset + headLength + Int(bytes[offset + headLength - 1])
        return UnsafeRawBufferPointer(rebasing: bytes[start..<(start + length)])
    }
}

/// Whether bytes come before others: `memcmp`, then the length.
func precedes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    let common = min(left.count, right.count)
    if common > 0, let first = left.baseAddress, let second = right.baseAddress {
        let order = memcmp(first, second, common)
        if order != 0 { return order < 0 }
    }
    return left.count < right.count
}

/// One name with its size, time and tag; a directory's name ends with a slash.
struct SortedItem {
    var name: [UInt8]
    var size: Int64
    var modified: Int64
    var etag: ByteString

    /// Reads a record.
    init(_ record: UnsafeRawBufferPointer) {
        size = record.loadUnaligned(fromByteOffset: 2, as: Int64.self)
        modified = record.loadUnaligned(fromByteOffset: 10, as: Int64.self)
        let tag = record[ItemBatch.headLength...].prefix(Int(record[ItemBatch.headLength - 1]))
        etag = tag.isEmpty ? .empty : ByteString(Array(tag))
        name = Array(record[tag.endIndex...])
    }
}
