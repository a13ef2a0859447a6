// URLs that carry their own signature.

import CofferTransport

/// Makes URLs that work for whoever has them, until they expire.
package struct Presigner {
    /// The longest life that S3 grants.
    package static let longestLife: UInt64 = 7 * 24 * 3600

    private let signer: Signer
    private let time: String

    /// Signs from a moment on, which is written `20130524T000000Z`.
    package init(_ signer: Signer, at time: String) {
        self.signer = signer
        self.time = time
    }

    /// The path and query of a request that works for `seconds`; the headers of the request must be sent as they are.
    package func target(of request: SignedRequest, seconds: UInt64) -> String {
        var names = request.headers.map(\.name)
        names.append("host")
        names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let scope = String(decoding: signer.scope, as: UTF8.self)
        var query = [
            (name: "X-Amz-Algorithm", value: "AWS4-HMAC-SHA256"),
            (name: "X-Amz-Credential", value: "\(signer.credentials.accessKey)/\(scope)"),
            (name: "X-Amz-Date", value: time),
            (name: "X-Amz-Expires", value: String(seconds)),
            (name: "X-Amz-SignedHeaders", value: names.joined(separator: ";")),
        ]
        if let token = signer.credentials.sessionToken {
            query.append((name: "X-Amz-Security-Token", value: token))
        }
        var request = request
        request.target += request.target.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
        request.target += encodedQuery(query)
        let signature = signer.signature(of: request, payload: .unsigned, at: time)
        return "\(request.target)&X-Amz-Signature=\(signature.value)"
    }
}

/// Names and values as a query, escaped; a name without a value stands alone.
package func encodedQuery(_ pairs: [(name: String, value: String)]) -> String {
    pairs.map { pair in
        let name = percentEncoded(pair.name.utf8)
        return pair.value.isEmpty ? name : "\(name)=\(percentEncoded(pair.value.utf8))"
    }.joined(separator: "&")
}
