// Copies inside the store, and metadata changed in place.

import CofferParts
package import CofferPluginSDK
import CofferTransport

extension OpenStackStorage {
    /// The largest object that the store copies by itself.
    private static let largestCopy: Int64 = 5 << 30

    package func copy(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry {
        let place = try place(call: call)
        guard let head = try head(request.from, at: place, call: call) else { throw .notFound(request.from) }
        let source = entry(request.from, head)
        var target = WriteRequest(request.to)
        target.size = UInt64(max(0, source.size))
        target.attempt = request.attempt
        target.conditions = request.conditions
        target.properties = request.replacement?.properties ?? source.properties
        target.metadata = request.replacement?.metadata ?? source.metadata
        let draft = try Draft(self, target)
        var headers = draft.headers
        // The bytes are the same, and so are their digests.
        ObjectHead.write(source.checksums, to: &headers)
        if request.from == request.to {
            if let id = ObjectHead.own(SegmentStore.ownName, in: head.headers) {
                ObjectHead.addOwn(SegmentStore.ownName, id, to: &headers)
            }
            try ObjectHead.check(headers, request.to)
            return try change(request.to, headers, at: place, call: call)
        }
        if draft.isConditional { draft.mark(&headers) }
        try ObjectHead.check(headers, request.to)
        if ObjectHead.isLarge(head.headers) {
            let store = SegmentStore(storage: self, place: place)
            if let segments = try store.segments(of: request.from, head, call: call) {
                return try copy(segments, draft, headers, in: store, call: call)
            }
            // Another program made it, of what we cannot name: the store makes one object of it, or it stays uncopied.
            guard source.size <= Self.largestCopy, try store.showsManifest(of: request.from, call: call) else {
                throw .unsupported("copying a large object that another program made")
            }
        }
        var question = HTTPRequest("PUT", place.path(request.to), headers: headers)
        question.headers.add("X-Copy-From", place.source(request.from))
        question.headers.add("X-Fresh-Metadata", "true")
        question.answerTimeout = .seconds(600)
        return try draft.publish(question, headers: headers, size: target.size ?? 0, at: place, call: call)
    }

    /// Replaces what describes an object, and leaves its bytes.
    private func change(
        _ key: ByteString,
        _ headers: HTTPHeaders,
        at place: Place,
        call: Call
    ) throws(BackendError) -> Entry {
        var question = HTTPRequest("POST", place.path(key), headers: headers)
        question.repetition = .always
        let answer = try place.endpoint.send(question, call: call)
        guard answer.head.isSuccess else { throw Refusal.error(answer, "changing \(key)", key: key) }
        guard let now = try head(key, at: place, call: call) else { throw .notFound(key) }
        return entry(key, now)
    }

    /// Copies segments one by one: a copy has segments of its own, or it would go with those of its source.
    private func copy(
        _ segments: [Segment],
        _ draft: Draft,
        _ headers: HTTPHeaders,
        in store: SegmentStore,
        call: Call
    ) throws(BackendError) -> Entry {
        let id = SegmentStore.makeID()
        var headers = headers
        ObjectHead.addOwn(SegmentStore.ownName, id, to: &headers)
        try ObjectHead.check(headers, draft.request.key)
        try store.prepare(call: call)
        let mark = SegmentStore.writes + id
        try store.mark(mark, draft.request.key, call: call)
        let lanes = try Lanes<Segment>(most: configuration.uploadConcurrency)
        let sendings = SegmentSendings()
        do throws(BackendError) {
            defer { lanes.cancel() }
            for (index, segment) in segments.enumerated() {
                let name = SegmentStore.name(id, index + 1)
                try lanes.run(call: call) { call throws(BackendError) in
                    try sendings.note(name) { () throws(BackendError) in
                        try store.copy(segment, to: name, call: call)
                    }
                }
            }
            // Names of eight digits are in the order of their numbers.
            let copies = try lanes.finish(call: call).sorted { $0.name < $1.name }
            let entry = try draft.publish(copies, headers: headers, at: store.place, call: call)
            _ = try? store.remove([mark], call: call)  // Whoever sweeps sees that it was published.
            return entry
        } catch {
            // Before the manifest nothing refers to them; after it, only a refusal says so.
            if error.isRefusal || error.code == .changed { abandon(sendings, mark, in: store) }
            throw error
        }
    }

    /// Removes the segments of what was not published, if that can be done at once; else they are cleared away later.
    private func abandon(_ sendings: SegmentSendings, _ mark: String, in store: SegmentStore) {
        do throws(BackendError) {
            let work = try Background(nanoseconds: 800_000_000)
            if try sendings.remove(from: store, call: work.call) { try store.remove([mark], call: work.call) }
        } catch {
            host.log(.warning, "segments may be left for a week: \(error.message)")
        }
    }
}
