// Common prefixes for a store that knows no delimiter.
import CofferModel

/// A sorted listing whose keys with the delimiter behind the prefix become one entry each.
///
/// Unchecked because calls on a stream never overlap.
final class GroupedListStream: ListStream, @unchecked Sendable {
    private var source: any ListStream
    private let prefixLength: Int
    private let delimiter: [UInt8]
    /// Opens the listing behind a text; nil where that would cost as much as reading on.
    private let reopen: ((String, Call) throws(CofferError) -> any ListStream)?
    private var page = ListBatch()
    private var position = 0
    private var sourceHasMore = true
    private var group: [UInt8] = []
    private var skipped = 0

    /// After how many keys of one group the listing is opened anew behind it.
    private static let patience = 2000

    init(
        _ source: any ListStream,
        prefix: String,
        delimiter: String,
        reopen: ((String, Call) throws(CofferError) -> any ListStream)?
    ) {
        self.source = source
        prefixLength = prefix.utf8.count
        self.delimiter = Array(delimiter.utf8)
        self.reopen = reopen
    }

    deinit { source.close() }

    var resumeToken: String? { nil }

    func close() { source.close() }

    func next(into output: inout ListBatch, limit: Int, _ call: Call) throws(CofferError) -> Bool {
        let end = output.count + limit
        while output.count < end {
            guard position < page.count else {
                guard sourceHasMore else { return false }
                page.removeAll()
                position = 0
                sourceHasMore = try source.next(into: &page, limit: max(limit, 200), call)
                continue
            }
            let record = page.records[position]
            position += 1
            guard !record.isPrefix, let cut = groupEnd(in: record.key) else {
                output.append(record, from: page.bytes)
                continue
            }
            let name = record.key.lowerBound..<cut
            if group.elementsEqual(page.bytes[name]) {
                skipped += 1
                if skipped >= Self.patience { try leap(call) }
                continue
            }
            group = Array(page.bytes[name])
            skipped = 0
            output.append(ListBatch.Record(isPrefix: true, key: name), from: page.bytes)
        }
        return position < page.count || sourceHasMore
    }

    /// Where the first delimiter behind the prefix ends, in the page's bytes.
    private func groupEnd(in key: Range<Int>) -> Int? {
        let bytes = page.bytes
        var place = key.lowerBound + prefixLength
        while place + delimiter.count <= key.upperBound {
            var index = 0
            while index < delimiter.count, bytes[place + index] == delimiter[index] { index += 1 }
            if index == delimiter.count { return place + index }
            place += 1
        }
        return nil
    }

    /// Goes on behind a large group without reading all of it.
    private func leap(_ call: Call) throws(CofferError) {
        guard let reopen else { return }
        skipped = 0
        // The greatest character: what little lies behind it in the group is skipped one by one.
        let behind = String(decoding: group, as: UTF8.self) + "\u{10FFFF}"
        let next = try reopen(behind, call)
        source.close()
        source = next
        sourceHasMore = true
        page.removeAll()
        position = 0
    }
}
