import CofferHTTP
import CofferSystem
import Glibc

/// A handler whose answers a test writes as a closure.
struct ScriptedHandler: HTTPHandler {
    var chooseLane: @Sendable (HTTPRequest) -> Lane? = { _ in nil }
    var answer: @Sendable (HTTPRequest, Cancellation) -> HTTPReply

    init(
        lane: @escaping @Sendable (HTTPRequest) -> Lane? = { _ in nil },
        _ answer: @escaping @Sendable (HTTPRequest, Cancellation) -> HTTPReply
    ) {
        chooseLane = lane
        self.answer = answer
    }

    func lane(for request: HTTPRequest) -> Lane? { chooseLane(request) }

    func respond(to request: HTTPRequest, cancellation: Cancellation) -> HTTPReply { answer(request, cancellation) }
}

/// Answers each request with its method, target and body.
struct EchoHandler: HTTPHandler {
    func lane(for request: HTTPRequest) -> Lane? { nil }

    func respond(to request: HTTPRequest, cancellation: Cancellation) -> HTTPReply {
        .receive(
            Collector { body, trailers in
                var headers = HTTPHeaders()
                for field in trailers { headers.add("Trailer-" + field.name, field.value) }
                return HTTPResponse(
                    status: 200,
                    headers: headers,
                    body: .bytes(Array("\(request.method) \(request.target) ".utf8) + body)
                )
            }
        )
    }
}

/// Collects a body.
final class Collector: HTTPBodyReceiver {
    private let body = Locked([UInt8]())
    private let tally: Tally?
    private let limit: Int
    private let answer: @Sendable ([UInt8], HTTPHeaders) -> HTTPResponse

    /// More than `limit` bytes are answered with 413 at once.
    init(
        tally: Tally? = nil,
        limit: Int = .max,
        _ answer: @escaping @Sendable ([UInt8], HTTPHeaders) -> HTTPResponse
    ) {
        self.tally = tally
        self.limit = limit
        self.answer = answer
    }

    func receive(_ bytes: RawSpan) -> HTTPResponse? {
        let count = body.withLock { body in
            bytes.withUnsafeBytes { body.append(contentsOf: $0) }
            return body.count
        }
        tally?.note("bytes", bytes.byteCount)
        return count > limit ? HTTPResponse(status: 413) : nil
    }

    func finish(trailers: HTTPHeaders) -> HTTPResponse {
        tally?.note("finish")
        return answer(body.withLock { $0 }, trailers)
    }

    func abort() { tally?.note("abort") }
}

/// Gives `count` bytes of `byte`, in pieces of at most `piece`.
final class Repeating: HTTPBodySource {
    private let left: Locked<Int>
    private let byte: UInt8
    private let piece: Int
    private let fails: Bool
    private let tally: Tally?

    /// With `fails` it fails where it would end.
    init(_ byte: UInt8, count: Int, piece: Int = .max, fails: Bool = false, tally: Tally? = nil) {
        left = Locked(count)
        self.byte = byte
        self.piece = piece
        self.fails = fails
        self.tally = tally
    }

    func read(into buffer: inout MutableRawSpan) -> Int? {
        let count = left.withLock { left in
            let count = min(left, piece, buffer.byteCount)
            left -= count
            return count
        }
        tally?.note("read", count)
        if count == 0 && fails { return nil }
        buffer.withUnsafeMutableBytes { bytes in
            if let base = bytes.baseAddress { memset(base, Int32(byte), count) }
        }
        return count
    }

    func close() { tally?.note("close") }
}
