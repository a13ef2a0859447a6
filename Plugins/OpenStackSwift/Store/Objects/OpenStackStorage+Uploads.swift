// Uploads that outlive calls and processes: parts are segments, and a mark holds what the object will be.

import CofferCrypto
package import CofferPluginSDK
import CofferTransport

/// What names an upload to the host: the key, and the ID of its segments.
struct UploadName {
    let key: ByteString
    let id: String

    /// Reads a name; one that we never gave is `notFound`.
    init(_ text: ByteString) throws(BackendError) {
        guard let slash = text.bytes.firstIndex(of: UInt8(ascii: "/")),
            let key = percentDecoded(text.bytes[..<slash]), !key.isEmpty, text.bytes.count == slash + 33,
            let id = String(validating: text.bytes[(slash + 1)...], as: UTF8.self), bytes(hex: id) != nil
        else { throw Self.unknown }
        self.key = ByteString(key)
        self.id = id
    }

    init(_ key: ByteString, _ id: String) { (self.key, self.id) = (key, id) }

    var text: ByteString { ByteString("\(percentEncoded(key.bytes))/\(id)") }

    static var unknown: BackendError { BackendError(.notFound, "no such upload") }

    /// The name of its mark.
    var mark: String { SegmentStore.uploads + id }

    /// What the names of a part begin with: a part that is sent again has another name, since what is published stays.
    func prefix(ofPart number: Int) -> String { "\(SegmentStore.name(id, number))." }
}

extension OpenStackStorage {
    package func beginUpload(_ request: WriteRequest, call: Call) throws(BackendError) -> ByteString {
        let draft = try Draft(self, request)
        let store = SegmentStore(storage: self, place: try place(call: call))
        let upload = UploadName(request.key, SegmentStore.makeID())
        var headers = draft.headers
        ObjectHead.write(ClaimedDigests(request.checksums).provable, to: &headers)
        ObjectHead.addOwn(SegmentStore.ownName, upload.id, to: &headers)
        try ObjectHead.check(headers, request.key)
        try store.prepare(call: call)
        try store.mark(upload.mark, request.key, headers: headers, call: call)
        return upload.text
    }

    package func beginPart(_ request: PartRequest, call: Call) throws(BackendError) -> any WriteStream {
        guard (1...configuration.mostSegments).contains(request.number) else {
            throw BackendError(.invalidArgument, "parts have the numbers 1 to \(configuration.mostSegments)")
        }
        return PartWriter(self, try UploadName(request.upload), request)
    }

    /// The head of an upload's mark; `notFound` once it is over.
    func mark(of upload: UploadName, in store: SegmentStore, call: Call) throws(BackendError) -> HTTPHead {
        let question = HTTPRequest("HEAD", store.place.segmentPath(upload.mark))
        let answer = try store.place.endpoint.send(question, call: call)
        if answer.status == 404 { throw UploadName.unknown }
        guard answer.head.isSuccess else { throw Refusal.error(answer, "looking at an upload") }
        return answer.head
    }

    package func listParts(of upload: ByteString, into sink: EntrySink, call: Call) throws(BackendError) {
        let name = try UploadName(upload)
        let store = SegmentStore(storage: self, place: try place(call: call))
        _ = try mark(of: name, in: store, call: call)
        for part in try parts(of: name, in: store, call: call) {
            try sink.sendPart(number: part.number, etag: ByteString(part.segment.etag), size: part.segment.size)
        }
    }

    private struct Part {
        let number: Int
        let segment: Segment
        let modified: Int64
    }

    /// The parts that the store has, by their numbers; of two with one number the later one.
    private func parts(of upload: UploadName, in store: SegmentStore, call: Call) throws(BackendError) -> [Part] {
        var parts: [Part] = []
        for item in try store.list("\(upload.id)/", call: call) {
            let name = item.key.string
            let digits = name.utf8.dropFirst(upload.id.utf8.count + 1).prefix { $0 != UInt8(ascii: ".") }
            guard let number = Int(String(decoding: digits, as: UTF8.self)) else { continue }
            let segment = Segment(name: name, etag: item.etag.string, size: UInt64(max(0, item.size)))
            let part = Part(number: number, segment: segment, modified: item.modified)
            guard let last = parts.last, last.number == number else {
                parts.append(part)
                continue
            }
            if part.modified >= last.modified { parts[parts.count - 1] = part }
        }
        return parts
    }

    package func completeUpload(
        _ upload: ByteString,
        _ request: WriteRequest,
        parts: [UploadPart],
        call: Call
    ) throws(BackendError) -> Entry {
        let name = try UploadName(upload)
        guard name.key == request.key else { throw BackendError(.invalidArgument, "the upload is of another key") }
        let store = SegmentStore(storage: self, place: try place(call: call))
        let mark: HTTPHead
        do throws(BackendError) {
            mark = try self.mark(of: name, in: store, call: call)
        } catch {
            guard error.code == .notFound else { throw error }
            return try completedBefore(name, at: store.place, call: call)
        }
        let present = try self.parts(of: name, in: store, call: call)
        let chosen = try Self.check(parts, against: present)
        let size = chosen.reduce(0) { $0 + $1.size }
        if let announced = request.size, announced != size {
            throw BackendError(.invalidArgument, "the parts have \(size) bytes instead of the announced \(announced)")
        }
        let draft = try Draft(self, request)
        var headers = HTTPHeaders()
        for field in mark.headers where ObjectHead.describes(field) { headers.add(field.name, field.value) }
        if draft.isConditional { draft.mark(&headers) }
        // A manifest names no empty segments.
        let full = chosen.filter { $0.size > 0 }
        let entry: Entry
        if full.isEmpty {
            let question = HTTPRequest("PUT", store.place.path(request.key), headers: headers)
            entry = try draft.publish(question, headers: headers, size: 0, at: store.place, call: call)
        } else {
            entry = try draft.publish(full, headers: headers, at: store.place, call: call)
        }
        end(name, keeping: Set(full.map(\.name)), in: store, call: call)
        return entry
    }

    /// Removes the mark, and parts that were not chosen.
    private func end(_ upload: UploadName, keeping kept: Set<String>, in store: SegmentStore, call: Call) {
        do throws(BackendError) {
            let names = try store.list("\(upload.id)/", call: call).map(\.key.string).filter { !kept.contains($0) }
            try store.remove(names + [upload.mark], call: call)
        } catch {
            // The object is there: what stays is only an upload that seems to be pending.
            host.log(.warning, "an upload is done and may still be listed: \(error.message)")
        }
    }

    /// What an earlier completion made; `notFound` if there is no such object.
    private func completedBefore(_ name: UploadName, at place: Place, call: Call) throws(BackendError) -> Entry {
        guard let head = try head(name.key, at: place, call: call),
            let id = ObjectHead.own(SegmentStore.ownName, in: head.headers),
            id.utf8.elementsEqual(name.id.utf8)
        else { throw UploadName.unknown }
        return entry(name.key, head)
    }

    /// The segments of the parts; `invalidArgument` where the store has them otherwise.
    private static func check(_ parts: [UploadPart], against present: [Part]) throws(BackendError) -> [Segment] {
        guard !parts.isEmpty else { throw BackendError(.invalidArgument, "an object has at least one part") }
        var known: [Int: Segment] = [:]
        for part in present { known[part.number] = part.segment }
        var chosen: [Segment] = []
        var last = 0
        for part in parts {
            guard part.number > last else {
                throw BackendError(.invalidArgument, "the numbers of the parts do not rise")
            }
            guard let found = known[part.number], found.etag.utf8.elementsEqual(part.etag.bytes),
                part.size == nil || part.size == found.size
            else { throw BackendError(.invalidArgument, "part \(part.number) is missing or another one") }
            last = part.number
            chosen.append(found)
        }
        return chosen
    }

    package func abortUpload(_ upload: ByteString, call: Call) throws(BackendError) {
        let name = try UploadName(upload)
        let store = SegmentStore(storage: self, place: try place(call: call))
        _ = try mark(of: name, in: store, call: call)
        // First the mark: a part that comes later sees that it is too late.
        guard try store.remove([name.mark], call: call), try store.removeAll(name.id, call: call) else {
            throw BackendError(.unavailable, "aborting the upload of \(name.key): not all is gone", isRetryable: true)
        }
    }

    package func listUploads(_ request: UploadListRequest, into sink: EntrySink, call: Call) throws(BackendError) {
        let store = SegmentStore(storage: self, place: try place(call: call))
        let marks = try store.list(SegmentStore.uploads, call: call).filter { $0.modified < request.before }
        var found: [(key: ByteString, id: String, begun: Int64)] = []
        let questions = marks.map { HTTPRequest("GET", store.place.segmentPath($0.key.string)) }
        try store.place.endpoint.sendAll(questions, call: call) { (index, result) throws(BackendError) in
            let answer = try result.get()
            // What ended meanwhile is not pending.
            guard answer.status != 404 else { return }
            guard answer.head.isSuccess else { throw Refusal.error(answer, "listing uploads") }
            let key = ByteString(answer.body)
            guard key.hasPrefix(request.prefix) else { return }
            let id = String(marks[index].key.string.dropFirst(SegmentStore.uploads.count))
            found.append((key, id, marks[index].modified))
        }
        found.sort { $0.key == $1.key ? $0.id < $1.id : $0.key < $1.key }
        for one in found { try sink.sendUpload(key: one.key, id: UploadName(one.key, one.id).text, begun: one.begun) }
    }
}
