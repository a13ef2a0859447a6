import CofferAPI
import CofferBackend
import CofferHTTP
import CofferModel
import CofferSystem

/// A whole listing as NDJSON, made as the client takes it.
///
/// Invariants:
/// 1. At most one batch of entries and its text are held, however long the listing is.
/// 2. A listing that fails ends with a line that tells the problem, and then the answer breaks off: nobody takes it
///    for complete.
final class ListingBody: HTTPBodySource {
    private struct State {
        var batch = ListBatch()
        var text: [UInt8] = []
        var sent = 0
        var isAtEnd = false
        var hasFailed = false
    }

    private static let batchSize = 1000

    private let listing: any ListStream
    private let line: ObjectLine
    private let call: Call
    // Calls on a body never overlap: the lock is free, it only carries the state from thread to thread.
    private let state = Locked(State())

    init(_ listing: any ListStream, _ line: ObjectLine, _ call: Call) {
        self.listing = listing
        self.line = line
        self.call = call
    }

    func read(into buffer: inout MutableRawSpan) -> Int? {
        state.withLock { state in
            var filled = 0
            while filled < buffer.byteCount {
                if state.sent == state.text.count && !refill(&state) { break }
                let count = min(buffer.byteCount - filled, state.text.count - state.sent)
                buffer.copy(state.text, from: state.sent, count: count, to: filled)
                state.sent += count
                filled += count
            }
            return filled == 0 && state.hasFailed ? nil : filled
        }
    }

    func close() { listing.close() }

    /// Makes the text of the next entries; false if there are none.
    private func refill(_ state: inout State) -> Bool {
        state.text.removeAll(keepingCapacity: true)
        state.sent = 0
        while state.text.isEmpty {
            if state.isAtEnd { return false }
            state.batch.removeAll()
            do throws(CofferError) {
                state.isAtEnd = !(try listing.next(into: &state.batch, limit: Self.batchSize, call))
            } catch {
                state.text = ListEntry.problemLine(error)
                state.isAtEnd = true
                state.hasFailed = true
                return true
            }
            for record in state.batch.records { line.appendLine(record, of: state.batch, to: &state.text) }
        }
        return true
    }
}
