// What a decided claim does, and the versions that it is decided by.

import CofferPluginSDK
import GridFSModel

extension Claims {
    /// Carries out a change of one's own, a little longer than the caller waits, since it is decided.
    func finish(
        _ change: Change,
        _ key: ByteString,
        _ token: ObjectID,
        _ patience: Patience
    ) throws(BackendError) {
        do throws(BackendError) {
            try carryOut(change, key, token, patience)
        } catch {
            guard error.code == .cancelled || error.code == .timeout else { throw error }
            try carryOut(change, key, token, Patience(milliseconds: Self.grace))
        }
    }

    /// Carries a decided change out, and gives the key free.
    ///
    /// Once the document has changed, readers have seen it: what remains then is done by somebody else if it fails here.
    func carryOut(
        _ change: Change,
        _ key: ByteString,
        _ token: ObjectID,
        _ patience: Patience
    ) throws(BackendError) {
        if let edit = change.edit {
            do throws(BackendError) {
                // If neither the change nor the claim is there, somebody has carried it out, and another one followed.
                if try !apply(edit, patience),
                    try bucket.delete(from: bucket.own, [Self.mine(key, token)], patience) > 0
                {
                    throw BackendError(
                        .changed,
                        "the new version was taken away before it was published: \(key)",
                        isRetryable: true
                    )
                }
            } catch {
                var error = error
                error.isMaybeApplied = error.code != .changed
                throw error
            }
        }
        do throws(BackendError) {
            let trash = Trash(bucket: bucket)
            try trash.announce(change.over, patience)
            try bucket.delete(
                from: bucket.files,
                change.over.map { .whose("_id", is: $0) },
                patience,
                manner: .writeDurably
            )
            try bucket.delete(
                from: bucket.own,
                (change.other.map { [Self.mine($0, token)] } ?? []) + [Self.mine(key, token)],
                patience
            )
            try trash.clear(change.over, patience)
        } catch {
            if change.edit == nil {
                var error = error
                error.isMaybeApplied = true
                throw error
            }
        }
    }

    /// Changes the document, or finds that it was done.
    private func apply(_ edit: Change.Edit, _ patience: Patience) throws(BackendError) -> Bool {
        if try bucket.update(in: bucket.files, edit.filter, edit.update, patience, manner: .writeDurably) {
            return true
        }
        let done = Document.make {
            $0.append("_id", edit.file)
            $0.append("filename", .string(edit.name.bytes))
        }
        return try !bucket.find(in: bucket.files, done, only: ["_id"], limit: 1, .read, patience).isEmpty
    }

    // MARK: Versions

    /// All versions of a key, the oldest first.
    func versions(of key: ByteString, _ patience: Patience) throws(BackendError) -> [StoredFile] {
        let most = 500
        while true {
            let found = try bucket.find(
                in: bucket.files,
                .whose("filename", is: key),
                sort: [("uploadDate", 1)],
                limit: most,
                .read,
                patience
            )
            let versions = found.compactMap { StoredFile($0) }
            guard found.count == most else { return versions }
            // There are newer ones than all but the last of these.
            let over = versions.dropLast().map(\.id)
            guard !over.isEmpty else { throw BackendError(.corrupt, "the versions cannot be read: \(key)") }
            let trash = Trash(bucket: bucket)
            try trash.announce(over, patience)
            try bucket.delete(from: bucket.files, over.map { .whose("_id", is: $0) }, patience)
            try trash.clear(over, patience)
        }
    }
}
