// A write: in one request where the bytes fit into memory, in chunks where they do not.

import CofferCrypto
import CofferPluginSDK
import CofferTransport

/// A write.
///
///     gathering ──more than one chunk──▶ chunks    (a session of the store, published by its last chunk)
///         └────────────────────────────▶ at once   (one request at the commit)
final class ObjectWriter: WriteStream {
    private let request: WriteRequest
    private var draft: Draft
    private var session: ChunkedUpload?
    private var buffer: [UInt8] = []
    private var claims: Claims
    private let crc = Digest(.crc32c)
    private var size: UInt64 = 0

    /// Begins a write; no I/O.
    init(_ storage: GCSStorage, _ request: WriteRequest) throws(BackendError) {
        self.request = request
        draft = try Draft(
            storage,
            request.key,
            conditions: request.conditions,
            attempt: request.attempt,
            properties: request.properties,
            metadata: request.metadata
        )
        if let size = request.size, size > 5 << 40 {
            throw BackendError(.tooLarge, "an object has at most 5 TiB: \(request.key)")
        }
        claims = Claims(request.checksums)
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        size += UInt64(bytes.byteCount)
        crc.update(bytes)
        if let session {
            claims.update(bytes)
            return try session.append(bytes, call: call)
        }
        let most = Int(draft.storage.configuration.chunkSize)
        guard buffer.count + bytes.byteCount > most else {
            if buffer.isEmpty, let size = request.size { buffer.reserveCapacity(Int(min(size, UInt64(most)))) }
            bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
            return
        }
        draft.object.checksums = claims.provable
        let session = try ChunkedUpload(draft, size: request.size, call: call)
        self.session = session
        claims.compute()
        let held = buffer
        buffer = []
        claims.update(held.span.bytes)
        try session.append(held.span.bytes, call: call)
        claims.update(bytes)
        try session.append(bytes, call: call)
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        try call.check()
        guard let session else { return try insert(checksums, call: call) }
        _ = try claims.prove(checksums, whole: nil)
        let made = try session.finish(size: size, crc32c: crc.finish(), call: call)
        try draft.check(made, size: size, crc32c: crc.finish(), call: call)
        return made.entry
    }

    private func insert(_ checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        draft.object.checksums = try claims.prove(checksums, whole: buffer)
        draft.object.crc32c = crc.finish()
        if !request.conditions.isEmpty { draft.object.attempt = draft.attempt }
        let storage = draft.storage
        let document = draft.object.document(name: request.key)
        let form = RelatedParts(document, type: draft.object.properties["content-type"] ?? "", buffer)
        buffer = []
        let query = [(name: "uploadType", value: "multipart")] + storage.creation(draft.precondition)
        let question = HTTPRequest(
            "POST",
            "\(storage.configuration.place.uploadPath)?\(encodedQuery(query))",
            headers: ["Content-Type": form.contentType],
            body: form.body
        )
        let made = try draft.sendOnce(question, "writing \(request.key)", call: call)
        try draft.check(made, size: size, crc32c: crc.finish(), call: call)
        return made.entry
    }

    func close() { session?.close() }
}

/// The body of a request that brings an object's resource and its bytes (RFC 2387).
struct RelatedParts {
    let contentType: String
    let body: [UInt8]

    init(_ document: [UInt8], type: String, _ bytes: [UInt8]) {
        var generator = SystemRandomNumberGenerator()
        // By chance it stands in the bytes once in 2^128 writes.
        let boundary = "coffer-\(String(generator.next(), radix: 16))-\(String(generator.next(), radix: 16))"
        contentType = "multipart/related; boundary=\(boundary)"
        // The type that counts is the resource's: this one may hold what no line can.
        let isField = type.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
        let second = isField && !type.isEmpty ? type : "application/octet-stream"
        var body: [UInt8] = []
        body.reserveCapacity(document.count + bytes.count + 400)
        body += Array("--\(boundary)\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n".utf8)
        body += document
        body += Array("\r\n--\(boundary)\r\nContent-Type: \(second)\r\n\r\n".utf8)
        body += bytes
        body += Array("\r\n--\(boundary)--\r\n".utf8)
        self.body = body
    }
}
