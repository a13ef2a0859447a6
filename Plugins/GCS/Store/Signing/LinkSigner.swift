// Signed URLs (V4): a request is written down in one certain way, and that is signed.

import CofferCrypto
import CofferTransport

/// What a signed URL allows, and the texts that are signed for it.
package struct LinkSigner: Sendable {
    /// The longest life of a signed URL, in seconds.
    package static let longestLife: UInt64 = 604_800

    private static let algorithm = "GOOG4-RSA-SHA256"

    /// The method that the URL is good for.
    package var method: String
    /// The path, encoded.
    package var path: String
    /// Headers that the request must carry, `host` among them; names in lower case.
    package var headers: [(name: String, value: String)]
    /// Parameters beside those of the signature.
    package var query: [(name: String, value: String)] = []
    /// Who signs.
    package var email: String
    /// When, as `20240506T070809Z`.
    package var time: String
    /// For how long, in seconds.
    package var seconds: UInt64

    /// What may be done by whom and when.
    package init(
        method: String,
        path: String,
        headers: [(name: String, value: String)],
        email: String,
        time: String,
        seconds: UInt64
    ) {
        self.method = method
        self.path = path
        self.headers = headers.sorted { $0.name < $1.name }
        self.email = email
        self.time = time
        self.seconds = seconds
    }

    private var scope: String { "\(time.prefix(8))/auto/storage/goog4_request" }
    private var names: String { headers.map(\.name).joined(separator: ";") }

    /// The query without its signature, in the order of encoded names.
    private var unsignedQuery: String {
        let parameters =
            query + [
                (name: "X-Goog-Algorithm", value: Self.algorithm),
                (name: "X-Goog-Credential", value: "\(email)/\(scope)"),
                (name: "X-Goog-Date", value: time),
                (name: "X-Goog-Expires", value: String(seconds)),
                (name: "X-Goog-SignedHeaders", value: names),
            ]
        return parameters.map { (percentEncoded($0.name.utf8), percentEncoded($0.value.utf8)) }
            .sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    /// The request as it is written down for the signature.
    package var canonicalRequest: String {
        var lines = [method, path, unsignedQuery]
        for header in headers { lines.append("\(header.name):\(Self.folded(header.value))") }
        lines += ["", names, "UNSIGNED-PAYLOAD"]
        return lines.joined(separator: "\n")
    }

    /// What is signed.
    package var stringToSign: String {
        let digest = hex(Digest.of(Array(canonicalRequest.utf8), .sha256))
        return [Self.algorithm, time, scope, digest].joined(separator: "\n")
    }

    /// Path and query of the URL.
    package func target(signature: [UInt8]) -> String {
        "\(path)?\(unsignedQuery)&X-Goog-Signature=\(hex(signature))"
    }

    /// A header's value without blanks around it, and with one in place of several.
    private static func folded(_ value: String) -> String {
        value.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
    }
}
