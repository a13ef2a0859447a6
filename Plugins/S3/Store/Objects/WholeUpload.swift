// One request whose bytes stream, and whose last ones wait for the commit.

import CofferPluginSDK
import CofferTransport

/// A put of a known size that is sent while its bytes come; without its last bytes the store publishes nothing.
final class WholeUpload {
    private let draft: Draft
    private let headers: HTTPHeaders
    private let size: UInt64
    private let upload: HTTPUpload
    private var chunks: ChunkSigner?
    /// What waits: a chunk that is not full yet, and in any case the last bytes.
    private var held: [UInt8] = []

    /// Begins the request; `checksums` are digests that will be proven before its last bytes are sent.
    init(_ draft: Draft, size: UInt64, keeping checksums: Checksums, call: Call) throws(BackendError) {
        self.draft = draft
        self.size = size
        var headers = draft.headers
        ObjectHead.write(checksums, to: &headers)
        draft.mark(&headers)
        self.headers = headers
        let storage = draft.storage
        let origin = storage.configuration.place.origin
        var request = storage.request("PUT", draft.request.key, headers: headers)
        draft.addConditions(to: &request.headers)
        request.isSigned = false
        // A condition that is lost already costs no upload.
        request.expectsContinue = true
        var length = size
        if storage.signer.framesStreams(isSecure: origin.isSecure) {
            chunks = try storage.signer.signChunked(&request, length: size, origin: origin, call: call)
            length = ChunkSigner.framedLength(of: size, chunk: UInt64(S3Signer.chunkLength))
        } else if !storage.credentials.isAnonymous {
            try storage.signer.signUnsigned(&request, origin: origin, call: call)
        }
        upload = try storage.endpoint.beginUpload(request, length: length, call: call)
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        var rest = bytes
        while !rest.isEmpty {
            // A full chunk goes when the next byte shows that it is not the last.
            if held.count == S3Signer.chunkLength { try send(call: call) }
            let count = min(S3Signer.chunkLength - held.count, rest.byteCount)
            rest.extracting(first: count).withUnsafeBytes { held.append(contentsOf: $0) }
            rest = rest.extracting(droppingFirst: count)
        }
    }

    private func send(call: Call) throws(BackendError) {
        var bytes = held
        held = []
        if var signer = chunks {
            let framed = signer.head(of: bytes.span.bytes) + bytes + ChunkSigner.lineEnd
            chunks = signer
            try upload.append(framed.span.bytes, call: call)
        } else {
            try upload.append(bytes.span.bytes, call: call)
        }
        bytes.removeAll(keepingCapacity: true)
        held = bytes
    }

    /// Sends the last bytes, which publishes the object.
    func finish(call: Call) throws(BackendError) -> Entry {
        if !held.isEmpty { try send(call: call) }
        if var signer = chunks {
            let last = signer.last()
            try upload.append(last.span.bytes, call: call)
        }
        let answer = try upload.finish(call: call)
        if !answer.head.isSuccess, let error = try draft.failure(answer, isMarked: true, call: call) { throw error }
        let etag = unquoted(answer.head.headers["etag"] ?? "")
        return try draft.published(etag: etag, size: size, headers: headers, isMarked: true, call: call)
    }

    func close() { upload.abort() }
}
