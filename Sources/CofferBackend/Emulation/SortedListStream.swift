// Byte order for a store that lists in another: in memory where it fits, else by merging sorted runs from disk.
import CofferModel
import CofferSystem

/// The whole listing of a store, sorted at the first page.
///
/// Unchecked because calls on a stream never overlap.
final class SortedListStream: ListStream, @unchecked Sendable {
    private enum Phase {
        case unread
        case inMemory(position: Int)
        case merging
    }

    private let source: any ListStream
    private let memory: Int
    private let directory: String
    private var phase = Phase.unread
    private var batch = ListBatch()
    private var file: SpillFile?
    private var runs: [ListRun] = []
    /// The last prefix given: a store may tell it once for each of its pages.
    private var lastPrefix: [UInt8] = []

    init(_ source: any ListStream, memory: Int, directory: String) {
        self.source = source
        self.memory = memory
        self.directory = directory
    }

    deinit { source.close() }

    var resumeToken: String? { nil }

    func close() {
        source.close()
        batch = ListBatch()
        runs = []
        file = nil
        phase = .inMemory(position: 0)
    }

    func next(into output: inout ListBatch, limit: Int, _ call: Call) throws(CofferError) -> Bool {
        if case .unread = phase { try gather(call) }
        let end = output.count + limit
        if case .inMemory(var position) = phase {
            while output.count < end, position < batch.count {
                give(batch.records[position], from: batch.bytes, to: &output)
                position += 1
            }
            phase = .inMemory(position: position)
            return position < batch.count
        }
        while output.count < end, let least = try leastRun() {
            give(runs[least].current, from: runs[least].bytes, to: &output)
            try runs[least].advance()
        }
        runs.removeAll { $0.isAtEnd }
        return !runs.isEmpty
    }

    private func give(_ record: ListBatch.Record, from bytes: [UInt8], to output: inout ListBatch) {
        if record.isPrefix {
            guard !lastPrefix.elementsEqual(bytes[record.key]) else { return }
            lastPrefix = Array(bytes[record.key])
        }
        output.append(record, from: bytes)
    }

    /// Reads the store's listing to its end, into memory and from there into runs.
    private func gather(_ call: Call) throws(CofferError) {
        var hasMore = true
        while hasMore {
            hasMore = try source.next(into: &batch, limit: 1000, call)
            if call.cancellation.isCancelled { throw CofferError(.cancelled, "cancelled") }
            let taken = batch.bytes.count + batch.count * MemoryLayout<ListBatch.Record>.stride
            // Half of what is allowed, since a growing array needs its old and its new memory at once.
            if taken >= memory / 2 { try spill() }
        }
        source.close()
        guard file != nil else {
            sort()
            phase = .inMemory(position: 0)
            return
        }
        try spill()
        batch = ListBatch()
        for index in runs.indices { try runs[index].start(bufferSize: max(4096, min(64 << 10, memory / runs.count))) }
        runs.removeAll { $0.isAtEnd }
        phase = .merging
    }

    private func sort() {
        let bytes = batch.bytes
        batch.records.sort { precedes($0.key, in: bytes, $1.key, in: bytes) }
    }

    private func spill() throws(CofferError) {
        guard batch.count > 0 else { return }
        sort()
        do {
            let file = try self.file ?? SpillFile(in: directory)
            self.file = file
            runs.append(try ListRun(writing: batch, to: file))
        } catch {
            throw CofferError(.noSpace, "the listing is too large for memory, and \(error)")
        }
        batch.removeAll()
    }

    private func leastRun() throws(CofferError) -> Int? {
        var least: Int?
        for index in runs.indices where !runs[index].isAtEnd {
            guard let best = least else {
                least = index
                continue
            }
            if precedes(runs[index].current.key, in: runs[index].bytes, runs[best].current.key, in: runs[best].bytes) {
                least = index
            }
        }
        return least
    }
}
