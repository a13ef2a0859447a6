// The signed statement by which a service account asks for a token (RFC 7523).

import CofferCrypto
import CofferJSON

/// A JSON Web Token (RFC 7519), signed by RS256, that says who asks for which scope.
package struct Assertion {
    /// How long it may be used, in seconds: the most that Google takes.
    private static let life: Int64 = 3600

    /// The text of the token; nil where the key cannot sign.
    ///
    /// `now` is in Unix seconds.
    package static func text(for account: ServiceAccount, scope: String, now: Int64) -> String? {
        var head = JSONWriter()
        head.object { head in
            head.member("alg", "RS256")
            head.member("typ", "JWT")
            if !account.keyID.isEmpty { head.member("kid", account.keyID) }
        }
        var claims = JSONWriter()
        claims.object { claims in
            claims.member("iss", account.email)
            claims.member("scope", scope)
            claims.member("aud", account.tokenURI)
            claims.member("iat", now)
            claims.member("exp", now + life)
        }
        let signed = base64URL(head.bytes) + "." + base64URL(claims.bytes)
        guard let signature = account.signer.signature(of: Array(signed.utf8)) else { return nil }
        return signed + "." + base64URL(signature)
    }

    /// Base64 for URLs, without padding (RFC 4648, section 5).
    package static func base64URL(_ bytes: [UInt8]) -> String {
        let digits = base64(bytes).utf8.compactMap { digit -> UInt8? in
            switch digit {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: digit
            }
        }
        return String(decoding: digits, as: UTF8.self)
    }
}
