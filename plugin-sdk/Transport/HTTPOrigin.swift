// Where an HTTP server listens: scheme, host, port.

/// Where an HTTP server listens: scheme, host and port, and nothing else of a URL.
///
/// Two URLs belong together, so that credentials may go to both, if and only if their origins are equal.
public struct HTTPOrigin: Sendable, Hashable, CustomStringConvertible {
    /// Whether TLS is spoken: `https`.
    public let isSecure: Bool
    /// The name or address in lower case; an IPv6 address without its brackets.
    public let host: String
    /// The port, given or implied by the scheme.
    public let port: UInt16

    /// An origin of parts.
    public init(isSecure: Bool, host: String, port: UInt16? = nil) {
        self.isSecure = isSecure
        self.host = host.lowercased()
        self.port = port ?? (isSecure ? 443 : 80)
    }

    /// `https` or `http`.
    public var scheme: String { isSecure ? "https" : "http" }

    /// What the field `Host` says: the host, and the port unless the scheme implies it.
    ///
    /// A signature covers this.
    public var authority: String {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// The origin as a URL without a path.
    public var description: String { "\(scheme)://\(authority)" }
}

/// An absolute `http` or `https` URL, cut into its origin and its target; not one byte of the target is changed.
public struct HTTPLocation: Sendable, Hashable, CustomStringConvertible {
    /// The server.
    public let origin: HTTPOrigin
    /// Path and query as they are sent, always with a leading slash.
    public let target: String

    /// A location of parts.
    public init(origin: HTTPOrigin, target: String) {
        self.origin = origin
        self.target = target
    }

    /// The path without the query.
    public var path: String {
        let bytes = target.utf8
        return String(target[..<(bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex)])
    }

    /// The URL, with every value of its query hidden: a signature may stand there.
    public var description: String { "\(origin)\(redactingQuery(of: target))" }
}
