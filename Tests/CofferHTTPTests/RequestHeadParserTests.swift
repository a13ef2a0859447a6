import CofferHTTP
import Testing

@Suite struct RequestHeadParserTests {
    private func parse(_ text: String, _ limits: RequestHeadParser.Limits = .init()) -> RequestHeadParser.Outcome {
        var parser = RequestHeadParser(limits: limits)
        return Array(text.utf8).withUnsafeBytes { parser.parse($0) }
    }

    private func status(_ text: String, _ limits: RequestHeadParser.Limits = .init()) -> Int? {
        switch parse(text, limits) {
        case .incomplete: 0
        case .head: nil
        case .invalid(let fault): fault.status
        }
    }

    private func head(_ text: String) throws -> RequestHead {
        guard case .head(let head) = parse(text) else {
            Issue.record("not a head: \(text)")
            throw HTTPFault(400, "no head")
        }
        return head
    }

    @Test func aHeadIsReadWhole() throws {
        let head = try head("PUT /a%20b?c=d HTTP/1.1\r\nHost: x\r\nX-A:  b c \t\r\nContent-Length: 12\r\n\r\nrest")
        #expect(head.request.method == "PUT")
        #expect(head.request.target == "/a%20b?c=d")
        #expect(head.request.headers["x-a"] == "b c")
        #expect(head.request.headers["absent"] == nil)
        #expect(head.request.headers.map(\.name) == ["Host", "X-A", "Content-Length"])
        #expect(head.request.body == .exactly(12))
        #expect(head.keepsAlive && !head.isOld && !head.expectsContinue && !head.announcesDescriptor)
    }

    @Test(arguments: [
        ("GET /x HTTP/1.1\r\nHost: h\r\n\r\n", "/x"), ("GET * HTTP/1.1\r\nHost: h\r\n\r\n", "*"),
        ("GET http://h:1/x?y HTTP/1.1\r\nHost: h\r\n\r\n", "/x?y"), ("GET HTTP://h HTTP/1.1\r\nHost: h\r\n\r\n", "/"),
        ("GET https://h?q HTTP/1.1\r\nHost: h\r\n\r\n", "/?q"), ("\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n", "/x"),
        ("GET /ü HTTP/1.1\r\nHost: h\r\n\r\n", "/ü"),
    ])
    func theTargetIsAPath(text: String, target: String) throws {
        #expect(try head(text).request.target == target)
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", true), ("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: h\r\nConnection: a, CLOSE ,b\r\n\r\n", false), ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\n", true),
        ("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false),
        ("GET / HTTP/1.9\r\nHost: h\r\n\r\n", true),
    ])
    func persistenceFollowsVersionAndConnection(text: String, keepsAlive: Bool) throws {
        #expect(try head(text).keepsAlive == keepsAlive)
    }

    @Test func whatTheHeadAsksForIsSeen() throws {
        let head = try head(
            "PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nTransfer-Encoding: Chunked\r\nCOFFER-FD: x\r\n\r\n"
        )
        #expect(head.expectsContinue && head.announcesDescriptor)
        #expect(head.request.body == .chunked)
    }

    static let refused: [(String, Int)] = [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /\r\nHost: a\r\n\r\n", 400),
        ("GET\r\n\r\n", 400),
        (" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        ("GET / http/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", 400),
        ("\n", 400),
        ("\r\n\r\n", 400),
        ("\r\n\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n\rX: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\u{0}b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\u{7F}b\r\n\r\n", 400),
        ("GET /\u{1} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nnocolon\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX@Y: b\r\n\r\n", 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n", 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n", 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{B}chunked\r\n\r\n", 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 501),
        ("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("PUT / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417),
    ]

    @Test(arguments: refused) func whatCouldBeReadTwoWaysIsRefused(text: String, expected: Int) {
        #expect(status(text) == expected, "\(text.debugDescription)")
    }

    @Test func badUTF8InATargetIsRefused() {
        var parser = RequestHeadParser()
        let bytes = Array("GET /".utf8) + [0xFF] + Array(" HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        guard case .invalid(let fault) = bytes.withUnsafeBytes({ parser.parse($0) }) else {
            Issue.record("accepted")
            return
        }
        #expect(fault.status == 400)
    }

    @Test func limitsAreExact() {
        var limits = RequestHeadParser.Limits()
        limits.requestLine = 20
        limits.head = 60
        limits.fields = 2
        func line(_ length: Int) -> String {
            "GET /\(String(repeating: "a", count: length - 14)) HTTP/1.1\r\nHost: a\r\n\r\n"
        }
        #expect(status(line(20), limits) == nil)
        #expect(status(line(21), limits) == 414)
        #expect(status(String(repeating: "a", count: 21), limits) == 0)
        #expect(status(String(repeating: "a", count: 22), limits) == 414)
        func head(_ length: Int) -> String {
            "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "b", count: length - 32))\r\n\r\n"
        }
        #expect(status(head(60), limits) == nil)
        #expect(status(head(61), limits) == 431)
        #expect(status("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\nY: b\r\n\r\n", limits) == 431)
    }

    @Test func everyPrefixIsIncomplete() {
        let text = Array("\r\nGET /x HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n".utf8)
        for count in 0..<text.count {
            var parser = RequestHeadParser()
            guard case .incomplete = text[..<count].withUnsafeBytes({ parser.parse($0) }) else {
                Issue.record("complete after \(count) bytes")
                return
            }
        }
    }
}
