// Digest authentication (RFC 7616).

import CofferCrypto

/// What a server asks for digest authentication, and the answer to it.
struct Challenge: Sendable {
    let realm: String
    let nonce: String
    let isStale: Bool
    private let opaque: String?
    private let algorithm: Digest.Algorithm
    private let word: String?
    private let hasQuality: Bool

    /// Reads a field `WWW-Authenticate`; nil if it asks for something else, or for an algorithm that is not known.
    init?(_ field: String) {
        guard field.lowercased().utf8.starts(with: "digest ".utf8) else { return nil }
        let parts = Self.parts(field.dropFirst(7))
        guard let realm = parts["realm"], let nonce = parts["nonce"] else { return nil }
        let word = parts["algorithm"]
        switch word?.lowercased() {
        case nil, "md5": algorithm = .md5
        case "sha-256": algorithm = .sha256
        default: return nil
        }
        if let quality = parts["qop"] {
            guard quality.split(whereSeparator: { $0 == "," || $0 == " " }).contains("auth") else { return nil }
        }
        self.realm = realm
        self.nonce = nonce
        self.word = word
        hasQuality = parts["qop"] != nil
        opaque = parts["opaque"]
        isStale = parts["stale"]?.lowercased() == "true"
    }

    /// The field `Authorization` for one request; `count` grows with each under one nonce.
    func answer(
        user: String,
        password: String,
        method: String,
        target: String,
        count: UInt32,
        client: String = String(UInt64.random(in: 0...UInt64.max), radix: 16)
    ) -> String {
        func hash(_ text: String) -> String { hex(Digest.of(Array(text.utf8), algorithm)) }
        let number = String(repeating: "0", count: 8 - String(count, radix: 16).utf8.count) + String(count, radix: 16)
        let (first, second) = (hash("\(user):\(realm):\(password)"), hash("\(method):\(target)"))
        let response =
            hasQuality
            ? hash("\(first):\(nonce):\(number):\(client):auth:\(second)") : hash("\(first):\(nonce):\(second)")
        var field = "Digest username=\"\(Self.quoted(user))\", realm=\"\(Self.quoted(realm))\", nonce=\"\(nonce)\""
        field += ", uri=\"\(target)\", response=\"\(response)\""
        if let word { field += ", algorithm=\(word)" }
        if hasQuality { field += ", qop=auth, nc=\(number), cnonce=\"\(client)\"" }
        if let opaque { field += ", opaque=\"\(opaque)\"" }
        return field
    }

    private static func quoted(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { result.unicodeScalars.append("\\") }
            result.unicodeScalars.append(scalar)
        }
        return result
    }

    /// `name=value` and `name="value"`, with commas between.
    private static func parts(_ text: Substring) -> [String: String] {
        var result: [String: String] = [:]
        var rest = text.unicodeScalars[...]
        while true {
            rest = rest.drop { $0 == " " || $0 == "," || $0 == "\t" }
            let name = rest.prefix { $0 != "=" && $0 != "," }
            rest = rest[name.endIndex...]
            guard rest.first == "=" else { return result }
            rest = rest.dropFirst()
            var value = String.UnicodeScalarView()
            if rest.first == "\"" {
                rest = rest.dropFirst()
                while let scalar = rest.popFirst(), scalar != "\"" {
                    guard scalar != "\\" else {
                        if let next = rest.popFirst() { value.append(next) }
                        continue
                    }
                    value.append(scalar)
                }
            } else {
                while let scalar = rest.first, scalar != ",", scalar != " " {
                    value.append(scalar)
                    rest = rest.dropFirst()
                }
            }
            result[String(name).lowercased()] = String(value)
        }
    }
}

/// Base64 (RFC 4648, section 4).
func base64(_ bytes: some Sequence<UInt8>) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var result: [UInt8] = []
    var held: UInt32 = 0
    var bits = 0
    for byte in bytes {
        held = held << 8 | UInt32(byte)
        bits += 8
        while bits >= 6 {
            bits -= 6
            result.append(letters[Int(held >> UInt32(bits) & 63)])
        }
    }
    if bits > 0 { result.append(letters[Int(held << UInt32(6 - bits) & 63)]) }
    while result.count % 4 != 0 { result.append(UInt8(ascii: "=")) }
    return String(decoding: result, as: UTF8.self)
}
