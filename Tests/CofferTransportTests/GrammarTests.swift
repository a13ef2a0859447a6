import CofferPluginSDK
import CofferTransport
import Testing

@Suite struct GrammarTests {
    @Test func percentEncodingIsExactAndReversible() {
        #expect(percentEncoded("a/b c~%\u{e9}".utf8, keeping: "/") == "a/b%20c~%25%C3%A9")
        #expect(percentEncoded("a/b".utf8) == "a%2Fb")
        let all = (0...255).map { UInt8($0) }
        #expect(percentDecoded(percentEncoded(all).utf8) == all)
        #expect(percentDecoded("%4".utf8) == nil && percentDecoded("%zz".utf8) == nil)
    }

    @Test func aQueryIsNeverShown() {
        #expect(redactingQuery(of: "/a?X-Amz-Signature=abc&flag&b=") == "/a?X-Amz-Signature=...&flag&b=...")
        #expect(redactingQuery(of: "/a") == "/a")
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ])
    func datesOfHTTPAreRead(text: String) {
        #expect(HTTPDate.parse(text) == 784_111_777_000_000_000)
        #expect(HTTPDate.format(784_111_777_000_000_000) == "Sun, 06 Nov 1994 08:49:37 GMT")
    }

    @Test func datesOfDocumentsAreRead() {
        #expect(HTTPDate.parseISO8601("2024-02-29T07:08:09.123Z") == 1_709_190_489_123_000_000)
        #expect(HTTPDate.parseISO8601("2024-02-29T09:08:09.123456789+02:00") == 1_709_190_489_123_456_789)
        #expect(HTTPDate.parseISO8601("1969-12-31T23:59:59Z") == -1_000_000_000)
        for text in ["", "2024", "2024-13-01T00:00:00Z", "2024-01-01T25:00:00Z", "2024-01-01T00:00:00"] {
            #expect(HTTPDate.parseISO8601(text) == nil, "\(text)")
        }
        #expect(HTTPDate.formatBasic(1_709_190_489_123_000_000) == "20240229T070809Z")
        #expect(HTTPDate.format(-1_000_000_000) == "Wed, 31 Dec 1969 23:59:59 GMT")
    }

    @Test(arguments: [
        ("http://Host", "http://host", "/"), ("https://h:443/a?b", "https://h", "/a?b"),
        ("http://[::1]:8080/%2f#x", "http://[::1]:8080", "/%2f"), ("HTTP://a_b:80?x=1", "http://a_b", "/?x=1"),
    ])
    func locationsAreCutAndNotChanged(text: String, origin: String, target: String) throws {
        let location = try HTTPLocation(parsing: text)
        #expect(location.origin.description == origin && location.target == target)
    }

    @Test(arguments: [
        "", "ftp://a/", "http:/a", "http://", "http://u:p@h/", "http://h:0/", "http://h:99999/", "http://h/a b",
        "http://h\u{e9}/", "http://h:x/", "//h/",
    ])
    func whatIsNoLocationIsRefused(text: String) {
        #expect(throws: HTTPLocationError.self) { try HTTPLocation(parsing: text) }
    }

    @Test func referencesAreResolved() throws {
        let base = try HTTPLocation(parsing: "https://h/a/b?c")
        let cases = [
            ("/x", "https://h/x"), ("x?y", "https://h/a/x?y"), ("//o/x", "https://o/x"), ("http://o", "http://o/"),
            ("?q", "https://h/a/b?q"),
        ]
        for (reference, expected) in cases {
            let got = try base.resolving(reference).description
            #expect(got == expected, "\(reference)")
        }
        #expect(throws: HTTPLocationError.self) { try base.resolving("file:///etc/passwd") }
    }

    @Test func fieldsCompareWithoutCase() {
        var headers: HTTPHeaders = ["A": "1", "b": "2", "a": "3"]
        #expect(headers["a"] == "1" && headers.values("A") == ["1", "3"])
        headers["a"] = "4"
        #expect(headers.map(\.value) == ["4", "2"])
        headers["B"] = nil
        #expect(headers.count == 1)
    }

    @Test(arguments: [
        (304, BackendError.Code.notModified), (400, .invalidArgument), (401, .unauthenticated), (403, .permission),
        (404, .notFound), (409, .alreadyExists), (412, .precondition), (413, .tooLarge), (416, .range),
        (418, .io), (429, .rateLimited), (500, .unavailable), (501, .unsupported), (503, .unavailable), (507, .noSpace),
    ])
    func statusesAreCodes(status: Int, code: BackendError.Code) {
        let error = HTTPHead(status: status, headers: [:]).failure("x")
        #expect(error.code == code && error.native == Int32(status))
        #expect(error.isRetryable == [429, 500, 503].contains(status) && error.isMaybeApplied == (status == 500))
    }

    @Test func onlyAStrongTagIsOne() {
        func tag(_ text: String) -> String? { HTTPHead(status: 200, headers: ["ETag": text]).strongTag }
        #expect(tag("\"a\"") == "a" && tag("W/\"a\"") == nil && tag("a") == nil && tag("\"") == nil)
    }
}
