// Puts credentials on the requests of an endpoint.

package import CofferPluginSDK
package import CofferTransport

/// What proves who asks.
package enum Access: Sendable {
    /// The account's key.
    case key(SharedKey)
    /// A signature that somebody made, as a query.
    case signature(String)
    /// Tokens of an application.
    case token(TokenSource)
}

/// Puts credentials, the version and the date on requests.
package struct BlobSigner: RequestSigner {
    private let access: Access

    package init(_ access: Access) { self.access = access }

    package func sign(_ request: inout HTTPRequest, origin: HTTPOrigin, call: Call) throws(BackendError) {
        if request.headers["x-ms-version"] == nil { request.headers["x-ms-version"] = SharedAccess.version }
        request.headers["x-ms-date"] = HTTPDate.format(wallClock())
        switch access {
        case .key(let key):
            // Not covered by itself.
            request.headers["Authorization"] = nil
            request.headers["Authorization"] = key.authorization(request)
        case .signature(let query):
            let isFirst = !request.target.utf8.contains(UInt8(ascii: "?"))
            request.target += (isFirst ? "?" : "&") + query
        case .token(let source):
            request.headers["Authorization"] = "Bearer \(try source.token(call: call))"
        }
    }

    package func renew(after head: HTTPHead, to request: HTTPRequest, call: Call) throws(BackendError) -> Bool {
        guard case .token(let source) = access, head.status == 401,
            let field = request.headers["Authorization"], field.utf8.starts(with: "Bearer ".utf8)
        else { return false }
        source.drop(String(field.dropFirst("Bearer ".utf8.count)))
        return true
    }
}
