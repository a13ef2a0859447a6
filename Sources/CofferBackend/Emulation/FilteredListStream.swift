// What comes after a text, for a store that lists from the beginning.
import CofferModel
import CofferSystem

/// A listing without the entries up to `startAfter`.
///
/// Unchecked because calls on a stream never overlap.
final class FilteredListStream: ListStream, @unchecked Sendable {
    private let source: any ListStream
    private let startAfter: [UInt8]
    private var page = ListBatch()

    init(_ source: any ListStream, startAfter: String) {
        self.source = source
        self.startAfter = Array(startAfter.utf8)
    }

    deinit { source.close() }

    var resumeToken: String? { nil }

    func close() { source.close() }

    func next(into output: inout ListBatch, limit: Int, _ call: Call) throws(CofferError) -> Bool {
        let start = output.count
        var hasMore = true
        // An empty page would be legal, but a caller who skips a million keys should not ask a thousand times.
        while hasMore, output.count == start {
            page.removeAll()
            hasMore = try source.next(into: &page, limit: limit, call)
            if call.cancellation.isCancelled { throw CofferError(.cancelled, "cancelled") }
            for record in page.records
            where precedes(startAfter.indices, in: startAfter, record.key, in: page.bytes) {
                output.append(record, from: page.bytes)
            }
        }
        return hasMore
    }
}
