// A new version on its way: from its first chunk to its name.

import CofferPluginSDK
import GridFSModel

/// A new version on its way, made by an upload or by a copy.
///
///     fresh ──note──▶ noted ──hide──▶ hidden ──publish──▶ out
///       └────────────────hide──────────┘
///
/// 1. Before the first chunk either a note says that chunks of this identifier are nobody's yet, or its document lies in
///    `files` without a name: either is found by the sweep if this process is killed.
/// 2. The document gets its name last, by a decided claim (see `Claims`): then all its chunks are there.
/// 3. Once readers may have seen it, nothing of it is taken away here.
final class Draft {
    let id = makeID()
    private let store: Store
    private let attempt: ByteString
    private(set) var isNoted = false
    private var isHidden = false
    private var isOut = false
    /// Whether chunks may still arrive, from a command whose answer nobody saw.
    var isUncertain = false
    private var lastSign: Int64 = 0

    /// A long upload says so often, in nanoseconds, that it is alive.
    private static let sign: Int64 = 60_000_000_000

    /// A draft of one attempt.
    init(attempt: ByteString, in store: Store) {
        self.attempt = attempt
        self.store = store
    }

    /// Says that chunks come, and from time to time that they still do.
    func note(_ patience: Patience) throws(BackendError) {
        let now = wallClock()
        if !isNoted {
            try store.bucket.prepare(patience)
            isNoted = true
            try store.trash.begin(.objectID(id), attempt: attempt, patience)
            lastSign = now
        } else if now - lastSign > Self.sign {
            try store.trash.touch(.objectID(id), patience)
            lastSign = now
        }
    }

    /// A document without a name, which `fill` describes.
    func document(
        length: UInt64,
        chunkSize: UInt64,
        _ fill: (inout DocumentWriter, inout DocumentWriter) -> Void
    ) -> Document {
        let now = Value.date(wallMilliseconds())
        return .make { file in
            file.append("_id", id)
            file.append("length", Int(length))
            file.append("chunkSize", Int32(clamping: chunkSize))
            file.append("uploadDate", now)
            var own = DocumentWriter()
            fill(&file, &own)
            own.append("hidden", now)
            if !attempt.isEmpty { own.append("attempt", attempt.string) }
            file.append("coffer", own.finish())
        }
    }

    /// Puts the document into `files`; after chunks that were noted it takes their note away.
    func hide(_ document: Document, _ patience: Patience) throws(BackendError) {
        try store.bucket.prepare(patience)
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
        guard isNoted else { return }
        guard try store.trash.end(.objectID(id), patience) else {
            throw BackendError(.timeout, "the upload was silent for too long, and was cleared away", isRetryable: true)
        }
        isNoted = false
    }

    /// Whether so many chunks are there: a server that crashed and came back may have forgotten some.
    func hasChunks(_ count: UInt64, _ patience: Patience) throws(BackendError) -> Bool {
        let command = Document.make {
            $0.append("count", store.bucket.chunks)
            $0.append("query", .whose("files_id", is: .objectID(id)))
        }
        return try store.server.run(command, .read, patience)["n"]?.integer == Int64(count)
    }

    /// Gives the document its name, if the conditions hold; what the key had before is over.
    func publish(
        _ document: Document,
        as key: ByteString,
        if conditions: Conditions,
        _ patience: Patience
    ) throws(BackendError) -> Entry {
        var time: Int64 = 0
        do throws(BackendError) {
            try store.claims.change(key, patience) { (versions) throws(BackendError) -> Change? in
                try conditions.checkWrite(key, existing: versions.last?.etag)
                time = timeOfUpload(after: versions)
                let edit = Change.Edit(
                    file: .objectID(id),
                    expected: [("filename", .null)],
                    fields: [
                        ("filename", .string(key.bytes)), ("uploadDate", .date(time)), ("coffer.hidden", .null),
                    ],
                    name: key
                )
                return Change(edit: edit, over: versions.map(\.id))
            }
        } catch {
            isOut = error.isMaybeApplied
            throw error
        }
        isOut = true
        return try document.entry(named: key, at: time)
    }

    /// Takes away what was never published.
    ///
    /// A second is all there is; what remains the sweep finds.
    func abandon() {
        guard !isOut, isNoted || isHidden else { return }
        let patience = Patience(milliseconds: 800)
        let id = Value.objectID(id)
        do throws(BackendError) {
            if isHidden {
                // The note comes first, so that chunks are never without a word about them.
                try store.trash.doom(id, patience)
                guard try store.bucket.delete(from: store.bucket.files, [Bucket.hidden(id)], patience) > 0 || isNoted
                else {
                    // Whoever has given it a name has made its chunks somebody's.
                    return try store.trash.forget(id, patience)
                }
            }
            guard isUncertain else { return try store.trash.clear([id], patience) }
            // The note stays behind, for what may arrive after this: the sweep looks again.
            if !isHidden { try store.trash.doom(id, patience) }
            try store.trash.empty([id], patience)
        } catch {
            // A document without a name, or a note, is there: the sweep finds the rest.
        }
    }
}

/// Later than all versions of a key, also where the clock of another writer is ahead.
func timeOfUpload(after versions: [StoredFile]) -> Int64 {
    max(wallMilliseconds(), versions.last.map { $0.uploaded &+ 1 } ?? .min)
}

extension Document {
    /// What is known of a file once its document has a name and a time.
    fileprivate func entry(named key: ByteString, at time: Int64) throws(BackendError) -> Entry {
        let named = Document.make { writer in
            for (name, value) in self where !name.elementsEqual("uploadDate".utf8) { writer.append(name, value) }
            writer.append("uploadDate", .date(time))
            writer.append("filename", .string(key.bytes))
        }
        guard let file = StoredFile(named) else {
            throw BackendError(.internal, "the new version has no document: \(key)")
        }
        return file.entry()
    }
}
