// Chunks that are nobody's yet, or no longer.

import CofferPluginSDK
import GridFSModel

/// Chunks that are nobody's yet, or no longer.
///
/// A chunk says only whose it is, not whether that one exists; looking for lost ones would mean reading them all. So
/// before chunks are without a document, a note in `BUCKET.coffer` says so: of an upload that goes on ("draft"), and of a
/// version that is over ("doomed"). What its process did not clear away the next sweep does, by the identifier of that one
/// attempt and never by the object's name.
struct Trash {
    let bucket: Bucket

    private static func note(_ id: Value) -> Value { .document(.make { $0.append("chunks", id) }) }

    private static func document(_ id: Value, isDoomed: Bool, attempt: ByteString = .empty) -> Document {
        .make {
            $0.append("_id", note(id))
            $0.append("kind", "chunks")
            $0.append("at", .date(wallMilliseconds()))
            if isDoomed { $0.append("doomed", true) }
            if !attempt.isEmpty { $0.append("attempt", attempt.string) }
        }
    }

    /// Notes that an upload begins.
    func begin(_ id: Value, attempt: ByteString, _ patience: Patience) throws(BackendError) {
        try bucket.insert([Self.document(id, isDoomed: false, attempt: attempt)], into: bucket.own, patience)
    }

    /// Notes that an upload still goes on.
    func touch(_ id: Value, _ patience: Patience) throws(BackendError) {
        let now = Document.make { change in change.append("$set") { $0.append("at", .date(wallMilliseconds())) } }
        _ = try bucket.update(in: bucket.own, .whose("_id", is: Self.note(id)), now, patience)
    }

    /// Ends the note of an upload whose chunks are all there; false if they were taken for lost.
    func end(_ id: Value, _ patience: Patience) throws(BackendError) -> Bool {
        let filter = Document.make {
            $0.append("_id", Self.note(id))
            $0.append("doomed", .null)
        }
        return try bucket.delete(from: bucket.own, [filter], patience) > 0
    }

    /// Notes that versions are over.
    func announce(_ ids: [Value], _ patience: Patience) throws(BackendError) {
        for id in ids {
            do throws(BackendError) {
                try bucket.insert([Self.document(id, isDoomed: true)], into: bucket.own, patience)
            } catch {
                // Somebody else is at it too.
                if error.code != .alreadyExists { throw error }
            }
        }
    }

    /// Takes a note back.
    func forget(_ id: Value, _ patience: Patience) throws(BackendError) {
        try bucket.delete(from: bucket.own, [.whose("_id", is: Self.note(id))], patience)
    }

    /// Notes that an upload is over which had a note already, or had none.
    func doom(_ id: Value, _ patience: Patience) throws(BackendError) {
        let doom = Document.make { change in
            change.append("$set") {
                $0.append("doomed", true)
                $0.append("at", .date(wallMilliseconds()))
            }
        }
        if try !bucket.update(in: bucket.own, .whose("_id", is: Self.note(id)), doom, patience) {
            try announce([id], patience)
        }
    }

    /// Deletes chunks.
    func empty(_ ids: [Value], _ patience: Patience) throws(BackendError) {
        for id in ids {
            try bucket.delete(from: bucket.chunks, [.whose("files_id", is: id)], all: true, patience)
        }
    }

    /// Deletes the chunks of versions that are over, and the notes.
    func clear(_ ids: [Value], _ patience: Patience) throws(BackendError) {
        try empty(ids, patience)
        try bucket.delete(from: bucket.own, ids.map { .whose("_id", is: Self.note($0)) }, patience)
    }
}
