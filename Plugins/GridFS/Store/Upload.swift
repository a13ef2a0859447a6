// One write: its chunks in batches, then its document.

import CofferPluginSDK
import GridFSModel

/// One write.
///
/// What fits into one batch stays here until the commit; nothing of it is in the store before. Of a longer one a batch is on
/// its way while the next is filled.
final class Upload: WriteStream {
    /// A batch holds about so many bytes, in whole chunks.
    static let batchBytes = 4 << 20

    private let store: Store
    private let request: WriteRequest
    private let draft: Draft
    private var batch: ChunkBatch
    private var length: UInt64 = 0
    private var ahead: Ahead?

    /// A write of an object.
    init(_ request: WriteRequest, in store: Store) {
        self.request = request
        self.store = store
        draft = Draft(attempt: request.attempt, in: store)
        batch = ChunkBatch(of: draft.id, into: store.bucket.chunks, chunkSize: store.chunkSize)
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        let patience = Patience(call)
        var at = 0
        while at < bytes.byteCount {
            // A full batch is sent when more comes: the last one waits for the commit.
            if batch.isFull(max(1, Self.batchBytes / store.chunkSize)) {
                try draft.note(patience)
                try sendAhead(call)
            }
            if batch.count == 0 { batch.reserve(room(for: bytes.byteCount - at)) }
            at += bytes.withUnsafeBytes { batch.append(UnsafeRawBufferPointer(rebasing: $0[at...])) }
        }
        length += UInt64(bytes.byteCount)
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        for given in request.checksums {
            guard let computed = checksums[given.algorithm], computed.isComposite == given.isComposite else { continue }
            guard computed == given else {
                throw BackendError(.checksum, "the \(given.algorithm) of the bytes is another: \(request.key)")
            }
        }
        let patience = Patience(call)
        // What the caller claimed and nobody computed is not kept as if it were so.
        let description = Description(
            properties: request.properties,
            metadata: request.metadata,
            modified: request.modified,
            checksums: checksums
        )
        let document = draft.document(length: length, chunkSize: UInt64(store.chunkSize)) { file, own in
            description.write(into: &file, own: &own)
        }
        if draft.isNoted {
            try arrived(call)
            // The last batch is answered once it is in the journal, and with it all before.
            try send(.writeDurably, patience)
            guard try draft.hasChunks(UInt64(batch.next), patience) else {
                throw BackendError(
                    .unavailable,
                    "the server lost chunks of the upload: \(request.key)",
                    isRetryable: true
                )
            }
            try draft.hide(document, patience)
        } else {
            try draft.hide(document, patience)
            try send(.writeDurably, patience)
        }
        return try draft.publish(document, as: request.key, if: request.conditions, patience)
    }

    func close() {
        if let ahead, ahead.cancel() { draft.isUncertain = true }
        ahead = nil
        draft.abandon()
    }

    /// How many bytes the next batch may get.
    private func room(for known: Int) -> Int {
        let most = Self.batchBytes + store.chunkSize
        guard let size = request.size else { return min(known, most) }
        return min(Int(clamping: size - min(size, length)), most)
    }

    private func send(_ manner: Server.Manner, _ patience: Patience) throws(BackendError) {
        guard batch.count > 0 else { return }
        do throws(BackendError) {
            _ = try store.server.run(batch.take(), manner, patience)
        } catch {
            throw lost(error)
        }
    }

    /// Sends a batch while the next one is filled; the one before must have arrived.
    private func sendAhead(_ call: Call) throws(BackendError) {
        try arrived(call)
        let (command, store) = (batch.take(), store)
        ahead = Ahead { (patience) throws(BackendError) -> Reply in
            try store.server.run(command, .write, patience)
        }
        guard ahead == nil else { return }
        do throws(BackendError) {
            _ = try store.server.run(command, .write, Patience(call))
        } catch {
            throw lost(error)
        }
    }

    private func arrived(_ call: Call) throws(BackendError) {
        guard let ahead else { return }
        do throws(BackendError) {
            _ = try ahead.wait(call)
            self.ahead = nil
        } catch {
            throw lost(error)
        }
    }

    /// The error of a batch: nothing is published, so that a whole new attempt does no harm.
    private func lost(_ error: BackendError) -> BackendError {
        var error = error
        if error.isMaybeApplied { draft.isUncertain = true }
        error.isMaybeApplied = false
        if error.code == .alreadyExists { error.code = .io }
        return error
    }
}
