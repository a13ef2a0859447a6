// Shared access signatures of one blob: "Create a service SAS" and "Create a user delegation SAS" of Microsoft's pages.

import CofferCrypto
package import CofferPluginSDK
import CofferTransport

/// A key of the user's own, lent by the service for some days: it signs links where no key of the account is at hand.
package struct DelegationKey: Sendable, Hashable {
    package var object: String
    package var tenant: String
    package var start: String
    package var expiry: String
    package var service: String
    package var version: String
    /// The key itself, in Base64.
    package var value: String

    package init(
        object: String,
        tenant: String,
        start: String,
        expiry: String,
        service: String,
        version: String,
        value: String
    ) {
        (self.object, self.tenant, self.start, self.expiry) = (object, tenant, start, expiry)
        (self.service, self.version, self.value) = (service, version, value)
    }
}

/// What a signature allows: one blob, some operations, until a moment.
package struct SharedAccess: Sendable {
    /// The version of the service whose rules make the signature.
    package static let version = "2021-12-02"

    package var account: String
    package var container: String
    package var name: String
    /// `r`, `cw`, `d`: in the order of the pages.
    package var permissions: String
    /// Unix seconds.
    package var expires: Int64
    /// Whether only TLS may carry it.
    package var isSecure: Bool
    /// What the answer's fields shall say: `rscc`, `rscd`, `rsce`, `rscl`, `rsct`.
    package var overrides: [(name: String, value: String)] = []

    package init(
        account: String,
        container: String,
        name: String,
        permissions: String,
        expires: Int64,
        isSecure: Bool
    ) {
        self.account = account
        self.container = container
        self.name = name
        self.permissions = permissions
        self.expires = expires
        self.isSecure = isSecure
    }

    /// The query, signed by the account's key.
    package func query(_ key: SharedKey) -> String {
        let fields = [permissions, "", time, resource, ""] + tail
        return query(signature: key.signature(of: fields.joined(separator: "\n")), [])
    }

    /// The query, signed by a key that was lent.
    package func query(_ key: DelegationKey) throws(BackendError) -> String {
        guard let bytes = bytes(base64: key.value) else {
            throw BackendError(.io, "the store lends a key that is none")
        }
        let lent = [key.object, key.tenant, key.start, key.expiry, key.service, key.version]
        // Whom the link is for, and what is logged with it, is left open.
        let fields = [permissions, "", time, resource] + lent + ["", "", ""] + tail
        let names = ["skoid", "sktid", "skt", "ske", "sks", "skv"]
        let signature = base64(hmacSHA256(Array(fields.joined(separator: "\n").utf8), key: bytes))
        return query(signature: signature, zip(names, lent).map { (name: $0, value: $1) })
    }

    private var time: String { formatISO8601(expires) }
    private var resource: String { "/blob/\(account)/\(container)/\(name)" }

    /// Address, protocol, version, kind, snapshot, encryption scope, and the fields of the answer.
    private var tail: [String] {
        ["", isSecure ? "https" : "", Self.version, "b", "", ""]
            + ["rscc", "rscd", "rsce", "rscl", "rsct"].map { name in
                overrides.first { $0.name == name }?.value ?? ""
            }
    }

    private func query(signature: String, _ lent: [(name: String, value: String)]) -> String {
        var pairs = [(name: "sv", value: Self.version), (name: "se", value: time), (name: "sr", value: "b")]
        pairs.append((name: "sp", value: permissions))
        if isSecure { pairs.append((name: "spr", value: "https")) }
        pairs += overrides + lent
        pairs.append((name: "sig", value: signature))
        return encodedQuery(pairs)
    }
}

/// `2024-05-06T07:08:09Z`, of Unix seconds.
package func formatISO8601(_ seconds: Int64) -> String {
    let basic = Array(HTTPDate.formatBasic(seconds * 1_000_000_000).utf8)
    // 20240506T070809Z
    var text: [UInt8] = []
    for (index, byte) in basic.enumerated() {
        if index == 4 || index == 6 { text.append(UInt8(ascii: "-")) }
        if index == 11 || index == 13 { text.append(UInt8(ascii: ":")) }
        text.append(byte)
    }
    return String(decoding: text, as: UTF8.self)
}
