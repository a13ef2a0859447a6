// What holds for a request by HTTP's own rules.

import CofferPluginSDK

extension HTTPRequest {
    /// Methods that change nothing.
    private static let safe: Set<String> = ["GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT", "SEARCH"]
    /// Methods whose repetition leaves what one request leaves.
    private static let idempotent: Set<String> = ["PUT", "DELETE", "MKCOL", "COPY", "MOVE", "PROPPATCH"]
    /// Methods whose empty body is still announced.
    private static let announcing: Set<String> = ["POST", "PUT", "PATCH"]
    /// What another origin may see of a request that was meant for this one.
    private static let harmless: Set<String> = ["accept", "range", "content-type", "user-agent"]

    /// Whether it changes nothing at the server.
    var isSafe: Bool { Self.safe.contains(method) }

    /// Whether it may be repeated where it is open if the server acted.
    var isRepeatable: Bool {
        switch repetition {
        case .byMethod: isSafe || Self.idempotent.contains(method)
        case .always: true
        case .onlyUnsent: false
        }
    }

    /// Whether an empty body is announced with its length.
    var needsLength: Bool { Self.announcing.contains(method) }

    /// Refuses what would break the request apart on the wire.
    func check() throws(BackendError) {
        guard !method.isEmpty, method.utf8.allSatisfy({ (0x41...0x5A).contains($0) || $0 == 0x2D }) else {
            throw BackendError(.invalidArgument, "no HTTP method: \(method)")
        }
        guard target.utf8.first == UInt8(ascii: "/") || target.utf8.elementsEqual("*".utf8),
            target.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        else {
            throw BackendError(.invalidArgument, "the target of a request must be encoded and begin with a slash")
        }
        for field in headers {
            guard !field.name.isEmpty, field.name.utf8.allSatisfy(isTokenByte) else {
                throw BackendError(.invalidArgument, "no name of a header field: \(field.name)")
            }
            guard field.value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }) else {
                throw BackendError(.invalidArgument, "the header field \(field.name) holds a control character")
            }
        }
    }

    /// The request to send after a redirection; nil where the answer itself is what the caller gets.
    func following(_ head: HTTPHead, from origin: HTTPOrigin) throws(BackendError) -> HTTPRequest? {
        guard [301, 302, 303, 307, 308].contains(head.status), let location = head.headers["location"] else {
            return nil
        }
        let keepsMethod = head.status == 307 || head.status == 308
        guard isSafe || keepsMethod || head.status == 303 else { return nil }
        let next: HTTPLocation
        do {
            next = try HTTPLocation(origin: origin, target: target).resolving(location)
        } catch {
            throw BackendError(
                .io,
                "the redirection of \(origin.authority) \(error.reason)",
                native: Int32(head.status)
            )
        }
        if origin.isSecure && !next.origin.isSecure {
            let message = "\(origin.authority) redirects from https to http: refused"
            throw BackendError(.permission, message, native: Int32(head.status))
        }
        var request = self
        request.target = next.target
        if head.status == 303, method != "HEAD" {
            request.method = "GET"
            request.body = []
        }
        guard next.origin != origin else { return request }
        // A body was meant for the first server alone.
        guard request.body.isEmpty else { return nil }
        request.origin = next.origin
        request.isSigned = false
        request.headers.keep { field in
            let name = field.name.lowercased()
            return Self.harmless.contains(name) || name.utf8.starts(with: "if-".utf8)
        }
        return request
    }
}

/// Whether a byte may stand in a token (RFC 9110, section 5.6.2).
private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: true
    default: false
    }
}
