// The names of one directory in byte order, in memory that is bounded whatever the directory holds.

import CLocal
import Glibc

/// Names in flat bytes, sorted by an index beside them.
///
/// A name is followed by a slash if it is a directory's: so `a-b` comes before `a/` and both in the order of the keys.
struct NameBatch {
    private struct Item {
        /// The first eight bytes behind what all names share, so that most comparisons need no more.
        var head: UInt64
        var offset: UInt32
    }

    private var bytes: [UInt8] = []
    private var items: [Item] = []

    /// What it takes in memory.
    var weight: Int { bytes.count + items.count * MemoryLayout<Item>.stride }
    /// How many names there are.
    var count: Int { items.count }

    /// Adds a name.
    mutating func add(_ name: UnsafeRawBufferPointer, isDirectory: Bool) {
        items.append(Item(head: 0, offset: UInt32(bytes.count)))
        let length = name.count + (isDirectory ? 1 : 0)
        bytes.append(UInt8(truncatingIfNeeded: length))
        bytes.append(UInt8(truncatingIfNeeded: length >> 8))
        bytes.append(contentsOf: name)
        if isDirectory { bytes.append(UInt8(ascii: "/")) }
    }

    /// Hands over the bytes of the name at `index`.
    func withName<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try bytes.withUnsafeBytes { try body(Self.name(in: $0, at: Int(items[index].offset))) }
    }

    private static func name(in bytes: UnsafeRawBufferPointer, at offset: Int) -> UnsafeRawBufferPointer {
        let length = Int(bytes[offset]) | Int(bytes[offset + 1]) << 8
        return UnsafeRawBufferPointer(rebasing: bytes[(offset + 2)..<(offset + 2 + length)])
    }

    /// Sorts.
    mutating func sort() {
        guard items.count > 1 else { return }
        bytes.withUnsafeBytes { bytes in
            let first = Self.name(in: bytes, at: Int(items[0].offset))
            var shared = first.count
            for item in items {
                let name = Self.name(in: bytes, at: Int(item.offset))
                shared = min(shared, name.count)
                var length = 0
                while length < shared && name[length] == first[length] { length += 1 }
                shared = length
            }
            for index in items.indices {
                let name = Self.name(in: bytes, at: Int(items[index].offset))
                var head: UInt64 = 0
                for place in 0..<8 {
                    let at = shared + place
                    head = head << 8 | (at < name.count ? UInt64(name[at]) : 0)
                }
                items[index].head = head
            }
            items.sort { left, right in
                if left.head != right.head { return left.head < right.head }
                return precedes(
                    Self.name(in: bytes, at: Int(left.offset)),
                    Self.name(in: bytes, at: Int(right.offset))
                )
            }
        }
    }

    /// Writes all names in order.
    func write(to file: Descriptor) throws(Refusal) -> UInt64 {
        var offset: UInt64 = 0
        var block: [UInt8] = []
        block.reserveCapacity(256 << 10)
        for item in items {
            let start = Int(item.offset)
            let length = Int(bytes[start]) | Int(bytes[start + 1]) << 8
            block.append(contentsOf: bytes[start..<(start + 2 + length)])
            if block.count > 255 << 10 { try flush(&block, to: file, &offset) }
        }
        try flush(&block, to: file, &offset)
        return offset
    }

    private func flush(_ block: inout [UInt8], to file: Descriptor, _ offset: inout UInt64) throws(Refusal) {
        try file.write(block, at: offset)
        offset += UInt64(block.count)
        block.removeAll(keepingCapacity: true)
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

/// A sorted run of names in an unlinked file, read block by block.
struct NameRun {
    private let file: Descriptor
    private let end: UInt64
    private var offset: UInt64 = 0
    private var block: [UInt8] = []
    private var at = 0
    /// The name that comes next; nil at the end.
    private(set) var current: [UInt8]?

    /// Reads a run of `end` bytes.
    init(_ file: Descriptor, end: UInt64) throws(Refusal) {
        self.file = file
        self.end = end
        try advance()
    }

    /// Goes to the next name.
    mutating func advance() throws(Refusal) {
        guard try fill(2) else {
            current = nil
            return
        }
        let length = Int(block[at]) | Int(block[at + 1]) << 8
        guard try fill(2 + length) else { throw Refusal(number: EIO) }
        current = Array(block[(at + 2)..<(at + 2 + length)])
        at += 2 + length
    }

    private mutating func fill(_ wanted: Int) throws(Refusal) -> Bool {
        if block.count - at >= wanted { return true }
        block.removeFirst(at)
        at = 0
        while block.count < wanted && offset < end {
            let size = Int(min(32 << 10, end - offset))
            let start = block.count
            block.append(contentsOf: repeatElement(0, count: size))
            let count = block.withUnsafeMutableBytes { buffer in
                local_pread(file.number, buffer.baseAddress?.advanced(by: start), size, Int64(offset))
            }
            let got = try Refusal.check(count)
            if got == 0 { throw Refusal(number: EIO) }
            block.removeLast(size - got)
            offset += UInt64(got)
        }
        return block.count >= wanted
    }
}

/// The names of one directory: gathered, then taken in order, once.
struct SortedNames {
    private var batch = NameBatch()
    private var next = 0
    private var runs: [NameRun] = []
    private var unread: [(Descriptor, UInt64)] = []

    /// What it takes in memory.
    var weight: Int { batch.weight + runs.count * (33 << 10) }

    /// Adds a name.
    mutating func add(_ name: UnsafeRawBufferPointer, isDirectory: Bool) { batch.add(name, isDirectory: isDirectory) }

    /// Moves what was gathered so far to a file, which nobody else knows.
    mutating func spill(to file: Descriptor) throws(Refusal) {
        guard batch.count > 0 else { return }
        batch.sort()
        unread.append((file, try batch.write(to: file)))
        batch = NameBatch()
    }

    /// Ends the gathering.
    mutating func finish() throws(Refusal) {
        batch.sort()
        for (file, end) in unread { runs.append(try NameRun(file, end: end)) }
        unread = []
    }

    /// Appends the next name to `path`; false at the end.
    mutating func next(appendingTo path: inout [UInt8]) throws(Refusal) -> Bool {
        // Few runs, so the least is found by looking at each.
        var least: Int?
        for index in runs.indices {
            guard let name = runs[index].current else { continue }
            if let known = least, let best = runs[known].current,
                !name.withUnsafeBytes({ left in best.withUnsafeBytes { precedes(left, $0) } })
            {
                continue
            }
            least = index
        }
        if let least, let best = runs[least].current {
            let isBatchFirst =
                next < batch.count
                && batch.withName(next) { name in best.withUnsafeBytes { precedes(name, $0) } }
            if !isBatchFirst {
                path.append(contentsOf: best)
                try runs[least].advance()
                return true
            }
        }
        guard next < batch.count else { return false }
        batch.withName(next) { path.append(contentsOf: $0) }
        next += 1
        return true
    }
}
