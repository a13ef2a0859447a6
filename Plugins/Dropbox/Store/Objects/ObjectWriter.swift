// A write: in one call where the bytes fit into one part, in a session where they do not.

import CofferJSON
package import CofferPluginSDK
import CofferTransport

extension DropboxStorage {
    package func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        try ObjectWriter(self, request)
    }
}

/// A write: gathered unseen, published by one call at its commit.
final class ObjectWriter: WriteStream {
    private let storage: DropboxStorage
    private let request: WriteRequest
    private let path: String
    private var buffer: [UInt8] = []
    private var session: UploadSession?

    /// Begins a write; no I/O.
    init(_ storage: DropboxStorage, _ request: WriteRequest) throws(BackendError) {
        self.storage = storage
        self.request = request
        path = try storage.names.path(of: request.key)
        if !request.properties.isEmpty { throw .unsupported("a property of an object") }
        if let size = request.size, size > storage.traits.limits.maxObject {
            throw BackendError(.tooLarge, "dropbox takes files up to \(storage.traits.limits.maxObject) bytes")
        }
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        let capacity = Int(storage.configuration.partSize)
        if buffer.isEmpty, let size = request.size { buffer.reserveCapacity(Int(min(size, UInt64(capacity)))) }
        var rest = bytes
        while !rest.isEmpty {
            // A full part goes when the next byte shows that it is not the last.
            if buffer.count == capacity { try sendPart(call) }
            let count = min(capacity - buffer.count, rest.byteCount)
            rest.extracting(first: count).withUnsafeBytes { buffer.append(contentsOf: $0) }
            rest = rest.extracting(droppingFirst: count)
        }
    }

    private func sendPart(_ call: Call) throws(BackendError) {
        if session == nil { session = try UploadSession(storage, request.key, call: call) }
        let part = buffer
        buffer.removeAll(keepingCapacity: true)
        try session?.append(part, call: call)
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        try call.check()
        let hash: String
        if let session {
            hash = try session.conclude(buffer, call: call)
            buffer = []
        } else {
            hash = ContentHash.hash(ofBlocks: ContentHash.blocks(of: buffer))
        }
        while true {
            let (mode, isFinal) = try mode(call)
            switch try publish(Commit(path: path, mode: mode, modified: request.modified), hash, call) {
            case .granted(let metadata): return try published(metadata, hash)
            case .refused(let refusal):
                guard refusal.isConflictOfFile else { throw refusal.error("writing \(request.key)", key: request.key) }
                if isFinal { throw lost() }
                // Whatever was there when we looked is there no more: we look again.
                try call.check()
            }
        }
    }

    /// How to treat what is there, and whether a conflict says that the condition is lost.
    private func mode(_ call: Call) throws(BackendError) -> (WriteMode, isFinal: Bool) {
        let conditions = request.conditions
        guard !conditions.isEmpty else { return (.overwrite, true) }
        if conditions.ifMatch.isEmpty { return (.add, true) }
        let isExact = conditions.ifMatch != "*" && conditions.ifNoneMatch.isEmpty
        if isExact, let revision = storage.revision(conditions.ifMatch) { return (.update(revision), true) }
        let found = try storage.look(request.key, call: call)
        try conditions.checkWrite(request.key, existing: found?.etag)
        guard let found else { return (.add, false) }
        return (.update(found.revision), false)
    }

    private func publish(_ commit: Commit, _ hash: String, _ call: Call) throws(BackendError) -> Reply {
        // A second one would lose against the first.
        let isRepeatable = request.conditions.isEmpty
        if let session { return try session.publish(commit, hash, isRepeatable: isRepeatable, call: call) }
        var arguments = commit.argument
        arguments["content_hash"] = .string(hash)
        return try storage.send(
            buffer,
            "files/upload",
            .object(arguments),
            "writing \(request.key)",
            repetition: isRepeatable ? .always : .onlyUnsent,
            call: call
        )
    }

    private func lost() -> BackendError {
        request.conditions.ifMatch.isEmpty
            ? BackendError(.alreadyExists, "already exists: \(request.key)", native: 409)
            : BackendError(.precondition, "another version: \(request.key)", native: 409)
    }

    private func published(_ metadata: JSONValue, _ hash: String) throws(BackendError) -> Entry {
        guard let facts = FileFacts(metadata) else {
            throw BackendError(.io, "writing \(request.key): dropbox tells nothing of the file", isMaybeApplied: true)
        }
        guard facts.hash?.utf8.elementsEqual(hash.utf8) ?? true else {
            throw BackendError(
                .corrupt,
                "dropbox keeps other bytes than were sent: \(request.key)",
                isMaybeApplied: true
            )
        }
        return facts.entry(request.key)
    }

    func close() {
        buffer = []
        session?.close()
        session = nil
    }
}

extension DropboxStorage {
    /// A revision as a condition can name it; nil where no file ever had it.
    func revision(_ etag: ByteString) -> String? {
        let isRevision =
            etag.count >= 9 && etag.bytes.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        return isRevision ? etag.string : nil
    }
}
