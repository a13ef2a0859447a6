// Looking at objects and reading them.

import CofferParts
package import CofferPluginSDK
import CofferTransport

extension OpenStackStorage {
    package func health(call: Call) throws(BackendError) -> Properties {
        let place = try place(call: call)
        let answer = try place.endpoint.send(HTTPRequest("HEAD", place.containerPath), call: call)
        var facts: Properties = ["endpoint": place.endpoint.origin.description, "container": place.container]
        let doing = "looking at the container \(place.container)"
        if answer.status == 404 { throw Refusal.noContainer(doing) }
        guard answer.head.isSuccess else { throw Refusal.error(answer, doing) }
        facts["objects"] = answer.head.headers["x-container-object-count"]
        facts["bytes"] = answer.head.headers["x-container-bytes-used"]
        return facts
    }

    package func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry {
        let place = try place(call: call)
        guard let head = try head(request.key, at: place, call: call) else { throw absent(request) }
        let entry = entry(request.key, head)
        try request.conditions.checkRead(request.key, etag: entry.etag)
        return entry
    }

    package func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        let place = try place(call: call)
        // No range asks for nothing: what is there answers that.
        if request.range.isNothing {
            let entry = try stat(request, call: call)
            let range = try request.range.resolve(size: UInt64(max(0, entry.size)))
            if range.isEmpty { return ReadAnswer(entry: entry, range: range, body: .stream(NoBytes())) }
        }
        var question = HTTPRequest("GET", place.path(request.key))
        addNewest(to: &question)
        // If-Match is compared here, with what the answer says: radosgw compares it with the tag of a manifest.
        if !request.conditions.ifNoneMatch.isEmpty {
            let token = request.conditions.ifNoneMatch
            question.headers.add("If-None-Match", token == "*" ? "*" : "\"\(token)\"")
        }
        let isParallel = configuration.readConcurrency > 1
        let first = isParallel ? ParallelReader.firstPiece(of: request.range) : request.range
        var opening = try place.endpoint.read(question, first, call: call)
        // An object without bytes has no first piece.
        if case .refused(let answer) = opening, answer.status == 416, first != request.range {
            opening = try place.endpoint.read(question, request.range, call: call)
        }
        switch opening {
        case .refused(let answer): throw try refusal(answer, request, at: place, call: call)
        case .reading(let read):
            noteContainer()
            let entry = ObjectHead.entry(request.key, read.head.headers, size: Int64(clamping: read.size))
            do throws(BackendError) {
                try request.conditions.checkRead(request.key, etag: entry.etag)
                return try answer(request, question, entry, read, at: place)
            } catch {
                read.close()
                throw error
            }
        }
    }

    private func refusal(
        _ answer: HTTPAnswer,
        _ request: ReadRequest,
        at place: Place,
        call: Call
    ) throws(BackendError) -> BackendError {
        let doing = "reading \(request.key)"
        switch answer.status {
        case 404:
            try expectContainer(at: place, doing, call: call)
            return absent(request)
        case 409:
            // A manifest whose segments are gone: it is being replaced, or somebody removed them.
            return BackendError(.changed, "\(doing): segments are missing", isRetryable: true, native: 409)
        default: return Refusal.error(answer, doing, key: request.key)
        }
    }

    /// The rest of a large object comes over several connections; without room for that, over one.
    private func answer(
        _ request: ReadRequest,
        _ question: HTTPRequest,
        _ entry: Entry,
        _ first: RangedRead,
        at place: Place
    ) throws(BackendError) -> ReadAnswer {
        let range = try request.range.resolve(size: first.size)
        guard first.range.upperBound < range.upperBound else {
            return ReadAnswer(entry: entry, range: first.range, body: .stream(ObjectReader(first)))
        }
        var question = question
        question.headers["If-None-Match"] = nil
        let (key, etag) = (entry.key, entry.etag)
        let reader = try ParallelReader(
            first: first,
            range: range,
            ahead: readAhead,
            width: configuration.readConcurrency
        ) { [question] offset, length, call throws(BackendError) in
            switch try place.endpoint.read(question, .slice(offset: offset, length: length), call: call) {
            case .reading(let read):
                if unquoted(read.head.headers["etag"] ?? "").utf8.elementsEqual(etag.bytes) { return read }
                read.close()
            case .refused(let answer):
                guard answer.status == 404 || answer.status == 409 else {
                    throw Refusal.error(answer, "reading \(key)", key: key)
                }
            }
            throw BackendError(.changed, "changed while it was read: \(key)")
        }
        return ReadAnswer(entry: entry, range: range, body: .stream(reader))
    }

    private func absent(_ request: ReadRequest) -> BackendError {
        request.conditions.ifMatch.isEmpty
            ? .notFound(request.key) : BackendError(.precondition, "no such object: \(request.key)")
    }
}

extension ReadRange {
    /// Whether it asks for no bytes at all, whatever the size.
    fileprivate var isNothing: Bool {
        switch self {
        case .all, .from: false
        case .slice(_, let length): length == 0
        case .suffix(let length): length == 0
        }
    }
}

/// A read of one object, over one connection at a time.
private final class ObjectReader: ReadStream {
    private let read: RangedRead

    init(_ read: RangedRead) { self.read = read }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        try read.read(into: &buffer, call: call)
    }

    func close() { read.close() }
}

/// A read of nothing.
private final class NoBytes: ReadStream {
    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int { 0 }
    func close() {}
}
