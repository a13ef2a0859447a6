package import CofferSystem

/// Why an exchange with a host came to nothing.
package enum ClientFailure: Error, Sendable, Hashable {
    /// The host closed before a byte of the answer.
    case closedBeforeAnswer
    /// The host closed in the middle of the answer.
    case closedInAnswer
    /// What came is not HTTP; the text says what.
    case malformed(String)
    /// The system failed.
    case system(SystemError)
    /// ``ClientConnection/cancel()`` was called.
    case cancelled
}
