import AzureStore
import CofferCrypto
import CofferPluginSDK
import CofferTransport
import Testing

/// Signatures are those of Microsoft's pages and of Microsoft's client.
struct SigningTests {
    private let bytes = (0..<64).map { UInt8($0) }
    private var key: SharedKey { SharedKey(account: "myaccount", key: bytes) }

    /// The example of the page "Authorize with Shared Key".
    @Test func aRequestIsSignedAsThePageSays() {
        var request = HTTPRequest("GET", "/mycontainer?restype=container&comp=metadata&timeout=20")
        request.headers.add("x-ms-version", "2015-02-21")
        request.headers.add("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT")
        let expected =
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n"
            + "/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20"
        #expect(key.text(of: request) == expected)
        #expect(key.authorization(request) == "SharedKey myaccount:ZfuQJIowrCGKlm/KTSTcA7Tx12MxVvDi2ryOPQQw7Gw=")
    }

    @Test func everySignedFieldHasItsPlace() {
        var request = HTTPRequest("PUT", "/myaccount/box/a%20b?comp=block&blockid=YWI%3D", body: [1, 2, 3])
        for (name, value) in [
            ("Content-MD5", "md5"), ("Content-Type", "a/b"), ("If-Match", "\"1\""), ("If-None-Match", "*"),
            ("Range", "bytes=0-1"), ("Content-Encoding", "gzip"), ("Content-Language", "de"), ("User-Agent", "x"),
        ] {
            request.headers.add(name, value)
        }
        let lines = [
            "PUT", "gzip", "de", "3", "md5", "a/b", "", "", "\"1\"", "*", "", "bytes=0-1",
            "/myaccount/myaccount/box/a%20b", "blockid:YWI=", "comp:block",
        ]
        #expect(key.text(of: request) == lines.joined(separator: "\n"))
    }

    @Test func headersAreSortedAsTheServiceDoes() {
        var request = HTTPRequest("PUT", "/box/a")
        for name in ["x-ms-meta-a0", "x-ms-meta-ab", "X-Ms-Meta-a_b", "x-ms-date", "x-ms-blob-type"] {
            request.headers.add(name, "1")
        }
        let names = key.text(of: request).split(separator: "\n").filter { $0.utf8.starts(with: "x-ms-".utf8) }
        #expect(
            names == ["x-ms-blob-type:1", "x-ms-date:1", "x-ms-meta-a_b:1", "x-ms-meta-a0:1", "x-ms-meta-ab:1"]
        )
    }

    /// 2030-01-02T03:04:05Z.
    private let expires: Int64 = 1_893_553_445

    private func signature(_ query: String) -> String? {
        query.split(separator: "&").first { $0.utf8.starts(with: "sig=".utf8) }
            .flatMap { percentDecoded($0.dropFirst(4).utf8) }.map { String(decoding: $0, as: UTF8.self) }
    }

    private func access(_ name: String, _ permissions: String, isSecure: Bool = false) -> SharedAccess {
        SharedAccess(
            account: "myaccount",
            container: "box",
            name: name,
            permissions: permissions,
            expires: expires,
            isSecure: isSecure
        )
    }

    /// The signatures are those that azure-storage-blob 12.31 makes of the same.
    @Test func aLinkIsSignedAsMicrosoftsClientDoes() {
        var read = access("a b/ü.txt", "r", isSecure: true)
        read.overrides = [(name: "rscd", value: "attachment; filename=\"x\""), (name: "rsct", value: "a/b")]
        #expect(signature(read.query(key)) == "eWL25/M9TCptrgBMoM3bItpFk+XABDIKagv3Tm6u3zg=")
        #expect(read.query(key).contains("se=2030-01-02T03%3A04%3A05Z&sr=b&sp=r&spr=https&rscd="))
        #expect(signature(access("plain", "cw").query(key)) == "Uf0fARUiJ3D/vQCyMzGeEdhSTmwSY3ZDw8Uz3zD0AVE=")
    }

    /// The signature of the page's text by an independent HMAC.
    @Test func aLentKeySignsWithWhatItWasLentAs() throws {
        let lent = DelegationKey(
            object: "oid",
            tenant: "tid",
            start: "2030-01-01T00:00:00Z",
            expiry: "2030-01-03T00:00:00Z",
            service: "b",
            version: "2021-12-02",
            value: base64(bytes)
        )
        let query = try access("plain", "r").query(lent)
        #expect(signature(query) == "ENby/MfTPrb3CSi2kltnc7wxib+gDboKk8WiAVsU2QI=")
        #expect(query.contains("&skoid=oid&sktid=tid&skt=2030-01-01T00%3A00%3A00Z&"))
    }
}
