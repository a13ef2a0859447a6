// Uploads that outlive calls and processes: the store's own multipart uploads.

package import CofferPluginSDK
import CofferTransport

/// What names an upload to the host: the key and the store's id.
struct UploadName {
    let key: ByteString
    let id: String

    /// Reads a name; one that we never gave is `notFound`.
    init(_ text: ByteString) throws(BackendError) {
        guard let slash = text.bytes.firstIndex(of: UInt8(ascii: "/")),
            let key = percentDecoded(text.bytes[..<slash]), !key.isEmpty, text.bytes.count > slash + 1,
            let id = String(validating: text.bytes[(slash + 1)...], as: UTF8.self)
        else { throw Self.unknown }
        self.key = ByteString(key)
        self.id = id
    }

    static func text(_ key: ByteString, _ id: String) -> ByteString {
        ByteString("\(percentEncoded(key.bytes))/\(id)")
    }

    static var unknown: BackendError { BackendError(.notFound, "no such upload") }

    /// The query of a request for it.
    var query: String { "uploadId=\(percentEncoded(id.utf8))" }
}

extension S3Storage {
    package func beginUpload(_ request: WriteRequest, call: Call) throws(BackendError) -> ByteString {
        let draft = try Draft(self, request)
        var headers = draft.headers
        ObjectHead.write(ClaimedDigests(request.checksums).provable, to: &headers)
        return UploadName.text(request.key, try beginUpload(request.key, headers, call: call))
    }

    package func beginPart(_ request: PartRequest, call: Call) throws(BackendError) -> any WriteStream {
        guard (1...PartPlan.mostParts).contains(request.number) else {
            throw BackendError(.invalidArgument, "parts have the numbers 1 to \(PartPlan.mostParts)")
        }
        if let size = request.size, size > PartPlan.largestPart {
            throw BackendError(.tooLarge, "a part has at most 5 GiB")
        }
        return PartWriter(self, try UploadName(request.upload), request)
    }

    package func listParts(of upload: ByteString, into sink: EntrySink, call: Call) throws(BackendError) {
        guard let parts = try parts(of: try UploadName(upload), call: call) else { throw UploadName.unknown }
        for part in parts { try sink.sendPart(number: part.number, etag: ByteString(part.etag), size: part.size) }
    }

    /// The parts that the store has; nil if it knows no such upload.
    private func parts(
        of upload: UploadName,
        call: Call
    ) throws(BackendError) -> [(number: Int, etag: String, size: UInt64)]? {
        var parts: [(number: Int, etag: String, size: UInt64)] = []
        var marker: String?
        repeat {
            let query = upload.query + (marker.map { "&part-number-marker=\(percentEncoded($0.utf8))" } ?? "")
            let answer = try endpoint.send(request("GET", upload.key, query: query), call: call)
            if answer.status == 404, Refusal(answer).code != "NoSuchBucket" { return nil }
            guard answer.head.isSuccess, let page = Answer.parts(answer.body) else {
                throw Refusal(answer).error(answer, "listing the parts of \(upload.key)", key: nil)
            }
            parts += page.parts.map { ($0.number, $0.etag, UInt64(max(0, $0.size))) }
            marker = page.next
        } while marker != nil
        return parts
    }

    package func completeUpload(
        _ upload: ByteString,
        _ request: WriteRequest,
        parts: [UploadPart],
        call: Call
    ) throws(BackendError) -> Entry {
        let name = try UploadName(upload)
        guard request.conditions.isEmpty || configuration.traits.conditions.contains(.complete) else {
            throw .unsupported("a condition on completing an upload")
        }
        guard name.key == request.key else { throw BackendError(.invalidArgument, "the upload is of another key") }
        let wanted = parts.map { UploadedPart(number: $0.number, etag: $0.etag.string) }
        guard let present = try self.parts(of: name, call: call) else {
            return try completedBefore(request.key, wanted, call: call)
        }
        let size = try Self.check(parts, against: present)
        if let announced = request.size, announced != size {
            throw BackendError(.invalidArgument, "the parts have \(size) bytes instead of the announced \(announced)")
        }
        let draft = try Draft(self, request)
        let answer = try completeUpload(draft, id: name.id, parts: wanted, call: call)
        let told = Answer.etag(answer.body)
        let etag = told.isEmpty ? PartedUpload.etag(of: wanted) : told
        return try draft.published(etag: etag, size: size, headers: draft.headers, isMarked: false, call: call)
    }

    /// What an earlier completion of the same parts made; `notFound` if there is no such object.
    private func completedBefore(
        _ key: ByteString,
        _ parts: [UploadedPart],
        call: Call
    ) throws(BackendError) -> Entry {
        let etag = PartedUpload.etag(of: parts)
        guard !etag.isEmpty, let head = try head(key, call: call) else { throw UploadName.unknown }
        let entry = entry(key, head)
        guard entry.etag.bytes.elementsEqual(etag.utf8) else { throw UploadName.unknown }
        return entry
    }

    /// The bytes of the parts; `invalidArgument` where the store has them otherwise.
    private static func check(
        _ parts: [UploadPart],
        against present: [(number: Int, etag: String, size: UInt64)]
    ) throws(BackendError) -> UInt64 {
        guard !parts.isEmpty else { throw BackendError(.invalidArgument, "an object has at least one part") }
        var known: [Int: (etag: String, size: UInt64)] = [:]
        for part in present { known[part.number] = (part.etag, part.size) }
        var total: UInt64 = 0
        var last = 0
        for (index, part) in parts.enumerated() {
            guard part.number > last else {
                throw BackendError(.invalidArgument, "the numbers of the parts do not rise")
            }
            guard let found = known[part.number], found.etag.utf8.elementsEqual(part.etag.bytes),
                part.size == nil || part.size == found.size
            else { throw BackendError(.invalidArgument, "part \(part.number) is missing or another one") }
            guard found.size >= PartPlan.smallestPart || index == parts.count - 1 else {
                throw BackendError(.invalidArgument, "part \(part.number) is too small")
            }
            last = part.number
            total += found.size
        }
        return total
    }

    package func abortUpload(_ upload: ByteString, call: Call) throws(BackendError) {
        let name = try UploadName(upload)
        var question = request("DELETE", name.key, query: name.query)
        question.repetition = .always
        let answer = try endpoint.send(question, call: call)
        guard !answer.head.isSuccess else { return }
        let refusal = Refusal(answer)
        if answer.status == 404, refusal.code != "NoSuchBucket" { throw UploadName.unknown }
        throw refusal.error(answer, "aborting the upload of \(name.key)", key: nil)
    }

    package func listUploads(_ request: UploadListRequest, into sink: EntrySink, call: Call) throws(BackendError) {
        try forEachUpload(request.prefix, call: call) { upload throws(BackendError) in
            let begun = HTTPDate.parseISO8601(upload.begun) ?? Entry.unknownTime
            guard begun < request.before else { return }
            try sink.sendUpload(key: upload.key, id: UploadName.text(upload.key, upload.id), begun: begun)
        }
    }

    /// Whether the store still gathers parts of an upload.
    fileprivate func isPending(_ upload: UploadName, call: Call) throws(BackendError) -> Bool {
        var isFound = false
        try forEachUpload(upload.key, call: call) { other in
            if other.key == upload.key, other.id.utf8.elementsEqual(upload.id.utf8) { isFound = true }
        }
        return isFound
    }

    private func forEachUpload(
        _ prefix: ByteString,
        call: Call,
        _ body: ((key: ByteString, id: String, begun: String)) throws(BackendError) -> Void
    ) throws(BackendError) {
        let place = configuration.place
        var markers: (key: String, id: String)?
        repeat {
            var query = [(name: "encoding-type", value: "url"), (name: "uploads", value: "")]
            if !prefix.isEmpty { query.append((name: "prefix", value: prefix.string)) }
            if let markers {
                query += [(name: "key-marker", value: markers.key), (name: "upload-id-marker", value: markers.id)]
            }
            let question = HTTPRequest("GET", "\(place.containerPath)?\(encodedQuery(query))")
            let answer = try send(question, "listing uploads", call: call)
            guard let page = Answer.uploads(answer.body) else {
                throw BackendError(.io, "the store's list of uploads cannot be read")
            }
            for upload in page.uploads where upload.key.hasPrefix(prefix) { try body(upload) }
            markers = page.next
        } while markers != nil
    }
}

/// A part of such an upload: in memory where it fits, so that it can be sent again, and else as its bytes come.
private final class PartWriter: WriteStream {
    /// The most bytes that are kept to be sent at once.
    private static let mostHeld: UInt64 = 64 << 20

    private let storage: S3Storage
    private let upload: UploadName
    private let part: PartRequest
    private var held: [UInt8] = []
    private var put: StreamedPut?
    private var size: UInt64 = 0

    init(_ storage: S3Storage, _ upload: UploadName, _ part: PartRequest) {
        self.storage = storage
        self.upload = upload
        self.part = part
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        size += UInt64(bytes.byteCount)
        guard let announced = part.size, announced > Self.mostHeld else {
            guard size <= Self.mostHeld else {
                throw .unsupported("a part of more than \(Self.mostHeld) bytes and unknown size")
            }
            bytes.withUnsafeBytes { held.append(contentsOf: $0) }
            return
        }
        if put == nil {
            let query = "partNumber=\(part.number)&\(upload.query)"
            let request = storage.request("PUT", upload.key, query: query)
            put = try StreamedPut(request, size: announced, from: storage, call: call)
        }
        try put?.append(bytes, call: call)
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        if storage.configuration.traits.takesPartsOfNothing, try !storage.isPending(upload, call: call) {
            throw UploadName.unknown
        }
        let etag: String
        if let put {
            let answer = try put.finish(call: call)
            guard answer.head.isSuccess, let tag = answer.head.headers["etag"] else {
                throw Refusal(answer).error(answer, "writing part \(part.number) of \(upload.key)", key: nil)
            }
            etag = unquoted(tag)
        } else {
            let body = held
            held = []
            let sent = try storage.putPart(part.number, of: upload.key, upload: upload.id, body: body, call: call)
            etag = sent.etag
        }
        return Entry(ByteString(String(part.number)), size: Int64(clamping: size), etag: ByteString(etag))
    }

    func close() { put?.close() }
}
