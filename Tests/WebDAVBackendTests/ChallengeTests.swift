import Testing

@testable import WebDAVBackend

@Suite struct ChallengeTests {
    /// The example of RFC 7616, section 3.9.1.
    @Test(arguments: [
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
    ])
    func theAnswerIsThatOfTheStandard(algorithm: String, response: String) throws {
        let field = """
            Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=\(algorithm), \
            nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
            """
        let challenge = try #require(Challenge(field))
        let answer = challenge.answer(
            user: "Mufasa",
            password: "Circle of Life",
            method: "GET",
            target: "/dir/index.html",
            count: 1,
            client: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
        )
        #expect(answer.contains("response=\"\(response)\""), "\(answer)")
        #expect(answer.contains("nc=00000001") && answer.contains("opaque=\"FQhe") && answer.contains("qop=auth,"))
    }

    @Test(arguments: [
        "Basic realm=\"x\"", "Digest realm=\"x\"", "Digest nonce=\"x\"",
        "Digest realm=\"a\", nonce=\"b\", algorithm=SHA-9",
        "Digest realm=\"a\", nonce=\"b\", qop=\"auth-int\"", "",
    ])
    func whatCannotBeAnsweredIsNone(field: String) {
        #expect(Challenge(field) == nil)
    }

    @Test func quotedCommasAndQuotesAreRead() throws {
        let challenge = try #require(Challenge(#"Digest realm="a, \"b\"", nonce="n", stale=TRUE"#))
        #expect(challenge.realm == #"a, "b""# && challenge.isStale)
    }

    @Test func base64IsThatOfTheStandard() {
        let cases = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foobar": "Zm9vYmFy"]
        for (text, expected) in cases { #expect(base64(text.utf8) == expected) }
    }
}
