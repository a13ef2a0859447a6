// The entries of a directory in flat bytes, sorted by an index beside them.

import Glibc

/// One entry of a directory.
struct DirectoryEntry {
    /// The name; a directory's has a slash at its end, so that `a-b` comes before `a/`, as in the order of keys.
    var name: [UInt8]
    var size: Int64
    var modified: Int64
    var token: UInt64
}

/// Entries that were gathered in memory.
///
/// A record is a size, a time and a token of eight bytes each, the length of the name in two bytes, and the name.
struct EntryBatch {
    static let headLength = 26

    private struct Place {
        /// The first bytes of the name that not all names share: most comparisons look no further.
        var key: UInt64
        var offset: Int
    }

    private var bytes: [UInt8] = []
    private var places: [Place] = []

    /// Nothing was gathered.
    init() {}

    /// What it takes in memory.
    var weight: Int { bytes.capacity + places.capacity * MemoryLayout<Place>.stride }
    /// How many entries there are.
    var count: Int { places.count }

    /// Adds an entry; a name has at most 65535 bytes.
    mutating func add(
        _ name: some Collection<UInt8>,
        isDirectory: Bool,
        _ size: Int64,
        _ modified: Int64,
        _ token: UInt64
    ) {
        places.append(Place(key: 0, offset: bytes.count))
        append(UInt64(bitPattern: size))
        append(UInt64(bitPattern: modified))
        append(token)
        let length = name.count + (isDirectory ? 1 : 0)
        bytes.append(UInt8(truncatingIfNeeded: length))
        bytes.append(UInt8(truncatingIfNeeded: length >> 8))
        bytes.append(contentsOf: name)
        if isDirectory { bytes.append(UInt8(ascii: "/")) }
    }

    private mutating func append(_ number: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    /// Brings the entries into the byte order of their names; a name that is there twice stays once.
    mutating func sort() {
        guard places.count > 1 else { return }
        bytes.withUnsafeBytes { bytes in
            let shared = Self.sharedLength(bytes, places.map(\.offset))
            for index in places.indices {
                let name = Self.name(bytes, places[index].offset)
                var key: UInt64 = 0
                for at in shared..<(shared + 8) { key = key << 8 | (at < name.count ? UInt64(name[at]) : 0) }
                places[index].key = key
            }
            places.sort { left, right in
                guard left.key == right.key else { return left.key < right.key }
                return order(Self.name(bytes, left.offset), Self.name(bytes, right.offset)) < 0
            }
            var kept = 0
            for index in 1..<places.count
            where order(Self.name(bytes, places[kept].offset), Self.name(bytes, places[index].offset)) != 0 {
                kept += 1
                places[kept] = places[index]
            }
            places.removeLast(places.count - kept - 1)
        }
    }

    private static func sharedLength(_ bytes: UnsafeRawBufferPointer, _ offsets: [Int]) -> Int {
        let first = name(bytes, offsets[0])
        var shared = first.count
        for offset in offsets {
            let other = name(bytes, offset)
            shared = min(shared, other.count)
            var same = 0
            while same < shared && other[same] == first[same] { same += 1 }
            shared = same
        }
        return shared
    }

    /// The entry at a place in the order.
    func entry(_ index: Int) -> DirectoryEntry {
        bytes.withUnsafeBytes { Self.entry($0, places[index].offset) }
    }

    /// Runs `body` for each record in order.
    func forEachRecord<E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> Void) throws(E) {
        for place in places {
            var failure: E?
            bytes.withUnsafeBytes { bytes in
                let end = place.offset + Self.headLength + Self.nameLength(bytes, place.offset)
                do throws(E) {
                    try body(UnsafeRawBufferPointer(rebasing: bytes[place.offset..<end]))
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        }
    }

    /// The entry of the record at an offset.
    static func entry(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> DirectoryEntry {
        func number(_ at: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + at, as: UInt64.self))
        }
        return DirectoryEntry(
            name: Array(name(bytes, offset)),
            size: Int64(bitPattern: number(0)),
            modified: Int64(bitPattern: number(8)),
            token: number(16)
        )
    }

    /// The length of the name of the record at an offset.
    static func nameLength(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int {
        Int(bytes[offset + 24]) | Int(bytes[offset + 25]) << 8
    }

    private static func name(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UnsafeRawBufferPointer {
        let start = offset + headLength
        return UnsafeRawBufferPointer(rebasing: bytes[start..<(start + nameLength(bytes, offset))])
    }
}

/// Below, at or above zero as bytes come before, with or after others: `memcmp`, then the length.
func order(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
    let common = min(left.count, right.count)
    if common > 0, let first = left.baseAddress, let second = right.baseAddress {
        let order = memcmp(first, second, common)
        if order != 0 { return Int(order) }
    }
    return left.count - right.count
}
