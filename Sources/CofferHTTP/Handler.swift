package import CofferSystem

/// What answers requests.
///
/// The server calls it on its own blocking threads, many at once.
package protocol HTTPHandler: Sendable {
    /// Where the request waits when too many like it are being handled; nil for "never waits".
    func lane(for request: HTTPRequest) -> Lane?

    /// Answers a request, or says what takes its body first.
    ///
    /// `cancellation` is set when the client goes away or the server stops.
    func respond(to request: HTTPRequest, cancellation: Cancellation) -> HTTPReply

    /// The answer to a request that the server itself turns away: malformed, too large, too late, or one too many.
    ///
    /// `reason` is for a person. The server adds `Retry-After` to a 503.
    func refusal(status: Int, reason: String) -> HTTPResponse
}

extension HTTPHandler {
    /// A problem document that says no more than the server knows.
    package func refusal(status: Int, reason: String) -> HTTPResponse {
        var headers = HTTPHeaders()
        headers.add("Content-Type", "application/problem+json")
        // The reasons are the server's own words: nothing in them needs escaping.
        let text = "{\"title\":\"\(statusText(status))\",\"status\":\(status),\"detail\":\"\(reason)\"}\n"
        return HTTPResponse(status: status, headers: headers, body: .bytes(Array(text.utf8)))
    }
}

/// What a handler makes of a request's head.
package enum HTTPReply: Sendable {
    /// The answer. A body that is still to come is drained within limits, or the connection is closed.
    case response(HTTPResponse)
    /// The body goes here; its ``HTTPBodyReceiver/finish(trailers:)`` gives the answer.
    case receive(any HTTPBodyReceiver)
}

/// Takes a request's body, piece by piece.
///
/// Calls never overlap, and may come on different threads.
package protocol HTTPBodyReceiver: AnyObject, Sendable {
    /// Takes the next bytes; a response ends the request early.
    func receive(_ bytes: RawSpan) -> HTTPResponse?
    /// The body is complete.
    func finish(trailers: HTTPHeaders) -> HTTPResponse
    /// The client vanished, sent less than announced, or broke the framing. No other call follows.
    func abort()
}

/// An answer.
package struct HTTPResponse: Sendable {
    package var status: Int
    package var headers: HTTPHeaders
    package var body: HTTPBody

    package init(status: Int, headers: HTTPHeaders = HTTPHeaders(), body: HTTPBody = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// An answer's body.
///
/// The server adds `Content-Length` or `Transfer-Encoding`; a HEAD request gets the head alone.
package enum HTTPBody: Sendable {
    case bytes([UInt8])
    /// `length` bytes at `offset` of a regular file, sent without passing through us where possible.
    case file(Descriptor, offset: Int64, length: Int64)
    /// Pulled as the client takes it; `length` nil means chunked.
    case stream(length: Int64?, any HTTPBodySource)
    /// No body bytes; the descriptor travels with the first byte of the head (SCM_RIGHTS).
    case passing(Descriptor)
    /// No bytes are sent, but the head says how many there would be (the answer to HEAD).
    case omitted(length: Int64)
}

/// Gives an answer's body, piece by piece.
///
/// Calls never overlap, and may come on different threads.
package protocol HTTPBodySource: AnyObject, Sendable {
    /// Fills `buffer` from the front and says how far; 0 only at the end, nil when it failed and the connection must break.
    func read(into buffer: inout MutableRawSpan) -> Int?
    /// The answer is sent, or the client is gone.
    func close()
}
