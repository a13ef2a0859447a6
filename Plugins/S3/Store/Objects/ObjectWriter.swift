// A write: in one request where the bytes fit into memory, in parts where they do not.

import CofferPluginSDK
import CofferTransport

/// A write.
///
///     gathering ──more than one part──▶ parts    (an upload of several parts, published by its completion)
///         └─────────────────────────────▶ whole    (one request whose last bytes wait for the commit: where the store
///                                                  keeps conditions on a put and forgets them on a completion)
final class ObjectWriter: WriteStream {
    private enum Path {
        case gathering
        case parts(PartedUpload)
        case whole(WholeUpload)
    }

    private let draft: Draft
    private var path = Path.gathering
    private var buffer: [UInt8] = []
    private var claimed: ClaimedDigests
    private var size: UInt64 = 0

    /// Begins a write; no I/O.
    init(_ storage: S3Storage, _ request: WriteRequest) throws(BackendError) {
        draft = try Draft(storage, request)
        claimed = ClaimedDigests(request.checksums)
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        size += UInt64(bytes.byteCount)
        switch path {
        case .gathering:
            let most = Int(draft.storage.configuration.partSize)
            if buffer.count + bytes.byteCount <= most {
                gather(bytes)
            } else {
                try leaveGathering(call: call)
                try pass(bytes, call: call)
            }
        case .parts, .whole: try pass(bytes, call: call)
        }
    }

    private func gather(_ bytes: RawSpan) {
        if buffer.isEmpty, let size = draft.request.size {
            buffer.reserveCapacity(Int(min(size, draft.storage.configuration.partSize)))
        }
        bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
    }

    /// Chooses the way for what does not fit into one part.
    private func leaveGathering(call: Call) throws(BackendError) {
        let conditions = draft.request.conditions
        let isSafe = conditions.isEmpty || draft.storage.configuration.traits.conditions.contains(.complete)
        if isSafe {
            path = .parts(try PartedUpload(draft, keeping: claimed.provable, call: call))
        } else {
            guard let size = draft.request.size, size <= PartPlan.largestPart else {
                throw .unsupported(
                    "a condition on a write of more than \(draft.storage.configuration.partSize) bytes and unknown size,"
                        + " or of more than 5 GiB,"
                )
            }
            path = .whole(try WholeUpload(draft, size: size, keeping: claimed.provable, call: call))
        }
        claimed.compute()
        let held = buffer
        buffer = []
        try pass(held.span.bytes, call: call)
    }

    private func pass(_ bytes: RawSpan, call: Call) throws(BackendError) {
        claimed.update(bytes)
        switch path {
        case .gathering: break
        case .parts(let upload): try upload.append(bytes, call: call)
        case .whole(let upload): try upload.append(bytes, call: call)
        }
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        try call.check()
        switch path {
        case .gathering:
            let proven = try claimed.proven(checksums, whole: buffer)
            return try putAtOnce(proven, call: call)
        case .parts(let upload):
            _ = try claimed.proven(checksums)
            return try upload.complete(size: size, call: call)
        case .whole(let upload):
            _ = try claimed.proven(checksums)
            return try upload.finish(call: call)
        }
    }

    private func putAtOnce(_ checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        let storage = draft.storage
        let isMarked = !draft.request.conditions.isEmpty
        var headers = draft.headers
        ObjectHead.write(checksums, to: &headers)
        if isMarked { draft.mark(&headers) }
        var request = storage.request("PUT", draft.request.key, headers: headers, body: buffer)
        buffer = []
        draft.addConditions(to: &request.headers)
        storage.addChecksum(storage.configuration.checksum, of: request.body, to: &request.headers)
        let asked = wallClock()
        let answer = try isMarked ? draft.sendOnce(request, call: call) : storage.endpoint.send(request, call: call)
        if !answer.head.isSuccess, let error = try draft.failure(answer, isMarked: false, call: call) { throw error }
        storage.noteDate(of: answer, asked: asked)
        return try draft.published(
            etag: unquoted(answer.head.headers["etag"] ?? ""),
            size: size,
            modified: time(of: answer, asked: asked),
            headers: headers,
            isMarked: isMarked,
            call: call
        )
    }

    /// When the object was made, where that is certain.
    private func time(of answer: HTTPAnswer, asked: Int64) -> Int64? {
        if let told = answer.head.headers["last-modified"].flatMap({ HTTPDate.parse($0) }) { return told }
        let storage = draft.storage
        guard storage.configuration.traits.datesByItsClock else { return nil }
        return storage.clock.moment(asked: asked, answered: wallClock())
    }

    func close() {
        switch path {
        case .gathering: break
        case .parts(let upload): upload.close()
        case .whole(let upload): upload.close()
        }
    }
}
