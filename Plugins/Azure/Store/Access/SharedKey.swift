// Signatures by the key of the account: "Authorize with Shared Key" of Microsoft's pages.

import CofferCrypto
package import CofferTransport

/// The account's key.
package struct SharedKey: Sendable {
    package let account: String
    private let key: [UInt8]

    package init(account: String, key: [UInt8]) {
        self.account = account
        self.key = key
    }

    /// The signature of a text, in Base64.
    package func signature(of text: String) -> String { base64(hmacSHA256(Array(text.utf8), key: key)) }

    /// What the field `Authorization` says for a request whose other fields are all there.
    package func authorization(_ request: HTTPRequest) -> String {
        "SharedKey \(account):\(signature(of: text(of: request)))"
    }

    /// The fields that are signed by their values alone; the length stands between the second and the third.
    private static let fields = [
        "Content-MD5", "Content-Type", "Date", "If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since",
        "Range",
    ]

    /// What is signed of a request.
    package func text(of request: HTTPRequest) -> String {
        let headers = request.headers
        var lines = [request.method, headers["Content-Encoding"] ?? "", headers["Content-Language"] ?? ""]
        lines.append(request.body.isEmpty ? "" : String(request.body.count))
        lines += Self.fields.map { headers[$0] ?? "" }
        let own = headers.map { (name: $0.name.lowercased(), value: $0.value) }
            .filter { $0.name.utf8.starts(with: "x-ms-".utf8) }
            .map { (field: $0, weights: Self.weights($0.name)) }
            .sorted { $0.weights.lexicographicallyPrecedes($1.weights) }
        lines += own.map { "\($0.field.name):\($0.field.value)" }
        lines.append(resource(request.target))
        return lines.joined(separator: "\n")
    }

    /// How the service sorts names: as a dictionary does, in which dashes do not count and an underscore goes before
    /// digits, and digits before letters.
    private static func weights(_ name: String) -> [UInt8] {
        name.utf8.filter { $0 != UInt8(ascii: "-") }.map { $0 == UInt8(ascii: "_") ? 1 : $0 }
    }

    /// The path, and each parameter of the query by name.
    private func resource(_ target: String) -> String {
        let halves = target.split(separator: "?", maxSplits: 1)
        var text = "/\(account)\(halves.first ?? "/")"
        guard halves.count == 2 else { return text }
        var parameters: [(name: String, value: String)] = []
        for pair in halves[1].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = Self.plain(parts[0]).lowercased()
            parameters.append((name, parts.count == 2 ? Self.plain(parts[1]) : ""))
        }
        parameters.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        for parameter in parameters { text += "\n\(parameter.name):\(parameter.value)" }
        return text
    }

    private static func plain(_ text: Substring) -> String {
        percentDecoded(text.utf8).map { String(decoding: $0, as: UTF8.self) } ?? String(text)
    }
}
