// Whose requests they are.

/// An access key with its secret; a session token and an end where they are temporary.
package struct Credentials: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The public half.
    package var accessKey: String
    /// The secret half.
    package var secretKey: String
    /// What proves that temporary credentials were given.
    package var sessionToken: String?
    /// When they stop working, in Unix nanoseconds; nil is never.
    package var expires: Int64?

    /// Credentials.
    package init(accessKey: String, secretKey: String, sessionToken: String? = nil, expires: Int64? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
        self.expires = expires
    }

    /// Without the secrets, so that no message can tell them.
    package var description: String { "credentials of \(accessKey)" }

    /// Without the secrets, so that no message can tell them.
    package var debugDescription: String { description }
}
