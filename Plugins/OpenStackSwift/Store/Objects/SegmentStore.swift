// Segments of large objects: where they are, how they come and go.

import CofferCrypto
import CofferJSON
import CofferPluginSDK
import CofferTransport

/// A segment that the store has.
struct Segment: Sendable, Hashable {
    /// Its name in the container of segments.
    let name: String
    let etag: String
    let size: UInt64
}

/// The segments of large objects, in a container of their own.
///
///     ID/00000001, ID/00000002, …      the segments of one object; its manifest names ID in `coffer-segments`
///     .writes/ID                       a write under way; its body is the key
///     .uploads/ID                      an upload that gathers parts; its body is the key, its headers are the object's
///
/// 1. An ID belongs to one attempt: no two attempts touch each other's segments, and no name is written twice.
/// 2. Segments go after the manifest that names them: a reader finds an object whole or not at all.
/// 3. The mark of a write goes last: what a killed host left is found by it, and cleared away after a week.
struct SegmentStore {
    let storage: OpenStackStorage
    let place: Place

    static let writes = ".writes/"
    static let uploads = ".uploads/"
    /// Our own value that names the segments of an object.
    static let ownName = "segments"
    /// Marks of writes that are older were left by a host that died.
    private static let longestWrite: Int64 = 7 * 86_400 * 1_000_000_000

    /// An ID that nobody else has; later ones sort behind.
    static func makeID() -> String {
        func digits(_ number: UInt64) -> String {
            let text = String(number, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        return digits(UInt64(max(0, wallClock()))) + digits(UInt64.random(in: 0...UInt64.max))
    }

    /// The name of a segment of an object that is written at once.
    static func name(_ id: String, _ number: Int) -> String { "\(id)/\(eightDigits(number))" }

    static func eightDigits(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, 8 - text.count)) + text
    }

    /// Makes the container of segments, and clears away what killed hosts left; once for an instance.
    func prepare(call: Call) throws(BackendError) {
        if !storage.knowledge.withLock({ $0.hasSegmentContainer }) {
            let answer = try place.endpoint.send(HTTPRequest("PUT", place.segmentsPath), call: call)
            if !answer.head.isSuccess {
                // Who may make no container may still have been given one.
                let look = try place.endpoint.send(HTTPRequest("HEAD", place.segmentsPath), call: call)
                guard look.head.isSuccess else {
                    throw Refusal.error(answer, "making the container \(place.segmentContainer)")
                }
            }
        }
        let wasSwept = storage.knowledge.withLock { knowledge in
            defer { knowledge.isSwept = true }
            knowledge.hasSegmentContainer = true
            knowledge.segments = (true, monotonicNow())
            return knowledge.isSwept
        }
        if !wasSwept { try sweep(call: call) }
    }

    /// Notes whose write this is, before its first segment.
    func mark(_ name: String, _ key: ByteString, headers: HTTPHeaders = HTTPHeaders(), call: Call) throws(BackendError)
    {
        let request = HTTPRequest("PUT", place.segmentPath(name), headers: headers, body: key.bytes)
        try storage.send(request, at: place, "writing \(key)", call: call)
    }

    /// Sends a segment.
    func put(_ name: String, _ body: [UInt8], call: Call) throws(BackendError) -> Segment {
        var request = HTTPRequest("PUT", place.segmentPath(name), body: body)
        request.headers.add("Content-Type", "application/octet-stream")
        storage.addDigest(to: &request)
        let answer = try storage.send(request, at: place, "writing a segment", call: call)
        guard let etag = answer.head.headers["etag"] else {
            throw BackendError(.io, "writing a segment: the store gives no entity tag")
        }
        return Segment(name: name, etag: unquoted(etag), size: UInt64(body.count))
    }

    /// Copies a segment inside the store.
    func copy(_ segment: Segment, to name: String, call: Call) throws(BackendError) -> Segment {
        var request = HTTPRequest("PUT", place.segmentPath(name))
        request.headers.add("X-Copy-From", place.segmentSource(segment.name))
        request.answerTimeout = .seconds(600)
        let answer = try place.endpoint.send(request, call: call)
        if answer.status == 404 { throw BackendError(.changed, "the source changed while it was copied", native: 404) }
        guard answer.head.isSuccess else { throw Refusal.error(answer, "copying a segment") }
        guard unquoted(answer.head.headers["etag"] ?? "").utf8.elementsEqual(segment.etag.utf8) else {
            throw BackendError(.changed, "the source changed while it was copied")
        }
        return Segment(name: name, etag: segment.etag, size: segment.size)
    }

    /// The segments whose names begin like that, in order.
    func list(_ prefix: String, call: Call) throws(BackendError) -> [ListingDocument.Item] {
        var items: [ListingDocument.Item] = []
        let limit = 1000
        while true {
            let answer = try storage.page(
                of: place.segmentsPath,
                at: place,
                prefix: prefix,
                after: items.last?.key.string ?? "",
                limit: limit,
                call: call
            )
            if answer.status == 404 { return [] }
            guard answer.head.isSuccess else { throw Refusal.error(answer, "listing segments") }
            let page = try ListingDocument(answer.body).items
            items += page
            if page.count < limit { return items }
        }
    }

    /// Removes segments and marks by their names; answers whether all are gone.
    @discardableResult
    func remove(_ names: some Sequence<String>, call: Call) throws(BackendError) -> Bool {
        let requests = names.map { HTTPRequest("DELETE", place.segmentPath($0)) }
        var areGone = true
        try place.endpoint.sendAll(requests, width: 16, call: call) { _, result in
            // Nothing else can be done about one that stays.
            guard case .success(let answer) = result, answer.head.isSuccess || answer.status == 404 else {
                areGone = false
                return
            }
        }
        return areGone
    }

    /// Removes everything of an ID but its mark; answers whether all is gone.
    func removeAll(_ id: String, call: Call) throws(BackendError) -> Bool {
        try remove(try list("\(id)/", call: call).map(\.key.string), call: call)
    }

    // MARK: what is there already

    /// Whether there may be segments at all: where there are none, nobody has to look whether an object is a large one.
    func mayExist(call: Call) throws(BackendError) -> Bool {
        let now = monotonicNow()
        if let known = storage.knowledge.withLock({ $0.segments }), now < known.at + 15_000_000_000 {
            return known.areThere
        }
        let answer = try storage.page(
            of: place.segmentsPath,
            at: place,
            prefix: "",
            after: "",
            limit: 1,
            call: call
        )
        // Who may not look must take care.
        let areThere =
            answer.status != 404
            && !(answer.head.isSuccess && (try? ListingDocument(answer.body).items.isEmpty) == true)
        storage.knowledge.withLock { $0.segments = (areThere, now) }
        return areThere
    }

    /// What of an object's segments is to go once it is replaced or removed.
    func leftovers(of key: ByteString, _ head: HTTPHead?, call: Call) throws(BackendError) -> Leftovers? {
        guard let head, ObjectHead.isLarge(head.headers) else { return nil }
        if let id = ObjectHead.own(Self.ownName, in: head.headers) { return .ours(id) }
        guard let segments = try manifest(of: key, call: call) else { return nil }
        return .others(segments.map(\.name))
    }

    /// Segments of an object that was replaced or removed.
    enum Leftovers {
        case ours(String)
        case others([String])
    }

    /// Removes what a replaced or removed object left; it is gone already, so that nothing here is a failure of that.
    func clear(_ leftovers: Leftovers?, call: Call) {
        guard let leftovers else { return }
        do throws(BackendError) {
            // An older version that the container keeps needs its segments.
            let container = try place.endpoint.send(HTTPRequest("HEAD", place.containerPath), call: call)
            let fields = container.head.headers
            guard fields["x-versions-location"] == nil, fields["x-history-location"] == nil,
                fields["x-versions-enabled"]?.lowercased() != "true"
            else { return }
            switch leftovers {
            case .ours(let id): _ = try removeAll(id, call: call)
            case .others(let names): try remove(names, call: call)
            }
        } catch {
            storage.host.log(.warning, "segments may be left: \(error.message)")
        }
    }

    /// The manifest of a large object; empty where the store does not show it.
    private func document(of key: ByteString, call: Call) throws(BackendError) -> [UInt8] {
        let request = HTTPRequest("GET", place.path(key) + "?multipart-manifest=get&format=raw")
        let answer = try place.endpoint.send(request, call: call)
        return answer.head.isSuccess ? answer.body : []
    }

    /// Whether the store knows a manifest from the object: then it copies the bytes, and not the names of segments.
    func showsManifest(of key: ByteString, call: Call) throws(BackendError) -> Bool {
        try !document(of: key, call: call).isEmpty
    }

    /// The segments of a large object, by its manifest; nil where the store does not show one, or one that names more than
    /// whole segments of our container.
    private func manifest(of key: ByteString, call: Call) throws(BackendError) -> [Segment]? {
        Manifest.segments(try document(of: key, call: call), in: place.segmentContainer)
    }

    /// The segments of a large object of ours, where they are certain: by its manifest, or by their names.
    func segments(of key: ByteString, _ head: HTTPHead, call: Call) throws(BackendError) -> [Segment]? {
        let tag = unquoted(head.headers["etag"] ?? "")
        func isWhole(_ segments: [Segment]) -> Bool {
            Manifest.etag(of: segments.map(\.etag)).utf8.elementsEqual(tag.utf8)
        }
        if let named = try manifest(of: key, call: call), isWhole(named) { return named }
        guard let id = ObjectHead.own(Self.ownName, in: head.headers) else { return nil }
        let listed = try list("\(id)/", call: call).map {
            Segment(name: $0.key.string, etag: $0.etag.string, size: UInt64(max(0, $0.size)))
        }
        return isWhole(listed) ? listed : nil
    }

    // MARK: what killed hosts left

    /// Clears away the segments of writes that ended with their host.
    private func sweep(call: Call) throws(BackendError) {
        do throws(BackendError) {
            let oldest = wallClock() - Self.longestWrite
            for item in try list(Self.writes, call: call) where item.modified < oldest {
                let id = String(item.key.string.dropFirst(Self.writes.count))
                let question = HTTPRequest("GET", place.segmentPath(item.key.string))
                let answer = try place.endpoint.send(question, call: call)
                guard answer.head.isSuccess, !id.isEmpty else { continue }
                let key = ByteString(answer.body)
                let head = try storage.head(key, at: place, call: call)
                let used = head.flatMap { ObjectHead.own(Self.ownName, in: $0.headers) } ?? ""
                var isDone = used.utf8.elementsEqual(id.utf8)
                if !isDone { isDone = try removeAll(id, call: call) }
                if isDone { try remove([item.key.string], call: call) }
            }
        } catch {
            try call.check()
            storage.host.log(.warning, "what killed hosts left is still there: \(error.message)")
        }
    }
}
