// An upload in parts, several of which are on their way at once.

import CofferCrypto
import CofferParts
import CofferPluginSDK
import CofferTransport

/// An upload in parts: unseen until its completion, aborted by its close.
///
/// Memory is one part being filled and those on their way; where parts are large, fewer are on their way.
final class PartedUpload {
    private let draft: Draft
    private let headers: HTTPHeaders
    private let id: String
    private let stream: PartedStream<UploadedPart>
    private var isCompleted = false

    /// The most bytes on their way, if that is more than one part.
    private static let mostOnTheWay: UInt64 = 64 << 20

    /// Begins an upload; `checksums` are digests that will be proven before it is completed.
    init(_ draft: Draft, keeping checksums: Checksums, call: Call) throws(BackendError) {
        self.draft = draft
        let configuration = draft.storage.configuration
        let plan = try PartPlan(size: draft.request.size, preferred: configuration.partSize)
        var headers = draft.headers
        ObjectHead.write(checksums, to: &headers)
        draft.mark(&headers)
        self.headers = headers
        let most = max(1, Int(Self.mostOnTheWay / plan.size(ofPart: 1)))
        let (storage, key) = (draft.storage, draft.request.key)
        let id = try storage.beginUpload(key, headers, call: call)
        self.id = id
        do throws(BackendError) {
            stream = try PartedStream(
                lanes: min(configuration.uploadConcurrency, most),
                mostParts: PartPlan.mostParts,
                sizeOfPart: plan.size(ofPart:)
            ) { number, body, call throws(BackendError) in
                try storage.putPart(number, of: key, upload: id, body: body, call: call)
            }
        } catch {
            storage.abortUpload(key, id: id)
            throw error
        }
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) { try stream.append(bytes, call: call) }

    /// Publishes the object.
    func complete(size: UInt64, call: Call) throws(BackendError) -> Entry {
        let parts = try stream.finish(call: call)
        let answer = try draft.storage.completeUpload(draft, id: id, parts: parts, call: call)
        isCompleted = true
        let told = Answer.etag(answer.body)
        let etag = told.isEmpty ? Self.etag(of: parts) : told
        return try draft.published(etag: etag, size: size, headers: headers, isMarked: true, call: call)
    }

    func close() {
        stream.close()
        guard !isCompleted else { return }
        draft.storage.abortUpload(draft.request.key, id: id)
    }

    /// The tag of an object in parts, where each part's is an MD5; empty where it is not.
    static func etag(of parts: [UploadedPart]) -> String {
        var digests: [UInt8] = []
        for part in parts {
            guard let digest = bytes(hex: part.etag), digest.count == 16 else { return "" }
            digests += digest
        }
        return "\(hex(Digest.of(digests, .md5)))-\(parts.count)"
    }
}

// The requests of an upload.
extension S3Storage {
    /// Begins an upload; answers its id.
    func beginUpload(_ key: ByteString, _ headers: HTTPHeaders, call: Call) throws(BackendError) -> String {
        var request = request("POST", key, query: "uploads", headers: headers)
        if configuration.checksum == .crc32c || configuration.checksum == .sha256 {
            request.headers.add("x-amz-checksum-algorithm", configuration.checksum.rawValue.uppercased())
        }
        // One too many is only an upload that nobody completes.
        request.repetition = .always
        let answer = try send(request, "writing \(key)", call: call)
        guard let id = Answer.uploadID(answer.body), !id.isEmpty else {
            throw BackendError(.io, "writing \(key): the store names no upload")
        }
        return id
    }

    /// Sends one part.
    func putPart(
        _ number: Int,
        of key: ByteString,
        upload id: String,
        body: [UInt8],
        call: Call
    ) throws(BackendError) -> UploadedPart {
        let query = "partNumber=\(number)&uploadId=\(percentEncoded(id.utf8))"
        var request = request("PUT", key, query: query, body: body)
        let checksum = addChecksum(configuration.checksum, of: body, to: &request.headers)
        let answer = try send(request, "writing part \(number) of \(key)", call: call)
        guard let tag = answer.head.headers["etag"] else {
            throw BackendError(.io, "writing part \(number) of \(key): the store gives no entity tag")
        }
        return UploadedPart(number: number, etag: unquoted(tag), checksum: checksum)
    }

    /// Completes an upload.
    func completeUpload(
        _ draft: Draft,
        id: String,
        parts: [UploadedPart],
        call: Call
    ) throws(BackendError) -> HTTPAnswer {
        var request = request(
            "POST",
            draft.request.key,
            query: "uploadId=\(percentEncoded(id.utf8))",
            headers: ["Content-Type": "application/xml"],
            body: Question.complete(parts)
        )
        draft.addConditions(to: &request.headers)
        request.repetition = .always
        request.judge = hiddenError
        // The store may put the parts together before it says a word.
        request.answerTimeout = .seconds(600)
        let answer = try endpoint.send(request, call: call)
        if !answer.head.isSuccess, let error = try draft.failure(answer, isMarked: true, call: call) { throw error }
        return answer
    }

    /// Drops an upload and its parts, in the time that a close has.
    func abortUpload(_ key: ByteString, id: String) {
        var request = request("DELETE", key, query: "uploadId=\(percentEncoded(id.utf8))")
        request.repetition = .always
        do throws(BackendError) {
            let work = try Background(nanoseconds: 800_000_000)
            let answer = try endpoint.send(request, call: work.call)
            if answer.head.isSuccess || answer.status == 404 { return }
            throw Refusal(answer).error(answer, "aborting the upload of \(key)", key: nil)
        } catch {
            // A close has nobody to throw to; a rule of the bucket can remove what is left.
            host.log(.warning, "parts of an upload may be left: \(error.message)")
        }
    }
}
