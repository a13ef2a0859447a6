import CofferHTTP
import CofferSystem
import Testing

@Suite struct ExchangeTests {
    private let echo = EchoHandler()

    @Test func anAnswerCarriesLengthAndDate() throws {
        try withServer(echo) { server in
            let client = try server.connect()
            try client.send("GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n")
            let response = try #require(try client.response())
            #expect(response.status == 200)
            #expect(response.text == "GET /a?b ")
            #expect(response.headers["content-length"] == "9")
            #expect(response.headers["date"]?.hasSuffix(" GMT") == true)
            #expect(response.headers["connection"] == nil)
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrderHoweverTheyAreCut() throws {
        try withServer(echo) { server in
            let text =
                "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
                + "PUT /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                + "PUT /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;e=1\r\nde\r\n1\r\nf\r\n0\r\nT: v\r\n\r\n"
                + "GET /4 HTTP/1.1\r\nHost: x\r\n\r\n"
            let bytes = Array(text.utf8)
            for cut in 0...bytes.count {
                let client = try server.connect()
                try client.send(Array(bytes[..<cut]))
                if cut % 7 == 0 { #expect(eventually { server.server.metrics.idleThreads > 0 }) }
                try client.send(Array(bytes[cut...]))
                #expect(try client.response()?.text == "GET /1 ")
                #expect(try client.response()?.text == "PUT /2 abc")
                let third = try client.response()
                #expect(third?.text == "PUT /3 def")
                #expect(third?.headers["trailer-t"] == "v")
                #expect(try client.response()?.text == "GET /4 ")
            }
        }
    }

    @Test func aBodyThatNobodyWantsIsReadAndTheConnectionKept() throws {
        let handler = ScriptedHandler { request, _ in .response(HTTPResponse(status: 403)) }
        try withServer(handler) { server in
            let client = try server.connect()
            try client.send("PUT /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
            #expect(try client.response()?.status == 403)
            try client.send([UInt8](repeating: 1, count: 100_000))
            try client.send("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try client.response()?.status == 403)
        }
    }

    @Test func aBodyTooLargeToDrainClosesTheConnectionAndSaysSo() throws {
        let handler = ScriptedHandler { request, _ in .response(HTTPResponse(status: 413)) }
        try withServer(handler) { server in
            let client = try server.connect()
            try client.send("PUT /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n")
            let response = try #require(try client.response())
            #expect(response.status == 413)
            #expect(response.headers["connection"] == "close")
            #expect(try client.isAtEnd())
        }
    }

    @Test func continueIsSentOnlyToABodyThatIsWanted() throws {
        let handler = ScriptedHandler { request, _ in
            request.target == "/no"
                ? .response(HTTPResponse(status: 401))
                : .receive(Collector { body, _ in HTTPResponse(status: 201, body: .bytes(body)) })
        }
        try withServer(handler) { server in
            let client = try server.connect()
            try client.send("PUT /yes HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            #expect(try client.response()?.status == 100)
            try client.send("ok")
            #expect(try client.response()?.text == "ok")
            try client.send("PUT /no HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            let refused = try #require(try client.response())
            #expect(refused.status == 401)
            #expect(refused.headers["connection"] == "close")
        }
    }

    @Test func headHasTheLengthAndNoBody() throws {
        let tally = Tally()
        let handler = ScriptedHandler { request, _ in
            switch request.target {
            case "/bytes": .response(HTTPResponse(status: 200, body: .bytes([1, 2, 3])))
            case "/omitted": .response(HTTPResponse(status: 200, body: .omitted(length: 77)))
            default:
                .response(HTTPResponse(status: 200, body: .stream(length: 5, Repeating(1, count: 5, tally: tally))))
            }
        }
        try withServer(handler) { server in
            let client = try server.connect()
            for (target, length) in [("/bytes", "3"), ("/omitted", "77"), ("/stream", "5")] {
                try client.send("HEAD \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
                let response = try #require(try client.response(isHead: true))
                #expect(response.headers["content-length"] == length)
            }
            #expect(tally.count("close") == 1)
            #expect(tally.count("read") == 0)
        }
    }

    @Test(arguments: [204, 304]) func someStatusesHaveNoBody(status: Int) throws {
        let handler = ScriptedHandler { _, _ in .response(HTTPResponse(status: status, body: .bytes([1]))) }
        try withServer(handler) { server in
            let client = try server.connect()
            for _ in 0..<2 {
                try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                let response = try #require(try client.response())
                #expect(response.status == status)
                #expect(response.headers["content-length"] == nil)
            }
        }
    }

    @Test func anOldClientGetsItsAnswerAndTheEnd() throws {
        let handler = ScriptedHandler { _, _ in
            .response(HTTPResponse(status: 200, body: .stream(length: nil, Repeating(0x61, count: 5))))
        }
        try withServer(handler) { server in
            let client = try server.connect()
            try client.send("GET / HTTP/1.0\r\n\r\n")
            let response = try #require(try client.response())
            #expect(response.text == "aaaaa")
            #expect(response.headers["transfer-encoding"] == nil)
            #expect(response.headers["connection"] == "close")
        }
    }

    @Test func anOldClientMayKeepItsConnection() throws {
        try withServer(echo) { server in
            let client = try server.connect()
            for _ in 0..<2 {
                try client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                #expect(try client.response()?.headers["connection"] == "keep-alive")
            }
        }
    }

    @Test func closeIsHonoured() throws {
        try withServer(echo) { server in
            let client = try server.connect()
            try client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(try client.response()?.headers["connection"] == "close")
            #expect(try client.isAtEnd())
        }
    }

    @Test func aMalformedHeadIsAnsweredAndTheConnectionClosed() throws {
        try withServer(echo) { server in
            let client = try server.connect()
            try client.send("GET / HTTP/1.1\r\nHost: x\r\nBad Name: x\r\n\r\n")
            let response = try #require(try client.response())
            #expect(response.status == 400)
            #expect(response.headers["content-type"] == "application/problem+json")
            #expect(try client.isAtEnd())
        }
    }

    @Test func aHandlerCannotSmuggleALineIntoTheHead() throws {
        let handler = ScriptedHandler { _, _ in
            var headers = HTTPHeaders()
            headers.add("X-Name", "a\r\nSet-Cookie: evil")
            headers.add("Content-Length", "999")
            return .response(HTTPResponse(status: 200, headers: headers, body: .bytes([0x61])))
        }
        try withServer(handler) { server in
            let client = try server.connect()
            try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            let response = try #require(try client.response())
            #expect(response.headers["x-name"] == "a  Set-Cookie: evil")
            #expect(response.headers["set-cookie"] == nil)
            #expect(response.text == "a")
        }
    }

    @Test func tcpWorksAndHasNoPeer() throws {
        let listener = try Socket.listen(address: "127.0.0.1", port: 0)
        let port = try #require(Socket.localPort(listener.number))
        let handler = ScriptedHandler { request, _ in
            .response(HTTPResponse(status: request.peer == nil ? 200 : 500))
        }
        let server = try HTTPServer(handler: handler, listeners: [listener])
        try server.start()
        let client = RawClient(try Socket.connect(address: "127.0.0.1", port: port))
        try client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(try client.response()?.status == 200)
        #expect(try client.isAtEnd())
        client.close()
        #expect(server.shutdown(deadline: .now.advanced(milliseconds: 5000)))
    }
}
