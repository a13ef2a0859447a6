// Why a TLS connection came to nothing.

/// Why a TLS connection came to nothing.
public enum TLSError: Error, Sendable, Hashable {
    /// A file of certificates or keys cannot be used: a matter of configuration.
    case unusable(String)
    /// The peer's certificate is not good for the name that it was called by.
    case untrusted(String)
    /// The connection broke, or the peer does not keep to the protocol.
    case failed(String)

    /// What went wrong, for a person.
    public var reason: String {
        switch self {
        case .unusable(let text), .untrusted(let text), .failed(let text): text
        }
    }
}
