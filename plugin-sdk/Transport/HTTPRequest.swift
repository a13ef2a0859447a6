// What is asked of an HTTP server.

public import CofferPluginSDK

/// One request: what goes over the wire is exactly the method, the target and the headers given here.
///
/// The transport adds `Host`, and `Content-Length` or `Transfer-Encoding: chunked` where there is a body; nothing else.
public struct HTTPRequest: Sendable {
    /// What may be done again after a failure that leaves open whether the server acted.
    public enum Repetition: Sendable, Hashable {
        /// By the method: GET, HEAD, OPTIONS, PUT, DELETE, PROPFIND, MKCOL, COPY and MOVE are repeated, others are not.
        case byMethod
        /// Repeating does no harm: the caller knows.
        case always
        /// Only if nothing of it was sent, or the server said that it did nothing (429, 503).
        case onlyUnsent
    }

    /// What becomes of a redirection.
    public enum Redirects: Sendable, Hashable {
        /// The answer with its status 3xx is given to the caller.
        case give
        /// Followed, this many times. Another origin gets no credentials (only `Accept`, `Range`, `If-*`, `Content-Type`
        /// and `User-Agent` go there, and no signature is made), and from `https` to `http` is refused.
        case follow(limit: Int)
    }

    /// `GET`, `PUT`, `PROPFIND`, …; as it is sent.
    public var method: String
    /// The server; nil is that of the endpoint.
    public var origin: HTTPOrigin?
    /// Path and query, encoded already and sent as they are: see ``percentEncoded(_:keeping:)``.
    public var target: String
    /// The fields to send; a line break in one is refused before any I/O.
    public var headers: HTTPHeaders
    /// The body, for calls that take all of it at once; empty sends `Content-Length: 0` with POST, PUT and PATCH only.
    public var body: [UInt8] = []
    /// What may be done again.
    public var repetition = Repetition.byMethod
    /// What becomes of a redirection.
    public var redirects = Redirects.give
    /// How long the server may take from the last byte of the request to the first of the answer; nil is that of the
    /// endpoint.
    ///
    /// Longer for what works long before it answers.
    public var answerTimeout: Duration?
    /// Whether the endpoint's signer sees this request.
    public var isSigned = true
    /// Whether `Expect: 100-continue` goes before the body, so that a refusal costs no upload.
    public var expectsContinue = false
    /// The most bytes of an answer's body that ``HTTPEndpoint/send(_:call:)`` takes; more is an error.
    public var answerLimit = 8 << 20
    /// Whether the target itself names one version of the object, so that a read that goes on needs no other proof of it.
    public var namesVersion = false
    /// Judges an answer that came whole, for servers that hide an error in a 200.
    ///
    /// An error here is retried as its `isRetryable` says. nil judges by the status alone.
    public var judge: (@Sendable (HTTPAnswer) -> BackendError?)?

    /// A request to the endpoint's own server.
    public init(_ method: String, _ target: String, headers: HTTPHeaders = HTTPHeaders(), body: [UInt8] = []) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }
}

/// The status and the header fields of an answer.
public struct HTTPHead: Sendable {
    /// 200 to 599: interim answers are not shown.
    public var status: Int
    /// The fields.
    public var headers: HTTPHeaders

    /// A head.
    public init(status: Int, headers: HTTPHeaders) {
        self.status = status
        self.headers = headers
    }

    /// Whether the status is one of 200 to 299.
    public var isSuccess: Bool { (200..<300).contains(status) }
}

/// An answer that came whole.
public struct HTTPAnswer: Sendable {
    /// Status and fields.
    public var head: HTTPHead
    /// The body.
    public var body: [UInt8]

    /// An answer.
    public init(head: HTTPHead, body: [UInt8]) {
        self.head = head
        self.body = body
    }

    /// The status.
    public var status: Int { head.status }
}

/// Puts credentials on requests: one for each endpoint, asked on any thread.
///
/// It is asked anew for each attempt, also for a retry, a redirection inside the origin and the resumption of a read, so
/// that dates are fresh and the fields it covers are those sent.
public protocol RequestSigner: Sendable {
    /// Adds what proves who asks. May fetch a token first; what it throws ends the request.
    func sign(_ request: inout HTTPRequest, origin: HTTPOrigin, call: Call) throws(BackendError)

    /// Whether credentials were renewed, after a 401 or 403 to a request that they were put on, so that one repetition
    /// makes sense. `request` is what was sent.
    func renew(after head: HTTPHead, to request: HTTPRequest, call: Call) throws(BackendError) -> Bool
}

extension RequestSigner {
    /// Nothing can be renewed.
    public func renew(after head: HTTPHead, to request: HTTPRequest, call: Call) throws(BackendError) -> Bool { false }
}
