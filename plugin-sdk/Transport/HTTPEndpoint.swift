// One HTTP server as a backend sees it: the way to send requests.

public import CofferPluginSDK

/// One HTTP server: pooled connections, retries, limits. Every call blocks the caller's thread; any thread may call.
///
/// What it promises of each call:
/// 1. It ends within a second of the call being cancelled or late; its connection is free by then.
/// 2. A peer that stalls, in connecting, before the answer, in the body or in taking an upload, ends it with `timeout`
///    after the time set for that; a long transfer that moves has no limit.
/// 3. A request is repeated after a broken connection, 429, 500, 502, 503 or 504 only where ``HTTPRequest/repetition``
///    allows it, with full jitter, honouring `Retry-After`, within the retry budget of the endpoint; never after another 4xx.
/// 4. Messages of errors hold no field of the request and no value of its query.
public final class HTTPEndpoint: Sendable {
    /// Where it is.
    public let origin: HTTPOrigin
    /// How it is spoken to.
    public let settings: HTTPSettings

    /// An endpoint; no I/O. `config` if TLS files cannot be taken.
    public init(_ origin: HTTPOrigin, settings: HTTPSettings = HTTPSettings(), signer: (any RequestSigner)? = nil)
        throws(BackendError)
    {
        self.origin = origin
        self.settings = settings
    }

    /// Sends a request and takes the answer whole, whatever its status; what is transient is repeated.
    ///
    /// An answer of any status is returned, not thrown: make the error of it with ``HTTPAnswer/failure(_:)``. Thrown is what
    /// gave no answer.
    public func send(_ request: HTTPRequest, call: Call) throws(BackendError) -> HTTPAnswer {
        throw .unsupported("send")
    }

    /// Sends a request and waits for the head of the answer; the body is read from the response by the caller.
    ///
    /// What is transient is repeated until a head came; a broken body is the caller's: see ``read(_:_:call:)``.
    public func open(_ request: HTTPRequest, call: Call) throws(BackendError) -> HTTPResponse {
        throw .unsupported("open")
    }

    /// Reads bytes of an object and goes on by itself where the connection broke, at the same version.
    ///
    /// `request` is a GET without `Range`. An answer that is no success is given back in ``RangedRead/Opening/refused(_:)``.
    public func read(_ request: HTTPRequest, _ range: ReadRange, call: Call) throws(BackendError) -> RangedRead.Opening
    {
        throw .unsupported("read")
    }

    /// Begins a request whose body the caller appends; `length` nil sends it chunked.
    ///
    /// Nothing is repeated once a byte of the body was taken, so the errors say whether it may have been applied.
    public func beginUpload(_ request: HTTPRequest, length: UInt64?, call: Call) throws(BackendError) -> HTTPUpload {
        throw .unsupported("upload")
    }

    /// Closes every connection; nothing may be in flight. Later calls fail.
    public func close() {}
}

/// How an endpoint is spoken to.
public struct HTTPSettings: Sendable {
    /// From the first packet to a connection that can carry a request, TLS included.
    public var connectTimeout = Duration.seconds(10)
    /// From the last byte of a request to the first of its answer.
    public var answerTimeout = Duration.seconds(60)
    /// The longest pause inside a body, in either direction.
    public var stallTimeout = Duration.seconds(30)
    /// How long a connection is kept without use.
    public var idleTimeout = Duration.seconds(30)
    /// The most requests in flight at once, from which 429, 503 and rising latency take away; 0 is no limit.
    public var concurrency = 64
    /// What is repeated, and how often.
    public var retries = RetryPolicy()
    /// `http://`, `https://` or `socks5h://` with user and password; empty is none, nil what the environment says.
    public var proxy: String?
    /// A PEM file of the authorities to trust instead of the system's.
    public var caFile: String?
    /// A PEM file of the client's certificate, and of its key.
    public var clientCertificate: (certificate: String, key: String)?
    /// Whether the server's certificate is verified. Off is for tests alone.
    public var verifiesTLS = true
    /// The most bytes of a head.
    public var headLimit = 64 << 10
    /// What the field `User-Agent` says where the request has none; empty sends none.
    public var userAgent = "coffer"

    /// The defaults.
    public init() {}
}

/// What is repeated, and how often.
public struct RetryPolicy: Sendable {
    /// The most attempts of one call; 1 repeats nothing.
    public var attempts = 5
    /// The first pause is up to this; each further one up to twice as long.
    public var firstPause = Duration.milliseconds(100)
    /// No pause is longer, but for `Retry-After`.
    public var longestPause = Duration.seconds(10)
    /// A `Retry-After` that asks for more ends the call with `rateLimited` or `unavailable`.
    public var longestRetryAfter = Duration.seconds(60)
    /// Statuses that are repeated.
    public var statuses: Set<Int> = [429, 500, 502, 503, 504]
    /// How many repetitions an endpoint allows for each request that was answered well (and 20 more to begin with), so
    /// that an outage is not multiplied.
    public var budget = 0.2

    /// The defaults.
    public init() {}

    /// Nothing is repeated.
    public static var none: RetryPolicy {
        var policy = RetryPolicy()
        policy.attempts = 1
        return policy
    }
}
