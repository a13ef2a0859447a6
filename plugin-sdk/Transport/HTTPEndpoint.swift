// One HTTP server as a backend sees it: the way to send requests.

public import CofferPluginSDK

/// One HTTP server: pooled connections, retries, limits.
///
/// Every call blocks the caller's thread; any thread may call. What it promises of each call:
/// 1. It ends within a second of the call being cancelled or late; its connection is free by then.
/// 2. A peer that stalls, in connecting, before the answer, in the body or in taking an upload, ends it with `timeout`
///    after the time set for that; a long transfer that moves has no limit.
/// 3. A request is repeated after a broken connection, 429, 500, 502, 503 or 504 only where ``HTTPRequest/repetition``
///    allows it, with full jitter, honouring `Retry-After`, within the retry budget of the endpoint; never after another
///    4xx.
/// 4. Messages of errors hold no field of the request and no value of its query.
public final class HTTPEndpoint: Sendable {
    /// Where it is.
    public let origin: HTTPOrigin
    /// How it is spoken to.
    public let settings: HTTPSettings
    let signer: (any RequestSigner)?
    let pool: WirePool
    let limit: ConcurrencyLimit
    let budget: RetryBudget

    /// An endpoint.
    ///
    /// No I/O.
    public init(_ origin: HTTPOrigin, settings: HTTPSettings = HTTPSettings(), signer: (any RequestSigner)? = nil) {
        self.origin = origin
        self.settings = settings
        self.signer = signer
        pool = WirePool(settings)
        limit = ConcurrencyLimit(ceiling: settings.concurrency)
        budget = RetryBudget(share: settings.retries.budget)
    }

    /// Sends a request and takes the answer whole, whatever its status; what is transient is repeated.
    ///
    /// An answer of any status is returned, not thrown: make the error of it with ``HTTPAnswer/failure(_:)``. Thrown is
    /// what gave no answer.
    public func send(_ request: HTTPRequest, call: Call) throws(BackendError) -> HTTPAnswer {
        var round = Round(request, at: self)
        return try round.run(call) { (exchange, head) throws(BackendError) in
            let body = try exchange.readAll(
                limit: request.answerLimit,
                expecting: head.bodyLength(for: request.method),
                call
            )
            return HTTPAnswer(head: head, body: body)
        }
    }

    /// Sends a request and waits for the head of the answer; the body is read from the response by the caller.
    ///
    /// What is transient is repeated until a head came; a broken body is the caller's: see ``read(_:_:call:)``.
    public func open(_ request: HTTPRequest, call: Call) throws(BackendError) -> HTTPResponse {
        var round = Round(request, at: self)
        return try round.run(call) { (exchange, head) throws(BackendError) in
            HTTPResponse(head: head, length: head.bodyLength(for: request.method), exchange: exchange)
        }
    }

    /// Reads bytes of an object and goes on by itself where the connection broke, at the same version.
    ///
    /// `request` is a GET without `Range`. An answer that is no success is given back in
    /// ``RangedRead/Opening/refused(_:)``.
    public func read(_ request: HTTPRequest, _ range: ReadRange, call: Call) throws(BackendError) -> RangedRead.Opening
    {
        try RangedRead.open(request, range, at: self, call: call)
    }

    /// Begins a request whose body the caller appends; `length` nil sends it chunked.
    ///
    /// Returns once a connection took the head, which is repeated like any request that was not sent. From then on
    /// nothing is repeated, and the errors say whether it may have been applied.
    public func beginUpload(_ request: HTTPRequest, length: UInt64?, call: Call) throws(BackendError) -> HTTPUpload {
        try HTTPUpload.begin(request, length: length, at: self, call: call)
    }

    /// Closes every connection; nothing may be in flight.
    ///
    /// Later calls fail.
    public func close() { pool.close() }

    /// The request with the credentials of the endpoint, checked.
    func prepared(_ request: HTTPRequest, _ call: Call) throws(BackendError) -> HTTPRequest {
        var signed = request
        if let signer, request.isSigned { try signer.sign(&signed, origin: request.origin ?? origin, call: call) }
        try signed.check()
        return signed
    }
}

extension HTTPHead {
    /// The length of the body that follows, where the head names it.
    func bodyLength(for method: String) -> UInt64? {
        if method == "HEAD" || status == 204 || status == 304 { return 0 }
        guard headers["transfer-encoding"] == nil, let text = headers["content-length"] else { return nil }
        return UInt64(text)
    }
}
