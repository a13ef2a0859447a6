// A part of an upload.

import CofferPluginSDK
import CofferTransport

/// A part of an upload: in memory where it fits, so that it can be sent again, and else as its bytes come.
final class PartWriter: WriteStream {
    /// The most bytes that are kept to be sent at once.
    private static let mostHeld: UInt64 = 64 << 20
    /// What waits for the commit of a part whose bytes stream: without it the store has nothing.
    private static let lastBytes = 64 << 10

    private let storage: OpenStackStorage
    private let upload: UploadName
    private let part: PartRequest
    private let name: String
    private var held: [UInt8] = []
    private var put: HTTPUpload?
    private var size: UInt64 = 0

    init(_ storage: OpenStackStorage, _ upload: UploadName, _ part: PartRequest) {
        self.storage = storage
        self.upload = upload
        self.part = part
        // Later attempts have later names.
        name = upload.prefix(ofPart: part.number) + SegmentStore.makeID()
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
            let store = SegmentStore(storage: storage, place: try storage.place(call: call))
            // Nothing of this request can be repeated: the token is tried before.
            _ = try storage.mark(of: upload, in: store, call: call)
            put = try store.place.endpoint.beginUpload(
                HTTPRequest("PUT", store.place.segmentPath(name)),
                length: announced,
                call: call
            )
        }
        var rest = bytes
        while !rest.isEmpty {
            if held.count == Self.lastBytes { try flush(call: call) }
            let count = min(Self.lastBytes - held.count, rest.byteCount)
            rest.extracting(first: count).withUnsafeBytes { held.append(contentsOf: $0) }
            rest = rest.extracting(droppingFirst: count)
        }
    }

    private func flush(call: Call) throws(BackendError) {
        var bytes = held
        held = []
        try put?.append(bytes.span.bytes, call: call)
        bytes.removeAll(keepingCapacity: true)
        held = bytes
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        let store = SegmentStore(storage: storage, place: try storage.place(call: call))
        let etag: String
        if let put {
            try flush(call: call)
            let answer = try put.finish(call: call)
            guard answer.head.isSuccess, let tag = answer.head.headers["etag"] else {
                throw Refusal.error(answer, "writing part \(part.number) of \(upload.key)")
            }
            etag = unquoted(tag)
        } else {
            let body = held
            held = []
            etag = try store.put(name, body, call: call).etag
        }
        try settle(in: store, call: call)
        return Entry(ByteString(String(part.number)), size: Int64(clamping: size), etag: ByteString(etag))
    }

    /// Removes what this part replaces; and the part itself where the upload is over.
    private func settle(in store: SegmentStore, call: Call) throws(BackendError) {
        do throws(BackendError) {
            _ = try storage.mark(of: upload, in: store, call: call)
        } catch {
            if error.code == .notFound { try store.remove([name], call: call) }
            throw error
        }
        let others = try store.list(upload.prefix(ofPart: part.number), call: call).map(\.key.string)
            .filter { !$0.utf8.elementsEqual(name.utf8) }
        if !others.isEmpty { try store.remove(others, call: call) }
    }

    func close() { put?.abort() }
}
