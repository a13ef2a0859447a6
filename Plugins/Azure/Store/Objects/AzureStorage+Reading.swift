// Looking at objects and reading them.

import CofferParts
package import CofferPluginSDK
import CofferTransport

extension AzureStorage {
    package func health(call: Call) throws(BackendError) -> Properties {
        let place = configuration.place
        let facts: Properties = [
            "endpoint": place.origin.description, "account": place.account, "container": place.container,
        ]
        // What a signature of one container allows too, unlike a look at its properties.
        let question = HTTPRequest("GET", place.containerPath + "?restype=container&comp=list&maxresults=1")
        try send(question, "looking at the container \(place.container)", call: call)
        return facts
    }

    package func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry {
        guard let head = try head(request.key, call: call) else { throw absent(request) }
        let entry = entry(request.key, head)
        try request.conditions.checkRead(request.key, etag: entry.etag)
        return entry
    }

    package func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        var request = request
        // What the service does not know is answered by a look: `*`, a range of nothing, and one counted from the end.
        if request.conditions.ifNoneMatch == "*" || request.range.needsLook {
            let entry = try stat(request, call: call)
            let range = try request.range.resolve(size: UInt64(max(0, entry.size)))
            if range.isEmpty { return ReadAnswer(entry: entry, range: range, body: .stream(NoBytes())) }
            request.range = .slice(offset: range.lowerBound, length: UInt64(range.count))
            request.conditions.ifNoneMatch = .empty
            // A range of the end is one of the version that was looked at.
            if request.conditions.ifMatch.isEmpty { return try openRead(request, pinnedTo: entry.etag, call: call) }
        }
        return try openRead(request, pinnedTo: .empty, call: call)
    }

    private func openRead(
        _ request: ReadRequest,
        pinnedTo tag: ByteString,
        call: Call
    ) throws(BackendError) -> ReadAnswer {
        var question = try self.request("GET", request.key)
        let match = tag.isEmpty ? request.conditions.ifMatch : tag
        if !match.isEmpty, match != "*" { question.headers.add("If-Match", "\"\(match)\"") }
        if !request.conditions.ifNoneMatch.isEmpty {
            question.headers.add("If-None-Match", "\"\(request.conditions.ifNoneMatch)\"")
        }
        let first = configuration.readConcurrency > 1 ? ParallelReader.firstPiece(of: request.range) : request.range
        var opening = try endpoint.read(question, first, call: call)
        // An object without bytes has no first piece.
        if case .refused(let answer) = opening, answer.status == 416, first != request.range {
            opening = try endpoint.read(question, request.range, call: call)
        }
        switch opening {
        case .refused(let answer):
            let error = Refusal(answer).error(answer, "reading \(request.key)", key: request.key)
            if error.code == .precondition, !tag.isEmpty {
                throw BackendError(
                    .changed,
                    "changed while it was read: \(request.key)",
                    isRetryable: true,
                    native: 412
                )
            }
            if answer.status == 304 { throw BackendError(.notModified, "not modified: \(request.key)", native: 304) }
            if error.code == .precondition {
                throw BackendError(.precondition, "another version: \(request.key)", native: 412)
            }
            throw error.code == .notFound && Refusal(answer).isAbsent ? absent(request) : error
        case .reading(let read):
            let entry = ObjectHead.entry(request.key, read.head.headers, size: Int64(clamping: read.size))
            return try answer(request, question, entry, read)
        }
    }

    /// The rest of a large object comes over several connections; without room for that, over one.
    private func answer(
        _ request: ReadRequest,
        _ question: HTTPRequest,
        _ entry: Entry,
        _ first: RangedRead
    ) throws(BackendError) -> ReadAnswer {
        do throws(BackendError) {
            let range = try request.range.resolve(size: first.size)
            guard first.range.upperBound < range.upperBound else {
                return ReadAnswer(entry: entry, range: first.range, body: .stream(ObjectReader(first)))
            }
            let reader = try ParallelReader(
                first: first,
                range: range,
                ahead: readAhead,
                width: configuration.readConcurrency,
                open: { [self] offset, length, call throws(BackendError) in
                    try resume(question, entry, offset: offset, length: length, call: call)
                }
            )
            return ReadAnswer(entry: entry, range: range, body: .stream(reader))
        } catch {
            first.close()
            throw error
        }
    }

    /// A read of a part of the version that is being read.
    private func resume(
        _ question: HTTPRequest,
        _ entry: Entry,
        offset: UInt64,
        length: UInt64,
        call: Call
    ) throws(BackendError) -> RangedRead {
        var question = question
        question.headers["If-None-Match"] = nil
        question.headers["If-Match"] = "\"\(entry.etag)\""
        switch try endpoint.read(question, .slice(offset: offset, length: length), call: call) {
        case .reading(let read): return read
        case .refused(let answer):
            if answer.status == 412 || answer.status == 404 {
                throw BackendError(
                    .changed,
                    "changed while it was read: \(entry.key)",
                    native: Int32(answer.status)
                )
            }
            throw Refusal(answer).error(answer, "reading \(entry.key)", key: entry.key)
        }
    }

    private func absent(_ request: ReadRequest) -> BackendError {
        request.conditions.ifMatch.isEmpty
            ? .notFound(request.key) : BackendError(.precondition, "no such object: \(request.key)")
    }
}

extension ReadRange {
    /// Whether the service cannot answer it at once: it knows no ranges of nothing and none from the end.
    fileprivate var needsLook: Bool {
        switch self {
        case .all, .from: false
        case .slice(_, let length): length == 0
        case .suffix: true
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
