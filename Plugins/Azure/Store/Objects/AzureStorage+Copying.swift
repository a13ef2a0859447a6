// Copies inside the store: in one request, or in blocks where the source is large or the target itself.

import CofferParts
package import CofferPluginSDK
import CofferTransport

extension AzureStorage {
    /// The largest object that one request copies, and the size of a block that is copied.
    private static let largestPiece: UInt64 = 256 << 20

    package func copy(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry {
        _ = try BlobName.name(of: request.to)
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
        target.properties = kept?.properties ?? source.properties
        // Where a blob is kept is not a word about what it holds.
        if kept == nil { target.properties["storage-class"] = nil }
        target.metadata = kept?.metadata ?? source.metadata
        let isItself = request.from == request.to
        // Whoever changes what describes an object changes the version that was looked at.
        if isItself, target.conditions.isEmpty { target.conditions.ifMatch = source.etag }
        let draft = try Draft(self, target)
        if size == 0 { return try put(draft, [], source.checksums, call: call) }
        if size > Self.largestPiece || isItself { return try copyInBlocks(draft, source, call: call) }
        return try copyAtOnce(draft, source, call: call)
    }

    private func copyAtOnce(_ draft: Draft, _ source: Entry, call: Call) throws(BackendError) -> Entry {
        var headers = draft.headers
        // The bytes are the same, and so are their digests.
        ObjectHead.write(source.checksums, to: &headers)
        headers.add("x-ms-blob-type", "BlockBlob")
        headers.add("x-ms-copy-source-blob-properties", "false")
        draft.addConditions(to: &headers)
        draft.mark(&headers)
        try addSource(source, to: &headers, call: call)
        var question = try request("PUT", draft.request.key, headers: headers)
        question.answerTimeout = .seconds(600)
        let head: HTTPHead
        do throws(BackendError) {
            head = try draft.publish(question, call: call)
        } catch {
            throw ofSource(error, source)
        }
        return draft.published(head, size: UInt64(max(0, source.size)), checksums: source.checksums)
    }

    private func copyInBlocks(_ draft: Draft, _ source: Entry, call: Call) throws(BackendError) -> Entry {
        let (key, size, names) = (draft.request.key, UInt64(max(0, source.size)), BlockNames())
        let piece = try BlockPlan(size: size, preferred: Self.largestPiece).size(ofBlock: 1)
        let lanes = try Lanes<Int>(most: configuration.uploadConcurrency)
        defer { lanes.cancel() }
        var blocks: [String] = []
        for start in stride(from: 0, to: size, by: UInt64.Stride(piece)) {
            let id = names.id(blocks.count + 1)
            blocks.append(id)
            let range = start..<min(start + piece, size)
            try lanes.run(call: call) { [self] call throws(BackendError) in
                try copyBlock(id, of: key, from: source, range, call: call)
                return 0
            }
        }
        _ = try lanes.finish(call: call)
        return try commit(draft, blocks, size: size, source.checksums, call: call)
    }

    private func copyBlock(
        _ id: String,
        of key: ByteString,
        from source: Entry,
        _ range: Range<UInt64>,
        call: Call
    ) throws(BackendError) {
        var headers = HTTPHeaders()
        try addSource(source, to: &headers, call: call)
        headers.add("x-ms-source-range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")
        let query = "comp=block&blockid=\(percentEncoded(id.utf8))"
        var question = try request("PUT", key, query: query, headers: headers)
        question.answerTimeout = .seconds(600)
        do throws(BackendError) {
            try send(question, "copying \(source.key)", call: call)
        } catch {
            throw ofSource(error, source)
        }
    }

    /// Names the source of a copy, at the version that was looked at, and proves that it may be read.
    private func addSource(_ source: Entry, to headers: inout HTTPHeaders, call: Call) throws(BackendError) {
        let place = configuration.place
        let name = try BlobName.name(of: source.key)
        var url = "\(place.origin)\(place.path(name))"
        switch access {
        case .key(let key):
            let read = SharedAccess(
                account: place.account,
                container: place.container,
                name: name,
                permissions: "r",
                expires: wallClock() / 1_000_000_000 + 3600,
                isSecure: place.origin.isSecure
            )
            url += "?" + read.query(key)
        case .signature(let query): url += "?" + query
        case .token(let tokens):
            headers.add("x-ms-copy-source-authorization", "Bearer \(try tokens.token(call: call))")
        }
        headers.add("x-ms-copy-source", url)
        if !source.etag.isEmpty { headers.add("x-ms-source-if-match", "\"\(source.etag)\"") }
    }

    /// An error of a copy that is about its source.
    private func ofSource(_ error: BackendError, _ source: Entry) -> BackendError {
        if error.code == .changed {
            return BackendError(.changed, "changed while it was copied: \(source.key)", native: error.native)
        }
        return error.native == 404 && error.code == .notFound ? .notFound(source.key) : error
    }
}
