// One sorted part of a listing in a temporary file, written once and read once from its beginning.
//
// An entry is 33 bytes (a flag, size, modified, four lengths; little-endian) and then its four texts.
import CofferModel
import CofferSystem

/// A run of sorted entries on disk, and the entry it stands at.
struct ListRun {
    private let file: SpillFile
    private var offset: Int64
    private let end: Int64
    private var next = 0

    /// What of the run is in memory; the texts of ``current`` lie in it.
    private(set) var bytes: [UInt8] = []
    /// The entry that comes next.
    private(set) var current = ListBatch.Record(isPrefix: false, key: 0..<0)
    /// Whether all entries have been given.
    private(set) var isAtEnd = false
    private var bufferSize = 0

    private static let headSize = 33

    /// Writes the entries of `batch`, which are sorted, behind what `file` has.
    init(writing batch: ListBatch, to file: SpillFile) throws(SystemError) {
        self.file = file
        offset = file.end
        var buffer: [UInt8] = []
        buffer.reserveCapacity(80 << 10)
        for record in batch.records {
            buffer.append(record.isPrefix ? 1 : 0)
            buffer.append(number: record.size)
            buffer.append(number: record.modified)
            for slice in [record.key, record.etag, record.contentType, record.sha256] {
                buffer.append(number: UInt32(slice.count))
            }
            for slice in [record.key, record.etag, record.contentType, record.sha256] {
                buffer.append(contentsOf: batch.bytes[slice])
            }
            if buffer.count >= 64 << 10 {
                try buffer.withBytes(buffer.indices) { bytes throws(SystemError) in try file.append(bytes) }
                buffer.removeAll(keepingCapacity: true)
            }
        }
        try buffer.withBytes(buffer.indices) { bytes throws(SystemError) in try file.append(bytes) }
        end = file.end
    }

    /// Goes to the first entry, and keeps up to `bufferSize` bytes in memory from now on.
    mutating func start(bufferSize: Int) throws(CofferError) {
        self.bufferSize = bufferSize
        try advance()
    }

    /// Goes to the next entry.
    mutating func advance() throws(CofferError) {
        guard try need(Self.headSize) else {
            isAtEnd = true
            return
        }
        let lengths = (0..<4).map { Int(bytes.number(at: next + 17 + $0 * 4) as UInt32) }
        guard try need(Self.headSize + lengths.reduce(0, +)) else {
            throw CofferError(.internal, "a temporary file ends inside an entry")
        }
        var place = next + Self.headSize
        func slice(_ length: Int) -> Range<Int> {
            defer { place += length }
            return place..<place + length
        }
        current = ListBatch.Record(
            isPrefix: bytes[next] == 1,
            key: slice(lengths[0]),
            size: bytes.number(at: next + 1),
            modified: bytes.number(at: next + 9),
            etag: slice(lengths[1]),
            contentType: slice(lengths[2]),
            sha256: slice(lengths[3])
        )
        next = place
    }

    /// Has `count` bytes from ``next`` on in memory; false at the end of the run.
    private mutating func need(_ count: Int) throws(CofferError) -> Bool {
        if bytes.count - next >= count { return true }
        bytes.removeFirst(next)
        next = 0
        let kept = bytes.count
        let wanted = Int(min(Int64(max(bufferSize, count) - kept), end - offset))
        guard wanted > 0 else { return kept >= count }
        var piece = [UInt8](repeating: 0, count: wanted)
        do {
            var filled = 0
            while filled < wanted {
                let place = offset + Int64(filled)
                let got = try piece.withMutableBytes { all throws(SystemError) in
                    var rest = all._mutatingExtracting(filled..<wanted)
                    return try file.read(into: &rest, at: place)
                }
                guard got > 0 else { throw SystemError("read a temporary file", number: 5) }
                filled += got
            }
        } catch {
            throw CofferError(.internal, "the sorted listing cannot be read: \(error)")
        }
        offset += Int64(wanted)
        bytes += piece
        return bytes.count >= count
    }
}

extension [UInt8] {
    fileprivate mutating func append(number: some FixedWidthInteger) {
        for shift in stride(from: 0, to: number.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    fileprivate func number<Number: FixedWidthInteger>(at offset: Int) -> Number {
        var value: Number = 0
        for index in 0..<Number.bitWidth / 8 {
            value |= Number(truncatingIfNeeded: self[offset + index]) << (8 * index)
        }
        return value
    }
}
