import CCofferPlugin
import CofferLoader
import CofferModel
import Glibc

/// How far a listing came whose keys ascend.
struct ListOrder: Sendable {
    /// The last key or prefix; empty before the first.
    var last: [UInt8] = []
}

/// Takes the entries of a page straight into a ``ListBatch``.
///
/// A listing of a million passes here a million times: no text is made, bytes go from the plugin's memory into the
/// batch's in one copy.
struct ListSink: Sink {
    private let batch: UnsafeMutablePointer<ListBatch>
    private var left: Int
    /// Where the last key lies that came in this page.
    private var last: ListBatch.Slice?
    private let order: ListOrder?
    /// The token that reopens the listing, if one came.
    var token: String?
    var broken: String?

    /// `order` is what a sorted listing gave before; nil where the store promises no order.
    init(_ batch: UnsafeMutablePointer<ListBatch>, limit: Int, order: ListOrder?) {
        self.batch = batch
        left = limit
        self.order = order
    }

    /// What the page leaves for the next one.
    var nextOrder: ListOrder? {
        guard order != nil, let last else { return order }
        return ListOrder(last: Array(batch.pointee.bytes[last]))
    }

    static var table: coffer_sink {
        var table = coffer_sink()
        table.on_entry = { context, entry in
            guard let sink = context?.assumingMemoryBound(to: ListSink.self), let entry else { return 1 }
            return sink.pointee.take(entry)
        }
        table.on_value = { context, kind, _, value in
            guard let sink = context?.assumingMemoryBound(to: ListSink.self) else { return 1 }
            guard kind == COFFER_VAL_NEXT else { return 0 }
            guard let token = value.copied else { return sink.pointee.refuse("a resume token that is not UTF-8") }
            sink.pointee.token = token
            return 0
        }
        return table
    }

    private mutating func refuse(_ reason: String) -> Int32 {
        broken = "the plugin listed \(reason)"
        return 1
    }

    @inline(__always)
    private mutating func take(_ pointer: UnsafePointer<coffer_entry>) -> Int32 {
        guard let entry = wholeEntry(pointer) else { return refuse("an entry of no size") }
        guard left > 0 else { return refuse("more entries than it was asked for") }
        left -= 1
        let isPrefix = entry.kind == COFFER_KIND_PREFIX
        guard isPrefix || entry.kind == COFFER_KIND_OBJECT else { return refuse("an entry of kind \(entry.kind)") }
        guard let key = entry.key.borrowed, key.count > 0, key.count <= Key.maximumLength + 1 else {
            return refuse("a key of \(entry.key.len) bytes")
        }
        guard isUTF8(key) else { return refuse("a key that is not UTF-8") }
        guard entry.size >= -1 else { return refuse("a size of \(entry.size)") }
        // Whoever comes back to where it was never ends.
        if let order, !isAscending(key, order) { return refuse("a key that does not follow the one before it") }
        var record = ListBatch.Record(
            isPrefix: isPrefix,
            key: keep(key),
            size: entry.size,
            modified: entry.mtime_ns
        )
        if entry.etag.len > 0 {
            guard let etag = entry.etag.borrowed, isUTF8(etag) else { return refuse("an etag that is not UTF-8") }
            record.etag = keep(etag)
        }
        if entry.n_props > 0 || entry.n_checksums > 0 { addExtras(entry, to: &record) }
        last = record.key
        batch.pointee.records.append(record)
        return 0
    }

    @inline(__always)
    private func isAscending(_ key: UnsafeRawBufferPointer, _ order: ListOrder) -> Bool {
        guard let last else { return order.last.withUnsafeBytes { compare($0, key) < 0 } }
        return batch.pointee.bytes.withUnsafeBytes { compare(UnsafeRawBufferPointer(rebasing: $0[last]), key) < 0 }
    }

    @inline(__always)
    private func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        guard let first = left.baseAddress, let second = right.baseAddress else { return left.count - right.count }
        let order = memcmp(first, second, min(left.count, right.count))
        return order == 0 ? left.count - right.count : Int(order)
    }

    @inline(__always)
    private func keep(_ bytes: UnsafeRawBufferPointer) -> ListBatch.Slice {
        let start = batch.pointee.bytes.count
        batch.pointee.bytes.append(contentsOf: bytes)
        return start..<(start + bytes.count)
    }

    @inline(never)
    private func addExtras(_ entry: coffer_entry, to record: inout ListBatch.Record) {
        if let props = entry.props {
            for pair in UnsafeBufferPointer(start: props, count: min(entry.n_props, 4096)) {
                guard let name = pair.key.borrowed, name.elementsEqual("content-type".utf8),
                    let value = pair.value.borrowed, isUTF8(value)
                else { continue }
                record.contentType = keep(value)
            }
        }
        if let checksums = entry.checksums {
            for checksum in UnsafeBufferPointer(start: checksums, count: min(entry.n_checksums, 64)) {
                guard let name = checksum.algorithm.borrowed, name.elementsEqual("sha256".utf8),
                    checksum.flags & UInt64(COFFER_CHECKSUM_COMPOSITE) == 0,
                    let value = checksum.value.borrowed, value.count == 64, isUTF8(value)
                else { continue }
                record.sha256 = keep(value)
            }
        }
    }
}
