// Copies, moves, and new metadata for old objects.

import CGridFS
import CofferPluginSDK
import GridFSModel

extension Store {
    /// Copies an object, its chunks included, inside the server where it can.
    func copy(_ request: CopyRequest, _ call: Call) throws(BackendError) -> Entry {
        if request.from == request.to { return try redescribe(request, call) }
        let patience = Patience(call)
        while true {
            let source = try source(of: request, patience)
            if !request.conditions.isEmpty {
                let present = try newest(request.to, .read, patience)
                try request.conditions.checkWrite(request.to, existing: present?.etag)
            }
            let draft = Draft(attempt: request.attempt, in: self)
            defer { draft.abandon() }
            try draft.note(patience)
            guard try copyChunks(of: source, to: draft, patience) else {
                // Replaced meanwhile, or its chunks are lost.
                guard try newest(request.from, .read, patience)?.id != source.id else {
                    throw BackendError(.corrupt, "chunks are missing: \(request.from)")
                }
                try call.check()
                continue
            }
            let document = draft.document(length: source.length, chunkSize: source.chunkSize) { file, own in
                describe(source, request.replacement, &file, &own)
            }
            try draft.hide(document, patience)
            return try draft.publish(document, as: request.to, if: request.conditions, patience)
        }
    }

    /// Renames an object: its document changes in one step, its chunks stay.
    func move(_ request: CopyRequest, _ call: Call) throws(BackendError) -> Entry {
        let patience = Patience(call)
        _ = try source(of: request, patience)
        try bucket.prepare(patience)
        try claims.change(request.from, and: request.to, patience) {
            (versions, others) throws(BackendError) -> Change in
            guard let source = versions.last else { throw .notFound(request.from) }
            try Conditions(ifMatch: request.sourceIfMatch).checkRead(request.from, etag: source.etag)
            try request.conditions.checkWrite(request.to, existing: others.last?.etag)
            // Older versions must not show once the newest is away.
            try discard(versions.dropLast().map(\.id), patience)
            var fields: [(path: String, value: Value)] = [
                ("filename", .string(request.to.bytes)), ("uploadDate", .date(timeOfUpload(after: others))),
                ("coffer.modified", .int64(source.modified)), ("coffer.revision", .objectID(makeID())),
            ]
            if request.replacement != nil { fields = fields.dropLast(2) + newDescription(source, request.replacement) }
            let edit = Change.Edit(file: source.id, expected: Self.state(of: source), fields: fields, name: request.to)
            return Change(edit: edit, over: others.map(\.id), other: request.to)
        }
        guard let moved = try newest(request.to, .read, Patience(milliseconds: 5_000)) else {
            throw BackendError(.changed, "the object was removed right after its move: \(request.to)")
        }
        return moved.entry()
    }

    /// Gives an object other properties and metadata, in place.
    private func redescribe(_ request: CopyRequest, _ call: Call) throws(BackendError) -> Entry {
        let patience = Patience(call)
        _ = try source(of: request, patience)
        var found: StoredFile?
        var fields: [(path: String, value: Value)] = []
        try claims.change(request.from, patience) { (versions) throws(BackendError) -> Change? in
            guard let source = versions.last else { throw .notFound(request.from) }
            try Conditions(ifMatch: request.sourceIfMatch).checkRead(request.from, etag: source.etag)
            try request.conditions.checkWrite(request.to, existing: source.etag)
            found = source
            fields = newDescription(source, request.replacement)
            let edit = Change.Edit(
                file: source.id,
                expected: Self.state(of: source),
                fields: fields,
                name: request.from
            )
            return Change(edit: edit, over: versions.dropLast().map(\.id))
        }
        guard let file = found?.changed(fields) else {
            throw BackendError(.internal, "the changed object has no document: \(request.from)")
        }
        return file.entry()
    }

    private func source(of request: CopyRequest, _ patience: Patience) throws(BackendError) -> StoredFile {
        guard let file = try newest(request.from, .read, patience) else { throw .notFound(request.from) }
        try Conditions(ifMatch: request.sourceIfMatch).checkRead(request.from, etag: file.etag)
        return file
    }

    /// What the fields of a document must still be when it changes.
    private static func state(of file: StoredFile) -> [(path: String, value: Value)] {
        [("filename", .string(file.key.bytes)), ("coffer.revision", file.revision ?? .null)]
    }

    private func discard(_ ids: [Value], _ patience: Patience) throws(BackendError) {
        guard !ids.isEmpty else { return }
        try trash.announce(ids, patience)
        try bucket.delete(from: bucket.files, ids.map { .whose("_id", is: $0) }, patience)
        try trash.clear(ids, patience)
    }

    // MARK: Descriptions

    /// Writes what a copy says of itself: what its source says, or what the caller wants instead.
    private func describe(
        _ source: StoredFile,
        _ replacement: CopyRequest.Replacement?,
        _ file: inout DocumentWriter,
        _ own: inout DocumentWriter
    ) {
        if let replacement {
            let description = Description(
                properties: replacement.properties,
                metadata: replacement.metadata,
                modified: replacement.modified,
                checksums: source.entry().checksums
            )
            description.write(into: &file, own: &own)
        } else {
            for (name, value) in source.fields(["contentType", "metadata", "md5", "aliases"]) {
                file.append(name, value)
            }
            for (name, value) in source.keptOwn { own.append(name, value) }
        }
    }

    /// The fields of a document that gets another description, and so another revision.
    private func newDescription(
        _ source: StoredFile,
        _ replacement: CopyRequest.Replacement?
    ) -> [(path: String, value: Value)] {
        var (file, own) = (DocumentWriter(), DocumentWriter())
        var replacement = replacement
        if replacement != nil, replacement?.modified == nil { replacement?.modified = wallClock() }
        describe(source, replacement, &file, &own)
        own.append("revision", makeID())
        file.append("coffer", own.finish())
        let fields = file.finish()
        return ["contentType", "metadata", "md5", "coffer"].map { ($0, fields[$0] ?? .null) }
    }

    // MARK: Chunks

    /// So many bytes are copied by one command: a server that copies is silent meanwhile.
    private static let copiedAtOnce: UInt64 = 128 << 20

    /// Copies all chunks; false if some are not there.
    private func copyChunks(
        of source: StoredFile,
        to draft: Draft,
        _ patience: Patience
    ) throws(BackendError) -> Bool {
        let count = (source.length + source.chunkSize - 1) / source.chunkSize
        var next: UInt64 = 0
        while next < count {
            let isInside = bucket.copiesInside
            let bytes = isInside ? Self.copiedAtOnce : UInt64(Upload.batchBytes)
            let end = min(count, next + max(1, bytes / source.chunkSize))
            do throws(BackendError) {
                if isInside {
                    try copyInside(source, next..<end, draft, patience)
                } else if try !copyThrough(source, next..<end, draft, patience) {
                    return false
                }
                try draft.note(patience)
            } catch {
                // A server that cannot do this copies nothing: then the bytes go through here.
                if error.isMaybeApplied { draft.isUncertain = true }
                guard isInside, error.code == .io else { throw error.asAttempt }
                bucket.copiesInside = false
                continue
            }
            next = end
        }
        return try draft.hasChunks(count, patience)
    }

    private func range(_ source: StoredFile, _ numbers: Range<UInt64>) -> Document {
        .make { filter in
            filter.append("files_id", source.id)
            filter.append("n") {
                $0.append("$gte", Int(numbers.lowerBound))
                $0.append("$lt", Int(numbers.upperBound))
            }
        }
    }

    /// Lets the server make the new chunks out of the old ones; it gives them identifiers of their own.
    private func copyInside(
        _ source: StoredFile,
        _ numbers: Range<UInt64>,
        _ draft: Draft,
        _ patience: Patience
    ) throws(BackendError) {
        let stages: [Document] = [
            .make { $0.append("$match", range(source, numbers)) },
            .make { stage in
                stage.append("$project") {
                    $0.append("_id", Int32(0))
                    $0.append("n", Int32(1))
                    $0.append("data", Int32(1))
                }
            },
            .make { stage in
                stage.append("$addFields") { fields in
                    fields.append("files_id") { $0.append("$literal", draft.id) }
                }
            },
            .make { stage in stage.append("$merge") { $0.append("into", bucket.chunks) } },
        ]
        let command = Document.make {
            $0.append("aggregate", bucket.chunks)
            $0.append("pipeline", array: stages.map { .document($0) })
            $0.append("cursor", .empty)
        }
        _ = try server.run(command, .write, patience)
    }

    /// Reads chunks and writes them again; false if some are not there.
    private func copyThrough(
        _ source: StoredFile,
        _ numbers: Range<UInt64>,
        _ draft: Draft,
        _ patience: Patience
    ) throws(BackendError) -> Bool {
        let found = try bucket.find(
            in: bucket.chunks,
            range(source, numbers),
            sort: [("n", 1)],
            limit: numbers.count,
            .read,
            patience
        )
        guard !found.isEmpty else { return false }
        let copies = found.map { chunk in
            Document.make { copy in
                for (name, value) in chunk {
                    switch String(decoding: name, as: UTF8.self) {
                    case "_id": copy.append(name, .objectID(makeID()))
                    case "files_id": copy.append(name, .objectID(draft.id))
                    default: copy.append(name, value)
                    }
                }
            }
        }
        try bucket.insert(copies, into: bucket.chunks, patience)
        return found.count == numbers.count
    }
}

extension BackendError {
    /// The same where nothing is published yet: a whole new attempt does no harm.
    fileprivate var asAttempt: BackendError {
        var error = self
        error.isMaybeApplied = false
        return error
    }
}
