import CofferHTTP

/// A request's body whose answer is looked at, and completed, on its way out.
final class AnsweredBody: HTTPBodyReceiver {
    private let inner: any HTTPBodyReceiver
    private let answered: @Sendable (HTTPResponse) -> HTTPResponse

    /// `answered` sees the one answer of `inner`, or the 499 of a client that went away, and says what is sent.
    init(_ inner: any HTTPBodyReceiver, _ answered: @escaping @Sendable (HTTPResponse) -> HTTPResponse) {
        self.inner = inner
        self.answered = answered
    }

    func receive(_ bytes: RawSpan) -> HTTPResponse? { inner.receive(bytes).map(answered) }

    func finish(trailers: HTTPHeaders) -> HTTPResponse { answered(inner.finish(trailers: trailers)) }

    func abort() {
        inner.abort()
        _ = answered(HTTPResponse(status: 499))
    }
}
