// URLs that carry their own signature.

/// Makes URLs that work for whoever has them, until they expire.
package struct Presigner {
    /// The longest life that S3 grants.
    package static let longestLife: UInt64 = 7 * 24 * 3600

    private let signer: Signer
    private let time: Moment

    /// Signs from a moment on.
    package init(_ signer: Signer, at time: Moment) {
        self.signer = signer
        self.time = time
    }

    /// The path and query of a request that works for `seconds`; the headers of the request must be sent as they are.
    package func target(of request: SignedRequest, seconds: UInt64) -> [UInt8] {
        var request = request
        let stamp = time.basic
        var names = request.headers.map(\.name)
        names.append("host")
        names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let scope = String(decoding: signer.scope, as: UTF8.self)
        request.query += [
            (name: "X-Amz-Algorithm", value: "AWS4-HMAC-SHA256"),
            (name: "X-Amz-Credential", value: "\(signer.credentials.accessKey)/\(scope)"),
            (name: "X-Amz-Date", value: String(decoding: stamp, as: UTF8.self)),
            (name: "X-Amz-Expires", value: String(seconds)),
            (name: "X-Amz-SignedHeaders", value: names.joined(separator: ";")),
        ]
        if let token = signer.credentials.sessionToken {
            request.query.append((name: "X-Amz-Security-Token", value: token))
        }
        let signature = signer.signature(of: request, payload: .unsigned, at: stamp).signature
        return request.path + [UInt8(ascii: "?")] + request.encodedQuery + Array("&X-Amz-Signature=\(signature)".utf8)
    }
}
