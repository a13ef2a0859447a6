// One write: chunks first, then a document without a name, then the name.

import CofferPluginSDK
import GridFSModel

/// One write.
///
/// 1. What fits into one batch stays here until the commit; nothing of it is in the store before.
/// 2. Before the first chunk of a larger one a note says that these chunks are nobody's yet; before the chunks of a smaller
///    one its document lies in `files` without a name. Either is found by the sweep if this process is killed.
/// 3. The document gets its name last, by a decided claim (see `Claims`): then all its chunks are there.
final class Upload: WriteStream {
    /// A batch is sent once it holds so many bytes.
    static let batchBytes = 4 << 20
    /// A long upload says so often, in nanoseconds, that it is alive.
    private static let sign: Int64 = 60_000_000_000

    private let store: Store
    private let request: WriteRequest
    private let id = makeID()
    private var batch: ChunkBatch
    private var length: UInt64 = 0
    private var lastSign: Int64 = 0
    /// Whether the note is there, and whether the document without a name is.
    private var (isNoted, isHidden) = (false, false)
    /// Whether readers may have seen it: then nothing of it may be taken away here.
    private var isOut = false

    /// A write of an object.
    init(_ request: WriteRequest, in store: Store) {
        self.request = request
        self.store = store
        batch = ChunkBatch(of: id, into: store.bucket.chunks, chunkSize: store.chunkSize)
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        let patience = Patience(call)
        var at = 0
        while at < bytes.byteCount {
            // A full batch is sent when more comes: the last one waits for the commit.
            if batch.byteCount >= Self.batchBytes { try send(patience) }
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
        let document = document(checksums)
        if isNoted {
            try flush(patience, isLast: true)
            try insert(document, patience)
            guard try store.trash.end(.objectID(id), patience) else {
                throw BackendError(.timeout, "the upload was silent for too long: \(request.key)", isRetryable: true)
            }
            isNoted = false
        } else {
            try store.bucket.prepare(patience)
            try insert(document, patience)
            try flush(patience, isLast: true)
        }
        return try publish(document, patience)
    }

    func close() {
        guard !isOut, isNoted || isHidden else { return }
        // A second is all there is; what remains the sweep finds.
        let patience = Patience(milliseconds: 800)
        let id = Value.objectID(id)
        if isHidden {
            // If it has a name after all, its chunks are somebody's.
            let gone = try? store.bucket.delete(from: store.bucket.files, [Store.hidden(id)], patience)
            guard gone == 1 else { return }
        }
        try? store.trash.clear([id], patience)
    }

    // MARK: Steps

    /// How many bytes the next batch may get.
    private func room(for known: Int) -> Int {
        let most = Self.batchBytes + store.chunkSize
        guard let size = request.size else { return min(known, most) }
        return min(Int(clamping: size - min(size, length)), most)
    }

    private func send(_ patience: Patience) throws(BackendError) {
        let now = wallClock()
        if !isNoted {
            try store.bucket.prepare(patience)
            isNoted = true
            try store.trash.begin(.objectID(id), attempt: request.attempt, patience)
            lastSign = now
        } else if now - lastSign > Self.sign {
            try store.trash.touch(.objectID(id), patience)
            lastSign = now
        }
        try flush(patience, isLast: false)
    }

    /// Sends what is in the batch; with the last one everything before is in the journal too.
    private func flush(_ patience: Patience, isLast: Bool) throws(BackendError) {
        if batch.count > 0 {
            do throws(BackendError) {
                _ = try store.server.run(batch.take(), isLast ? .writeDurably : .write, patience)
            } catch {
                // Nothing is published, so repeating it does no harm.
                var error = error
                error.isMaybeApplied = false
                throw error
            }
        }
        // A server that crashed and came back between two batches may have forgotten some.
        guard isLast, isNoted, try !hasAllChunks(patience) else { return }
        throw BackendError(.unavailable, "the server lost chunks of the upload: \(request.key)", isRetryable: true)
    }

    private func hasAllChunks(_ patience: Patience) throws(BackendError) -> Bool {
        let count = Document.make {
            $0.append("count", store.bucket.chunks)
            $0.append("query", .whose("files_id", is: .objectID(id)))
        }
        return try store.server.run(count, .read, patience)["n"]?.integer == Int64(batch.next)
    }

    /// The document without its name.
    private func document(_ checksums: Checksums) -> Document {
        // What the caller claimed and nobody computed is not kept as if it were so.
        let description = Description(
            properties: request.properties,
            metadata: request.metadata,
            modified: request.modified,
            checksums: checksums
        )
        var own = DocumentWriter()
        return .make { file in
            file.append("_id", id)
            file.append("length", Int(length))
            file.append("chunkSize", Int32(store.chunkSize))
            file.append("uploadDate", .date(wallMilliseconds()))
            description.write(into: &file, own: &own)
            own.append("hidden", .date(wallMilliseconds()))
            if !request.attempt.isEmpty { own.append("attempt", request.attempt.string) }
            file.append("coffer", own.finish())
        }
    }

    private func insert(_ document: Document, _ patience: Patience) throws(BackendError) {
        isHidden = true
        do throws(BackendError) {
            try store.bucket.insert([document], into: store.bucket.files, patience)
        } catch {
            // Its identifier is new: that it exists would be a fault of the store, and not the answer to a condition.
            throw BackendError(
                error.code == .alreadyExists ? .io : error.code,
                error.message,
                isRetryable: error.isRetryable,
                native: error.native
            )
        }
    }

    private func publish(_ document: Document, _ patience: Patience) throws(BackendError) -> Entry {
        var published: Document?
        do throws(BackendError) {
            try store.claims.change(request.key, patience) { (versions) throws(BackendError) -> Change? in
                try request.conditions.checkWrite(request.key, existing: versions.last?.etag)
                let time = max(wallMilliseconds(), (versions.last?.uploaded ?? .min / 2) + 1)
                published = document.named(request.key, at: time)
                let edit = Change.Edit(
                    file: .objectID(id),
                    expected: [("filename", .null)],
                    fields: [
                        ("filename", .string(request.key.bytes)), ("uploadDate", .date(time)), ("coffer.hidden", .null),
                    ],
                    name: request.key
                )
                return Change(edit: edit, over: versions.map(\.id))
            }
        } catch {
            isOut = error.isMaybeApplied
            throw error
        }
        isOut = true
        guard let file = published.flatMap({ StoredFile($0) }) else {
            throw BackendError(.internal, "the new version has no document: \(request.key)")
        }
        return file.entry()
    }
}

extension Document {
    /// A files document as it is once it is published.
    fileprivate func named(_ key: ByteString, at time: Int64) -> Document {
        .make { writer in
            for (name, value) in self where !name.elementsEqual("uploadDate".utf8) { writer.append(name, value) }
            writer.append("uploadDate", .date(time))
            writer.append("filename", .string(key.bytes))
        }
    }
}
