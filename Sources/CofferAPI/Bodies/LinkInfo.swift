import CofferJSON
public import CofferModel

/// A link: whoever holds it may do one thing with one object until it expires.
///
/// Keep it like a password.
public struct LinkInfo: Sendable, Hashable {
    /// A header that a request must send.
    public struct Header: Sendable, Hashable {
        /// The name.
        public var name: String
        /// The value, to be sent as it stands here.
        public var value: String

        /// Pairs a name with a value.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Where to send the request, as it stands here.
    public var url: String
    /// The only method that it is good for.
    public var method: LinkMethod
    /// What the request must send; without it the store refuses.
    public var requiredHeaders: [Header]
    /// When it expires, by the word of whoever signed it.
    public var expiresAt: Timestamp

    /// Creates a link.
    public init(url: String, method: LinkMethod, requiredHeaders: [Header] = [], expiresAt: Timestamp) {
        self.url = url
        self.method = method
        self.requiredHeaders = requiredHeaders
        self.expiresAt = expiresAt
    }

    /// The link as a JSON document.
    package func encode() -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("url", url)
            $0.member("method", method.rawValue)
            $0.name("required_headers")
            $0.object {
                for header in requiredHeaders { $0.member(header.name, header.value) }
            }
            $0.member("expires_at", expiresAt.description)
        }
        return writer.bytes
    }

    /// Reads the document that ``encode()`` writes.
    package init(parsing bytes: [UInt8]) throws(CofferError) {
        let body = try BodyReader(parsing: bytes)
        self.init(
            url: try body.string("url"),
            method: try body.required("method", LinkMethod(rawValue: try body.string("method"))),
            requiredHeaders: try body.stringPairs("required_headers").map { Header($0.name, $0.value) },
            expiresAt: try body.required("expires_at", try body.optionalTime("expires_at"))
        )
    }
}
