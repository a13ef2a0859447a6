// Copies inside the store: in one request, or in parts where the source is too large for one.

import CofferCrypto
import CofferParts
package import CofferPluginSDK
import CofferTransport

extension S3Storage {
    /// The largest object that one request copies.
    private static let largestCopy: UInt64 = 5 << 30
    /// The size of a part that is copied.
    private static let copyPart: UInt64 = 1 << 30

    package func copy(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry {
        guard let head = try head(request.from, call: call) else {
            throw request.sourceIfMatch.isEmpty
                ? .notFound(request.from)
                : BackendError(.precondition, "no such object: \(request.from)", native: 404)
        }
        let source = entry(request.from, head)
        if !request.sourceIfMatch.isEmpty {
            try Conditions(ifMatch: request.sourceIfMatch).checkRead(request.from, etag: source.etag)
        }
        let size = UInt64(max(0, source.size))
        var target = WriteRequest(request.to)
        target.size = size
        target.attempt = request.attempt
        target.conditions = request.conditions
        let kept = request.replacement
        target.properties = kept?.properties ?? source.properties.without("storage-class")
        target.metadata = kept?.metadata ?? source.metadata
        let draft = try Draft(self, target)
        var headers = draft.headers
        // The bytes are the same, and so are their digests.
        ObjectHead.write(source.checksums, to: &headers)
        if size > Self.largestCopy {
            draft.mark(&headers)
            return try copyInParts(draft, source, headers, call: call)
        }
        return try copyAtOnce(draft, source, headers, replaces: kept != nil, call: call)
    }

    private func copyAtOnce(
        _ draft: Draft,
        _ source: Entry,
        _ headers: HTTPHeaders,
        replaces: Bool,
        call: Call
    ) throws(BackendError) -> Entry {
        let (key, isMarked) = (draft.request.key, !draft.request.conditions.isEmpty)
        // The mark of an attempt goes only with new metadata.
        let isReplacing = replaces || isMarked
        var headers = isReplacing ? headers : configuration.creation
        if isMarked { draft.mark(&headers) }
        var question = request("PUT", key, headers: headers)
        addSource(source, to: &question.headers)
        question.headers.add("x-amz-metadata-directive", isReplacing ? "REPLACE" : "COPY")
        draft.addConditions(to: &question.headers)
        question.answerTimeout = .seconds(600)
        question.judge = hiddenError
        let answer = try endpoint.send(question, call: call)
        if !answer.head.isSuccess {
            if answer.status == 412 && draft.request.conditions.isEmpty {
                throw BackendError(.changed, "changed while it was copied: \(source.key)", native: 412)
            }
            if answer.status == 404, Refusal(answer).code == "NoSuchKey" { throw .notFound(source.key) }
            if let error = try draft.failure(answer, isMarked: isMarked, call: call) { throw error }
        }
        return try draft.published(
            etag: Answer.etag(answer.body),
            size: draft.request.size ?? 0,
            headers: headers,
            isMarked: isMarked,
            call: call
        )
    }

    private func copyInParts(
        _ draft: Draft,
        _ source: Entry,
        _ headers: HTTPHeaders,
        call: Call
    ) throws(BackendError) -> Entry {
        guard draft.request.conditions.isEmpty || configuration.traits.conditions.contains(.complete) else {
            throw .unsupported("a condition on a copy of more than 5 GiB")
        }
        let (key, size) = (draft.request.key, draft.request.size ?? 0)
        let lanes = try Lanes<UploadedPart>(most: configuration.uploadConcurrency)
        let id = try beginUpload(key, headers, call: call)
        var isCompleted = false
        defer {
            lanes.cancel()
            if !isCompleted { abortUpload(key, id: id) }
        }
        let plan = try PartPlan(size: size, preferred: Self.copyPart)
        let part = plan.size(ofPart: 1)
        for (index, start) in stride(from: 0, to: size, by: UInt64.Stride(part)).enumerated() {
            let end = min(start + part, size)
            try lanes.run(call: call) { [self] call throws(BackendError) in
                try copyPart(index + 1, of: key, upload: id, from: source, start..<end, call: call)
            }
        }
        let parts = try lanes.finish(call: call).sorted { $0.number < $1.number }
        let answer = try completeUpload(draft, id: id, parts: parts, call: call)
        isCompleted = true
        let told = Answer.etag(answer.body)
        return try draft.published(
            etag: told.isEmpty ? PartedUpload.etag(of: parts) : told,
            size: size,
            headers: headers,
            isMarked: true,
            call: call
        )
    }

    private func copyPart(
        _ number: Int,
        of key: ByteString,
        upload id: String,
        from source: Entry,
        _ range: Range<UInt64>,
        call: Call
    ) throws(BackendError) -> UploadedPart {
        let query = "partNumber=\(number)&uploadId=\(percentEncoded(id.utf8))"
        var question = request("PUT", key, query: query)
        addSource(source, to: &question.headers)
        question.headers.add("x-amz-copy-source-range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")
        question.answerTimeout = .seconds(600)
        question.judge = hiddenError
        let answer = try endpoint.send(question, call: call)
        guard answer.head.isSuccess else {
            if answer.status == 412 { throw BackendError(.changed, "changed while it was copied: \(source.key)") }
            throw Refusal(answer).error(answer, "copying part \(number) of \(source.key)", key: source.key)
        }
        let etag = Answer.etag(answer.body)
        guard !etag.isEmpty else { throw BackendError(.io, "copying \(source.key): the store gives no entity tag") }
        return UploadedPart(number: number, etag: etag)
    }

    /// Names the source of a copy, at the version that was looked at.
    private func addSource(_ source: Entry, to headers: inout HTTPHeaders) {
        headers.add("x-amz-copy-source", configuration.place.source(source.key))
        if !source.etag.isEmpty {
            headers.add("x-amz-copy-source-if-match", "\"\(source.etag)\"")
            if configuration.traits.copiesWithShortNames { headers.add("x-amz-copy-if-match", "\"\(source.etag)\"") }
        }
        // The customer's key reads the source too.
        let name = "x-amz-server-side-encryption-customer-"
        for field in configuration.objectHeaders where field.name.utf8.starts(with: name.utf8) {
            headers.add("x-amz-copy-source-" + field.name.dropFirst("x-amz-".utf8.count), field.value)
        }
    }
}

extension Properties {
    /// The same without one name.
    fileprivate func without(_ name: String) -> Properties {
        var rest = self
        rest[name] = nil
        return rest
    }
}
