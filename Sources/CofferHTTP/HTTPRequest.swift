package import CofferSystem

/// The head of a request.
package struct HTTPRequest: Sendable {
    /// The method, as sent (case matters).
    package var method: String
    /// The request target, as sent: still percent-encoded.
    package var target: String
    package var headers: HTTPHeaders
    /// How the body is framed.
    package var body: BodyLength
    /// Who is calling; nil on a TCP connection.
    package var peer: PeerCredentials?
    /// A descriptor that came attached to the head, if any.
    package var descriptor: Descriptor?

    /// How a request's body is framed.
    package enum BodyLength: Sendable, Hashable {
        case none
        case exactly(Int64)
        case chunked
    }

    package init(
        method: String,
        target: String,
        headers: HTTPHeaders = HTTPHeaders(),
        body: BodyLength = .none,
        peer: PeerCredentials? = nil,
        descriptor: Descriptor? = nil
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.peer = peer
        self.descriptor = descriptor
    }
}
