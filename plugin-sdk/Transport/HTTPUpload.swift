// A request whose body the caller pushes.

public import CofferPluginSDK

/// A request whose body the caller pushes, piece by piece, as a write stream of the kit gets it.
///
/// One call at a time. ``finish(call:)`` once, or ``abort()``, which comes by itself when the last reference goes.
public final class HTTPUpload {
    private let exchange: Exchange
    private let limit: ConcurrencyLimit
    private let method: String
    private let answerLimit: Int
    private let length: UInt64?
    private var sent: UInt64 = 0

    private init(_ exchange: Exchange, _ request: HTTPRequest, length: UInt64?, limit: ConcurrencyLimit) {
        self.exchange = exchange
        self.limit = limit
        self.length = length
        method = request.method
        answerLimit = request.answerLimit
    }

    static func begin(
        _ request: HTTPRequest,
        length: UInt64?,
        at endpoint: HTTPEndpoint,
        call: Call
    ) throws(BackendError) -> HTTPUpload {
        var round = Round(request, at: endpoint)
        let exchange = try round.runUntilIssued(length: length, call)
        return HTTPUpload(exchange, request, length: length, limit: endpoint.limit)
    }

    /// Whether the server answered before the end of the body: what is appended now is dropped, and ``finish(call:)``
    /// gives that answer.
    public var isAnswered: Bool { exchange.isAnsweredEarly }

    /// Sends bytes, and returns once the transport has taken them all; a server that takes none for long is `timeout`.
    ///
    /// More than the announced length is `invalidArgument`.
    public func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        let count = UInt64(bytes.byteCount)
        if let length, count > length - sent {
            abort()
            throw BackendError(.invalidArgument, "more bytes than the \(length) that were announced")
        }
        sent += count
        guard !isAnswered else { return }
        try bytes.withUnsafeBytes { (bytes) throws(BackendError) in
            try exchange.push(bytes, isLast: sent == length, call)
        }
    }

    /// Ends the body and takes the answer whole, whatever its status; not repeated.
    ///
    /// Fewer bytes than announced are `invalidArgument`, and the request is broken off.
    public func finish(call: Call) throws(BackendError) -> HTTPAnswer {
        if let length, sent < length, !isAnswered {
            abort()
            throw BackendError(.invalidArgument, "\(sent) bytes where \(length) were announced")
        }
        let start = monotonicNow()
        try exchange.push(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true, call)
        let head = try exchange.awaitHead(call)
        if head.status == 429 || head.status == 503 { limit.note(.overloaded) }
        if head.isSuccess { limit.note(.answered(after: monotonicNow() - start)) }
        let body = try exchange.readAll(limit: answerLimit, expecting: head.bodyLength(for: method), call)
        return HTTPAnswer(head: head, body: body)
    }

    /// Breaks the request off: the connection is closed, so that the server cannot take it for whole.
    public func abort() { exchange.end() }
}
