import CofferPluginSDK
import CofferTransport
import Testing

@Suite struct SendTests {
    @Test func theWireCarriesExactlyWhatIsAsked() throws {
        try withEndpoint({ _, _, peer in peer.answer(200, ["X-Thing:  a b "], Array("hello".utf8)) }) {
            endpoint,
            server in
            let request = HTTPRequest("GET", "/a%2Fb/%7e//../c?x=%2B&y=", headers: ["X-One": "1", "x-Empty": ""])
            let answer = try endpoint.send(request, call: patientCall())
            #expect(answer.status == 200 && answer.body == Array("hello".utf8))
            #expect(answer.head.headers["x-thing"] == "a b")
            let seen = server.requests[0]
            #expect(seen.line == "GET /a%2Fb/%7e//../c?x=%2B&y= HTTP/1.1")
            #expect(seen.fields.map(\.name).sorted() == ["Host", "User-Agent", "X-One", "x-Empty"])
            #expect(seen.field("host") == "127.0.0.1:\(server.port)")
        }
    }

    @Test func bodiesAreAnnouncedAndNothingElseIsAdded() throws {
        let script: ScriptedServer.Script = { number, request, peer in
            let body = peer.takeBody(of: request)
            peer.answer(201, [], body)
        }
        try withEndpoint(script) { endpoint, server in
            let large = pattern(3_000_000)
            for body in [[], Array("abc".utf8), large] {
                let answer = try endpoint.send(HTTPRequest("PUT", "/x", body: body), call: patientCall())
                #expect(answer.status == 201 && answer.body == body)
            }
            #expect(server.requests.map { $0.field("content-length") } == ["0", "3", "3000000"])
            #expect(server.requests.allSatisfy { $0.field("expect") == nil && $0.field("content-type") == nil })
            #expect(server.connections == 1)
        }
    }

    @Test func answersWithoutBodiesDoNotHang() throws {
        let script: ScriptedServer.Script = { number, _, peer in
            peer.send(number == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" : "HTTP/1.1 204 No\r\n\r\n")
        }
        try withEndpoint(script) { endpoint, server in
            let head = try endpoint.send(HTTPRequest("HEAD", "/x"), call: patientCall())
            #expect(head.status == 200 && head.body.isEmpty && head.head.headers["content-length"] == "9")
            #expect(endpoint.answer(HTTPRequest("DELETE", "/x"))?.status == 204)
            #expect(server.connections == 1)
        }
    }

    @Test func chunkedAndUnendedBodiesComeWhole() throws {
        let script: ScriptedServer.Script = { number, _, peer in
            if number == 0 {
                peer.send(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Late: 1\r\n\r\n"
                )
            } else {
                peer.send("HTTP/1.1 200 OK\r\n\r\nto the end")
                peer.finish()
            }
        }
        try withEndpoint(script) { endpoint, _ in
            #expect(endpoint.answer(HTTPRequest("GET", "/"))?.body == Array("abcde".utf8))
            #expect(endpoint.answer(HTTPRequest("GET", "/"))?.body == Array("to the end".utf8))
        }
    }

    @Test func interimAnswersAreNotShown() throws {
        try withEndpoint({ _, _, peer in
            peer.send("HTTP/1.1 103 Hints\r\nX-Early: 1\r\n\r\n")
            peer.answer(200)
        }) { endpoint, _ in
            let answer = try endpoint.send(HTTPRequest("GET", "/"), call: patientCall())
            #expect(answer.status == 200 && answer.head.headers["x-early"] == nil)
        }
    }

    @Test func lineBreaksInFieldsAndTargetsAreRefusedBeforeAnyIO() throws {
        try withEndpoint({ _, _, peer in peer.answer(200) }) { endpoint, server in
            let requests = [
                HTTPRequest("GET", "/a b"), HTTPRequest("GET", "/a\r\nX: y"), HTTPRequest("GET", "a"),
                HTTPRequest("GE T", "/"), HTTPRequest("GET", "/", headers: ["X": "a\r\nY: b"]),
                HTTPRequest("GET", "/", headers: ["X Y": "a"]),
            ]
            for request in requests {
                #expect(failure { _ = try endpoint.send(request, call: patientCall()) }?.code == .invalidArgument)
            }
            #expect(server.requests.isEmpty)
        }
    }

    @Test func anAnswerOverItsLimitIsAnError() throws {
        let script: ScriptedServer.Script = { number, _, peer in
            switch number {
            case 0: peer.answer(200, [], pattern(1001))
            case 1:
                peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                while peer.send("400\r\n" + String(repeating: "x", count: 1024) + "\r\n") {}
            default:
                peer.send("HTTP/1.1 200 OK\r\n")
                while peer.send("X-More: " + String(repeating: "x", count: 8000) + "\r\n") {}
            }
        }
        try withEndpoint(script) { endpoint, server in
            var request = HTTPRequest("GET", "/")
            request.answerLimit = 1000
            for words in ["longer than 1000 bytes", "longer than 1000 bytes", "head of the answer"] {
                let error = failure { _ = try endpoint.send(request, call: patientCall()) }
                #expect(error?.code == .io && error?.isRetryable == false && error?.message.contains(words) == true)
            }
            #expect(server.requests.count == 3)
        }
    }
}
