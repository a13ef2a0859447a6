// Copies: inside Dropbox where the target is new, through us where it is replaced.

import CofferJSON
package import CofferPluginSDK
import CofferTransport

extension DropboxStorage {
    package func copy(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry {
        // Dropbox copies to where nothing is, and whatever the source is then; all else goes by reading and writing.
        if request.sourceIfMatch.isEmpty && request.conditions.ifMatch.isEmpty {
            if let entry = try copyInside(request, call: call) { return entry }
        }
        return try copyThrough(request, call: call)
    }

    /// Copies without a byte passing here; nil where something is at the target that may be replaced.
    private func copyInside(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry? {
        let arguments: JSONValue = [
            "from_path": .string(try names.path(of: request.from)), "to_path": .string(try names.path(of: request.to)),
            "autorename": false,
        ]
        // It would copy a folder too, with everything below it.
        guard try look(request.from, call: call) != nil else { throw .notFound(request.from) }
        let reply = try ask(
            "files/copy_v2",
            arguments,
            "copying \(request.from)",
            repetition: .onlyUnsent,
            call: call
        )
        switch reply {
        case .granted(let answer):
            guard let facts = answer["metadata"].flatMap(FileFacts.init) else {
                throw BackendError(
                    .io,
                    "copying \(request.from): dropbox tells nothing of the copy",
                    isMaybeApplied: true
                )
            }
            return facts.entry(request.to)
        case .refused(let refusal):
            if refusal.says("from_lookup") && refusal.isAbsence { throw .notFound(request.from) }
            if refusal.isConflictOfFile && request.conditions.isEmpty { return nil }
            throw refusal.error("copying \(request.from)", key: request.to)
        }
    }

    /// Reads one revision and writes it, with the conditions that Dropbox keeps on writes.
    private func copyThrough(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry {
        var source = ReadRequest(request.from)
        source.conditions.ifMatch = request.sourceIfMatch
        let answer = try openRead(source, call: call)
        guard case .stream(let reader) = answer.body else {
            throw BackendError(.internal, "a read without a stream")
        }
        defer { reader.close() }
        var target = WriteRequest(request.to)
        target.size = UInt64(answer.range.count)
        target.conditions = request.conditions
        target.attempt = request.attempt
        target.modified = answer.entry.modified == Entry.unknownTime ? nil : answer.entry.modified
        let writer = try ObjectWriter(self, target)
        defer { writer.close() }
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            var span = buffer.mutableSpan
            var bytes = span.mutableBytes
            let count = try reader.read(into: &bytes, call: call)
            guard count > 0 else { break }
            try writer.append(buffer.span.bytes.extracting(first: count), call: call)
        }
        return try writer.commit(checksums: Checksums(), call: call)
    }
}
