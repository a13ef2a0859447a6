// Uploads in parts: each part is an object that no listing shows, and completing joins their blocks.

package import CofferPluginSDK

/// The uploads of a store: those that are pending, and what the latest complete ones answered.
struct Uploads {
    static let mostParts = 10_000
    /// How many completed uploads are remembered, for whoever asks a second time.
    private static let mostAnswers = 1024

    struct Pending {
        let request: WriteRequest
        let begun: Int64
        /// The parts by number: their bytes and their tags.
        var parts: [Int: StoredObject] = [:]
    }

    private(set) var pending: [ByteString: Pending] = [:]
    private var answers: [ByteString: Entry] = [:]
    private var answered: [ByteString] = []
    private var count: UInt64 = 0

    mutating func begin(_ request: WriteRequest, nonce: ByteString) -> ByteString {
        count += 1
        let id = ByteString(nonce.bytes + Array("u\(count)".utf8))
        pending[id] = Pending(request: request, begun: wallClock())
        return id
    }

    func find(_ id: ByteString) throws(BackendError) -> Pending {
        guard let upload = pending[id] else { throw BackendError(.notFound, "no such upload") }
        return upload
    }

    /// Keeps a part; answers the one that it replaces.
    mutating func keep(_ part: StoredObject, number: Int, of id: ByteString) throws(BackendError) -> StoredObject? {
        _ = try find(id)
        return pending[id]?.parts.updateValue(part, forKey: number)
    }

    func answer(of id: ByteString) -> Entry? { answers[id] }

    /// Ends an upload; one that was completed keeps its answer for a while.
    mutating func end(_ id: ByteString, answer: Entry? = nil) {
        pending[id] = nil
        guard let answer else { return }
        if answered.count == Self.mostAnswers { answers[answered.removeFirst()] = nil }
        answers[id] = answer
        answered.append(id)
    }
}

extension MemoryStore {
    package func beginUpload(_ request: WriteRequest) throws(BackendError) -> ByteString {
        try lock.writing { () throws(BackendError) in
            try check(request.conditions, at: request.key)
            return uploads.begin(request, nonce: tags.prefix)
        }
    }

    package func beginPart(_ request: PartRequest) throws(BackendError) -> any WriteStream {
        guard request.number <= Uploads.mostParts else {
            throw BackendError(.invalidArgument, "an upload has at most \(Uploads.mostParts) parts")
        }
        let upload = try lock.reading { () throws(BackendError) in try uploads.find(request.upload) }
        try checkRoom(request.size)
        return MemoryPartStream(request, key: upload.request.key, in: self)
    }

    package func listParts(of id: ByteString, into sink: EntrySink) throws(BackendError) {
        let upload = try lock.reading { () throws(BackendError) in try uploads.find(id) }
        for (number, part) in upload.parts.sorted(by: { $0.key < $1.key }) {
            try sink.sendPart(number: number, etag: tags.tag(of: part), size: part.size)
        }
    }

    package func completeUpload(
        _ id: ByteString,
        _ request: WriteRequest,
        parts: [UploadPart]
    ) throws(BackendError) -> Entry {
        var freed: UInt64 = 0
        let (entry, replaced) = try lock.writing { () throws(BackendError) in
            if let answer = uploads.answer(of: id) { return (answer, nil as StoredObject?) }
            let upload = try uploads.find(id)
            let body = try join(parts, of: upload, request)
            try check(request.conditions, at: request.key)
            let object = StoredObject(upload.request, body, checksums: Checksums())
            let replaced = objects.put(object)
            freed = upload.parts.values.reduce(replaced?.size ?? 0) { $0 + $1.size } - object.size
            let entry = tags.entry(of: object)
            uploads.end(id, answer: entry)
            return (entry, replaced)
        }
        release(freed)
        // What was replaced is freed here, after the lock.
        _ = replaced
        return entry
    }

    package func abortUpload(_ id: ByteString) throws(BackendError) {
        let upload = try lock.writing { () throws(BackendError) in
            defer { uploads.end(id) }
            return try uploads.find(id)
        }
        release(upload.parts.values.reduce(0) { $0 + $1.size })
    }

    package func listUploads(_ request: UploadListRequest, into sink: EntrySink) throws(BackendError) {
        let found = lock.reading { uploads.pending }
            .filter { $1.request.key.hasPrefix(request.prefix) && $1.begun < request.before }
            .sorted { ($0.value.request.key, $0.key) < ($1.value.request.key, $1.key) }
        for (id, upload) in found { try sink.sendUpload(key: upload.request.key, id: id, begun: upload.begun) }
    }

    /// Keeps a part that has been sent, in the place of an earlier one of its number.
    func keep(_ part: StoredObject, _ request: PartRequest) throws(BackendError) {
        let replaced = try lock.writing { () throws(BackendError) in
            try uploads.keep(part, number: request.number, of: request.upload)
        }
        if let replaced { release(replaced.size) }
    }

    /// Under the lock: the bytes of these parts of an upload, one behind the other.
    private func join(
        _ parts: [UploadPart],
        of upload: Uploads.Pending,
        _ request: WriteRequest
    ) throws(BackendError) -> Blocks {
        guard request.key == upload.request.key else {
            throw BackendError(.invalidArgument, "the upload is that of another key")
        }
        var body = Blocks()
        for part in parts {
            guard let kept = upload.parts[part.number], tags.tag(of: kept) == part.etag,
                part.size == nil || part.size == kept.size
            else { throw BackendError(.invalidArgument, "part \(part.number) is missing or another") }
            body.join(kept.body)
        }
        guard request.size == nil || request.size == UInt64(body.count) else {
            throw BackendError(.invalidArgument, "the parts have another length than was announced")
        }
        return body
    }
}

/// Gathers the bytes of one part.
private final class MemoryPartStream: WriteStream {
    private let request: PartRequest
    private let key: ByteString
    private let store: MemoryStore
    private var gathering: Gathering
    private var isKept = false

    init(_ request: PartRequest, key: ByteString, in store: MemoryStore) {
        self.request = request
        self.key = key
        self.store = store
        gathering = Gathering(in: store, size: request.size)
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) { try gathering.append(bytes) }

    func ingest(descriptor: Int32, offset: UInt64?, length: UInt64, call: Call) throws(BackendError) -> UInt64 {
        try gathering.ingest(descriptor: descriptor, offset: offset, length: length, call: call)
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        gathering.body.seal()
        let part = StoredObject(WriteRequest(key), gathering.body, checksums: checksums)
        try store.keep(part, request)
        isKept = true
        return store.tags.entry(of: part)
    }

    func close() { gathering.end(isKept: isKept) }
}
