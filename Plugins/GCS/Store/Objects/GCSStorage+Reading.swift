// Looking at objects and reading them.

import CofferParts
package import CofferPluginSDK
import CofferTransport

extension GCSStorage {
    /// How often a read begins anew because the object was replaced between the look and the first byte.
    private static let beginnings = 16

    package func health(call: Call) throws(BackendError) -> Properties {
        let place = configuration.place
        // To list takes fewer rights than to look at the bucket itself.
        let question = HTTPRequest("GET", "\(place.objectsPath)?fields=kind&maxResults=1")
        try send(question, "looking at the bucket \(place.container)", call: call)
        return ["endpoint": place.origin.description, "container": place.container]
    }

    package func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry {
        try look(request, call: call).entry
    }

    private func look(_ request: ReadRequest, call: Call) throws(BackendError) -> ObjectResource {
        try judge(try resource(request.key, call: call), request)
    }

    private func judge(_ resource: ObjectResource?, _ request: ReadRequest) throws(BackendError) -> ObjectResource {
        guard let resource else {
            throw request.conditions.ifMatch.isEmpty
                ? .notFound(request.key)
                : BackendError(.precondition, "no such object: \(request.key)", native: 404)
        }
        try request.conditions.checkRead(request.key, etag: resource.entry.etag)
        return resource
    }

    package func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        var piece = FirstPiece(of: request.range)
        for _ in 1...Self.beginnings {
            let resource = try look(request, taking: &piece, call: call)
            let entry = resource.entry
            guard entry.size >= 0 else {
                throw BackendError(.io, "reading \(request.key): the store names no size")
            }
            let size = UInt64(entry.size)
            let range = try request.range.resolve(size: size)
            if range.isEmpty { return ReadAnswer(entry: entry, range: range, body: .stream(NoBytes())) }
            let stream: any ReadStream
            if let first = piece?.bytes(of: resource.version, range, size: size) {
                let start = range.lowerBound + UInt64(first.count)
                var rest: (any ReadStream)?
                if start < range.upperBound {
                    rest = try self.stream(of: resource, start..<range.upperBound, call: call)
                    guard rest != nil else { continue }
                }
                stream = PieceReader(first, then: rest)
            } else {
                guard let whole = try self.stream(of: resource, range, call: call) else { continue }
                stream = whole
            }
            let isChecked = range.count == Int(size) && !resource.crc32c.isEmpty
            let body: any ReadStream = isChecked ? CheckedReader(stream, of: resource) : stream
            return ReadAnswer(entry: entry, range: range, body: .stream(body))
        }
        throw BackendError(.changed, "replaced again and again: \(request.key)", isRetryable: true)
    }

    /// Looks at an object, and asks for its first piece at the same time.
    private func look(
        _ request: ReadRequest,
        taking piece: inout FirstPiece?,
        call: Call
    ) throws(BackendError) -> ObjectResource {
        guard var asked = piece else { return try look(request, call: call) }
        let path = configuration.place.path(request.key)
        var found: Result<HTTPAnswer, BackendError>?
        try endpoint.sendAll([HTTPRequest("GET", path), asked.request(path)], width: 2, call: call) {
            position,
            result in
            if position == 0 { return found = result }
            // What became of the piece matters only if it came.
            if case .success(let answer) = result { asked.take(answer) }
        }
        piece = asked
        guard let found else { throw BackendError(.internal, "a request went astray") }
        return try judge(try resource(try found.get(), request.key), request)
    }

    /// The bytes of that version; nil if it is not there any more.
    private func stream(
        of resource: ObjectResource,
        _ range: Range<UInt64>,
        call: Call
    ) throws(BackendError) -> (any ReadStream)? {
        let key = resource.entry.key
        let size = UInt64(resource.entry.size)
        let question = media(resource)
        let isWhole = range.lowerBound == 0 && range.upperBound == size
        let width = configuration.readConcurrency
        let wanted: ReadRange =
            if width > 1 {
                .slice(offset: range.lowerBound, length: min(UInt64(range.count), ReadAhead.piece))
            } else if isWhole { .all } else {
                .slice(offset: range.lowerBound, length: UInt64(range.count))
            }
        let first: RangedRead
        switch try endpoint.read(question, wanted, call: call) {
        case .refused(let answer):
            let refusal = Refusal(answer)
            if answer.status == 404, !refusal.isAboutBucket { return nil }
            throw refusal.error(answer, "reading \(key)", key: key)
        case .reading(let read): first = read
        }
        guard first.size == size else {
            first.close()
            throw BackendError(.corrupt, "reading \(key): the store sends another size than it told", isRetryable: true)
        }
        guard first.range.upperBound < range.upperBound else { return ObjectReader(first) }
        do throws(BackendError) {
            return try ParallelReader(first: first, range: range, ahead: readAhead, width: width) {
                [self] offset, length, call throws(BackendError) in
                try read(question, key, offset, length, call: call)
            }
        } catch {
            first.close()
            throw error
        }
    }

    /// The request for the bytes of one version, as they are stored: else what is packed comes unpacked.
    private func media(_ resource: ObjectResource) -> HTTPRequest {
        var query = [(name: "alt", value: "media")]
        if let version = resource.version { query.append((name: "generation", value: String(version.generation))) }
        var request = HTTPRequest(
            "GET",
            "\(configuration.place.path(resource.entry.key))?\(encodedQuery(query))",
            headers: ["Accept-Encoding": "gzip"]
        )
        request.namesVersion = resource.version != nil
        return request
    }

    private func read(
        _ question: HTTPRequest,
        _ key: ByteString,
        _ offset: UInt64,
        _ length: UInt64,
        call: Call
    ) throws(BackendError) -> RangedRead {
        switch try endpoint.read(question, .slice(offset: offset, length: length), call: call) {
        case .reading(let read): return read
        case .refused(let answer):
            if answer.status == 404 { throw BackendError(.changed, "the object changed while it was read: \(key)") }
            throw Refusal(answer).error(answer, "reading \(key)", key: key)
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
