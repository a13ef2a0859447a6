// A write in one request, where its bytes do not fit into memory and parts would lose its condition.

import CofferPluginSDK
import CofferTransport

/// A write whose bytes stream into one put; the last of them wait for the commit.
final class WholeUpload {
    private let draft: Draft
    private let headers: HTTPHeaders
    private let size: UInt64
    private let put: StreamedPut

    /// Begins the request; `checksums` are digests that will be proven before its last bytes are sent.
    init(_ draft: Draft, size: UInt64, keeping checksums: Checksums, call: Call) throws(BackendError) {
        self.draft = draft
        self.size = size
        var headers = draft.headers
        ObjectHead.write(checksums, to: &headers)
        draft.mark(&headers)
        self.headers = headers
        var request = draft.storage.request("PUT", draft.request.key, headers: headers)
        draft.addConditions(to: &request.headers)
        // A condition that is lost already costs no upload.
        request.expectsContinue = true
        put = try StreamedPut(request, size: size, from: draft.storage, call: call)
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) { try put.append(bytes, call: call) }

    /// Sends the last bytes, which publishes the object.
    func finish(call: Call) throws(BackendError) -> Entry {
        let answer = try put.finish(call: call)
        if !answer.head.isSuccess, let error = try draft.failure(answer, isMarked: true, call: call) { throw error }
        let etag = unquoted(answer.head.headers["etag"] ?? "")
        return try draft.published(etag: etag, size: size, headers: headers, isMarked: true, call: call)
    }

    func close() { put.close() }
}
