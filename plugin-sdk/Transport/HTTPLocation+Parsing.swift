// Reading URLs.

extension HTTPLocation {
    /// Reads an absolute URL; a message that says what is wrong, without the URL. A fragment is dropped; a user or a
    /// password inside is refused.
    public init(parsing text: String) throws(HTTPLocationError) {
        throw HTTPLocationError(reason: "is not a URL")
    }

    /// The location that a `Location` field names, seen from here: absolute, `//host/path`, `/path` or relative.
    public func resolving(_ reference: String) throws(HTTPLocationError) -> HTTPLocation { self }
}

/// Why a text is not an HTTP URL.
public struct HTTPLocationError: Error, Sendable, Hashable {
    /// What is wrong; follows `option NAME` or `the redirection`: `has no host`.
    public let reason: String
}
