// A write: in one request where the bytes fit into memory, in segments where they do not.

import CofferParts
import CofferPluginSDK
import CofferTransport

/// A write.
///
///     gathering ──more than one segment──▶ segments    (published by a manifest)
///         └─commit──▶ one request
final class ObjectWriter: WriteStream {
    private let draft: Draft
    private var segments: SegmentedUpload?
    private var buffer: [UInt8] = []
    private var claimed: ClaimedDigests
    private var size: UInt64 = 0

    /// Begins a write; no I/O.
    init(_ storage: OpenStackStorage, _ request: WriteRequest) throws(BackendError) {
        draft = try Draft(storage, request)
        claimed = ClaimedDigests(request.checksums)
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        size += UInt64(bytes.byteCount)
        if segments == nil {
            let most = Int(draft.storage.configuration.segmentSize)
            if buffer.count + bytes.byteCount <= most {
                if buffer.isEmpty, let size = draft.request.size {
                    buffer.reserveCapacity(min(Int(clamping: size), most))
                }
                bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
                return
            }
            segments = try SegmentedUpload(draft, keeping: claimed.provable, call: call)
            claimed.compute()
            let held = buffer
            buffer = []
            try pass(held.span.bytes, call: call)
        }
        try pass(bytes, call: call)
    }

    private func pass(_ bytes: RawSpan, call: Call) throws(BackendError) {
        claimed.update(bytes)
        try segments?.append(bytes, call: call)
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        try call.check()
        if let segments {
            _ = try claimed.proven(checksums)
            return try segments.complete(size: size, call: call)
        }
        let proven = try claimed.proven(checksums, whole: buffer)
        let place = try draft.storage.place(call: call)
        var headers = draft.headers
        ObjectHead.write(proven, to: &headers)
        if draft.isConditional { draft.mark(&headers) }
        try ObjectHead.check(headers, draft.request.key)
        var question = HTTPRequest("PUT", place.path(draft.request.key), headers: headers, body: buffer)
        buffer = []
        draft.storage.addDigest(to: &question)
        return try draft.publish(question, headers: headers, size: size, at: place, call: call)
    }

    func close() { segments?.close() }
}

/// A write in segments, several of which are on their way at once: unseen until its manifest, gone with its close.
///
/// Memory is one segment being filled and those on their way; where segments are large, fewer are on their way.
final class SegmentedUpload {
    private let draft: Draft
    private let headers: HTTPHeaders
    private let id = SegmentStore.makeID()
    private let store: SegmentStore
    private let stream: PartedStream<Segment>
    private let sendings = SegmentSendings()
    private var isPublished = false
    /// Whether nobody knows if the store took the manifest.
    private var isInDoubt = false

    /// The most bytes on their way, if that is more than one segment.
    private static let mostOnTheWay: UInt64 = 64 << 20

    /// Begins a write; `checksums` are digests that will be proven before it is completed.
    init(_ draft: Draft, keeping checksums: Checksums, call: Call) throws(BackendError) {
        self.draft = draft
        let configuration = draft.storage.configuration
        let plan = try SegmentPlan(
            size: draft.request.size,
            preferred: configuration.segmentSize,
            most: configuration.mostSegments
        )
        var headers = draft.headers
        ObjectHead.write(checksums, to: &headers)
        if draft.isConditional { draft.mark(&headers) }
        ObjectHead.addOwn(SegmentStore.ownName, id, to: &headers)
        try ObjectHead.check(headers, draft.request.key)
        self.headers = headers
        let store = SegmentStore(storage: draft.storage, place: try draft.storage.place(call: call))
        self.store = store
        try store.prepare(call: call)
        try store.mark(SegmentStore.writes + id, draft.request.key, call: call)
        let most = max(1, Int(Self.mostOnTheWay / plan.size(ofSegment: 1)))
        stream = try PartedStream(
            lanes: min(configuration.uploadConcurrency, most),
            mostParts: configuration.mostSegments,
            sizeOfPart: plan.size(ofSegment:)
        ) { [id, sendings] number, body, call throws(BackendError) in
            let name = SegmentStore.name(id, number)
            return try sendings.note(name) { () throws(BackendError) in try store.put(name, body, call: call) }
        }
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) { try stream.append(bytes, call: call) }

    /// Publishes the object.
    func complete(size: UInt64, call: Call) throws(BackendError) -> Entry {
        let segments = try stream.finish(call: call)
        do throws(BackendError) {
            let entry = try draft.publish(segments, headers: headers, at: store.place, call: call)
            isPublished = true
            return entry
        } catch {
            (isPublished, isInDoubt) = (false, !error.isRefusal)
            throw error
        }
    }

    /// Ends it; what was not published goes, in the time that a close has.
    ///
    /// Where it is open whether the manifest arrived, segments and mark stay until somebody can tell.
    func close() {
        stream.close()
        do throws(BackendError) {
            let work = try Background(nanoseconds: 800_000_000)
            if isInDoubt { return }
            var isDone = isPublished
            if !isDone { isDone = try sendings.remove(from: store, call: work.call) }
            if isDone { try store.remove([SegmentStore.writes + id], call: work.call) }
        } catch {
            // A close has nobody to throw to; the mark stays, by which it is cleared away later.
            draft.storage.host.log(.warning, "segments may be left for a week: \(error.message)")
        }
    }
}

/// What one attempt has sent of its segments, so that all of it can be removed.
final class SegmentSendings: Sendable {
    private let state = Guarded<(names: [String], open: Int)>(([], 0))

    /// Notes a segment before it is sent, and whether its sending came to an end that is known.
    func note(_ name: String, _ send: () throws(BackendError) -> Segment) throws(BackendError) -> Segment {
        state.withLock {
            $0.names.append(name)
            $0.open += 1
        }
        do throws(BackendError) {
            let segment = try send()
            state.withLock { $0.open -= 1 }
            return segment
        } catch {
            if error.isRefusal { state.withLock { $0.open -= 1 } }
            throw error
        }
    }

    /// Removes them all; answers whether they are gone for certain.
    ///
    /// One that was broken off may still arrive. Swift drops it then, since its removal is younger; for radosgw all is
    /// removed once more a little later.
    func remove(from store: SegmentStore, call: Call) throws(BackendError) -> Bool {
        let (names, open) = state.withLock { $0 }
        let areGone = try store.remove(names, call: call)
        guard open > 0 else { return areGone }
        try call.sleep(nanoseconds: 200_000_000)
        try store.remove(names, call: call)
        return false
    }
}

extension Draft {
    /// Publishes segments as one object.
    func publish(
        _ segments: [Segment],
        headers: HTTPHeaders,
        at place: Place,
        call: Call
    ) throws(BackendError) -> Entry {
        let target = place.path(request.key) + "?multipart-manifest=put"
        let document = Manifest.document(segments, in: place.segmentContainer)
        var question = HTTPRequest("PUT", target, headers: headers, body: document)
        // The store looks at every segment before it says a word.
        question.answerTimeout = .seconds(600)
        let size = segments.reduce(0) { $0 + $1.size }
        return try publish(question, headers: headers, size: size, at: place, call: call)
    }
}
