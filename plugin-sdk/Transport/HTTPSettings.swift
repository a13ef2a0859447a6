// How an endpoint is spoken to.

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
    ///
    /// A request counts until its answer begins: bodies that are being read or pushed do not.
    public var concurrency = 64
    /// What is repeated, and how often.
    public var retries = RetryPolicy()
    /// `http://`, `https://` or `socks5h://` with user and password; empty is none, nil what the environment says.
    public var proxy: String?
    /// A PEM file of the authorities to trust instead of the system's.
    public var caFile: String?
    /// A PEM file of the client's certificate, and of its key.
    public var clientCertificate: (certificate: String, key: String)?
    /// Whether the server's certificate is verified.
    ///
    /// Off is for tests alone.
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
    /// A `Retry-After` that asks for more is not waited for: the answer goes to the caller.
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
