// What many TLS connections of a client share: whom it trusts, and who it says it is.

import CTLS

// Sendable because OpenSSL locks a context itself, and nothing here changes after `init`.
/// What many TLS connections of a client share: whom it trusts, and who it says it is.
///
/// Peers are always verified; nothing older than TLS 1.2 is spoken.
public final class TLSContext: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Makes a context.
    ///
    /// - Parameters:
    ///   - authorities: a PEM file of certificates to trust instead of the system's.
    ///   - certificate: a PEM file of the client's own chain.
    ///   - key: a PEM file of its private key, if it is not in the same file.
    /// - Throws: ``TLSError/unusable(_:)`` if a file cannot be used.
    public init(authorities: String? = nil, certificate: String? = nil, key: String? = nil) throws(TLSError) {
        var reason = [CChar](repeating: 0, count: 256)
        let made = withOptionalCString(authorities) { authorities in
            withOptionalCString(certificate) { certificate in
                withOptionalCString(key) { key in
                    coffer_tls_context_make(authorities, certificate, key, &reason, reason.count)
                }
            }
        }
        guard let made else {
            let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw .unusable(String(decoding: text, as: UTF8.self))
        }
        pointer = made
    }

    deinit { coffer_tls_context_free(pointer) }
}

// Sendable because a session never changes.
/// A session of an earlier connection, which another one to the same peer may resume.
public final class TLSSession: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { coffer_tls_session_free(pointer) }
}

private func withOptionalCString<R>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}
