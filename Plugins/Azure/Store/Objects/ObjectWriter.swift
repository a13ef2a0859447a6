// A write: in one request where the bytes fit into memory, in blocks where they do not.

import CofferCrypto
package import CofferPluginSDK
import CofferTransport

extension AzureStorage {
    package func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        try ObjectWriter(self, request)
    }
}

/// A write.
///
///     gathering ──more than one block──▶ blocks    (unseen until they are committed, together and on condition)
final class ObjectWriter: WriteStream {
    private let draft: Draft
    private var blocks: BlockUpload?
    private var buffer: [UInt8] = []
    private var claimed: ClaimedDigests
    private var size: UInt64 = 0

    /// Begins a write; no I/O.
    init(_ storage: AzureStorage, _ request: WriteRequest) throws(BackendError) {
        draft = try Draft(storage, request)
        claimed = ClaimedDigests(request.checksums)
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        size += UInt64(bytes.byteCount)
        if let blocks {
            claimed.update(bytes)
            return try blocks.append(bytes, call: call)
        }
        let most = draft.storage.configuration.partSize
        if UInt64(buffer.count + bytes.byteCount) <= most {
            if buffer.isEmpty, let size = draft.request.size { buffer.reserveCapacity(Int(min(size, most))) }
            return bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
        }
        let upload = try BlockUpload(draft)
        blocks = upload
        claimed.compute()
        let held = buffer
        buffer = []
        claimed.update(held.span.bytes)
        claimed.update(bytes)
        try upload.append(held.span.bytes, call: call)
        try upload.append(bytes, call: call)
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        try call.check()
        guard let blocks else {
            let proven = try claimed.proven(checksums, whole: buffer)
            let body = buffer
            buffer = []
            return try draft.storage.put(draft, body, proven, call: call)
        }
        return try blocks.commit(size: size, checksums: try claimed.proven(checksums), call: call)
    }

    func close() { blocks?.close() }
}

extension AzureStorage {
    /// Writes an object in one request.
    func put(_ draft: Draft, _ body: [UInt8], _ checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        var headers = draft.headers
        ObjectHead.write(checksums, to: &headers)
        headers.add("x-ms-blob-type", "BlockBlob")
        draft.addConditions(to: &headers)
        addDigest(of: body, to: &headers)
        let isMarked = !draft.request.conditions.isEmpty
        if isMarked { draft.mark(&headers) }
        let size = UInt64(body.count)
        let request = try request("PUT", draft.request.key, headers: headers, body: body)
        let head: HTTPHead
        if isMarked {
            head = try draft.publish(request, call: call)
        } else {
            let answer = try endpoint.send(request, call: call)
            guard answer.head.isSuccess else { throw try draft.refused(answer, call: call) }
            head = answer.head
        }
        var kept = checksums
        // The service computes this one by itself, and keeps it.
        if let digest = head.headers["content-md5"] { ObjectHead.add(md5: digest, to: &kept) }
        return draft.published(head, size: size, checksums: kept)
    }

    /// Adds the digest by which the service verifies a body, where that is wanted.
    func addDigest(of body: [UInt8], to headers: inout HTTPHeaders) {
        guard configuration.sendsDigests, !body.isEmpty else { return }
        headers["Content-MD5"] = base64(Digest.of(body, .md5))
    }
}
