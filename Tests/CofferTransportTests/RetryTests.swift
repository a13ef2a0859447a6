import CofferPluginSDK
import CofferSystem
import CofferTransport
import Testing

@Suite struct RetryTests {
    @Test(arguments: [429, 500, 502, 503, 504])
    func transientStatusesAreRepeated(status: Int) throws {
        try withEndpoint({ number, _, peer in peer.answer(number < 2 ? status : 200) }) { endpoint, server in
            #expect(endpoint.answer(HTTPRequest("GET", "/"))?.status == 200)
            #expect(server.requests.count == 3 && server.connections == 1)
        }
    }

    @Test(arguments: [400, 401, 403, 404, 405, 409, 412, 501, 507])
    func otherRefusalsNever(status: Int) throws {
        try withEndpoint({ _, _, peer in peer.answer(status) }) { endpoint, server in
            #expect(endpoint.answer(HTTPRequest("GET", "/"))?.status == status)
            #expect(server.requests.count == 1)
        }
    }

    @Test func whatMayNotBeRepeatedIsNot() throws {
        let script: ScriptedServer.Script = { _, request, peer in
            peer.takeBody(of: request)
            if request.line.hasPrefix("POST /reset") { peer.reset() } else { peer.answer(500) }
        }
        try withEndpoint(script, settings: .patient) { endpoint, server in
            #expect(endpoint.answer(HTTPRequest("POST", "/"))?.status == 500)
            let error = failure { _ = try endpoint.send(HTTPRequest("POST", "/reset"), call: patientCall()) }
            #expect(error?.code == .unavailable && error?.isRetryable == false && error?.isMaybeApplied == true)
            #expect(server.requests.count == 2)
        }
    }

    @Test func busyAnswersAreRepeatedForEverybody() throws {
        try withEndpoint({ number, _, peer in peer.answer(number < 1 ? 503 : 200) }) { endpoint, server in
            #expect(endpoint.answer(HTTPRequest("POST", "/"))?.status == 200)
            #expect(server.requests.count == 2)
        }
    }

    @Test func aResetIsRepeated() throws {
        let script: ScriptedServer.Script = { number, _, peer in
            switch number {
            case 0: peer.reset()
            case 1: peer.finish()
            case 2:
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                peer.reset()
            case 3:
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                peer.finish()
            default: peer.answer(200, [], pattern(10))
            }
        }
        try withEndpoint(script, settings: .patient) { endpoint, server in
            #expect(endpoint.answer(HTTPRequest("GET", "/"))?.body == pattern(10))
            #expect(server.requests.count == 5)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n", "HTT", "HTTP/1.1 200 OK\r\n",
    ])
    func anAnswerThatEndsWithinItsHeadIsABrokenConnection(part: String) throws {
        let script: ScriptedServer.Script = { number, request, peer in
            peer.takeBody(of: request)
            guard number > 0, request.line.hasPrefix("GET") else {
                peer.send(part)
                return peer.finish()
            }
            peer.answer(200, [], pattern(10))
        }
        try withEndpoint(script, settings: .patient) { endpoint, server in
            #expect(endpoint.answer(HTTPRequest("GET", "/"))?.body == pattern(10))
            let error = failure { _ = try endpoint.send(HTTPRequest("POST", "/"), call: patientCall()) }
            #expect(error?.isMaybeApplied == true && error?.isRetryable == false)
            #expect(server.requests.count == 3)
        }
    }

    @Test func aKeptConnectionThatDiedCarriesNoSecondCopyOfWhatMayNotBeRepeated() throws {
        let script: ScriptedServer.Script = { number, request, peer in
            peer.takeBody(of: request)
            if number == 1 { peer.reset() } else { peer.answer(200) }
        }
        try withEndpoint(script, settings: .patient) { endpoint, server in
            #expect(endpoint.answer(HTTPRequest("GET", "/"))?.status == 200)
            let error = failure { _ = try endpoint.send(HTTPRequest("POST", "/"), call: patientCall()) }
            #expect(error?.isMaybeApplied == true && error?.isRetryable == false)
            #expect(server.requests.count == 2)
        }
    }

    @Test func retryAfterIsHonoured() throws {
        try withEndpoint({ number, _, peer in peer.answer(number < 1 ? 503 : 200, ["Retry-After: 1"]) }) {
            endpoint,
            _ in
            let start = monotonic()
            #expect(endpoint.answer(HTTPRequest("GET", "/"))?.status == 200)
            #expect(monotonic() - start >= 1_000_000_000)
        }
    }

    @Test func aRetryAfterBeyondTheDeadlineGivesTheAnswerAtOnce() throws {
        try withEndpoint({ _, _, peer in peer.answer(429, ["Retry-After: 30"]) }) { endpoint, server in
            let start = monotonic()
            let answer = try endpoint.send(HTTPRequest("GET", "/"), call: patientCall())
            #expect(monotonic() - start < 1_000_000_000 && server.requests.count == 1)
            let error = answer.failure("reading a")
            #expect(error.code == .rateLimited && error.retryAfterMilliseconds == 30_000 && error.isRetryable)
            #expect(error.native == 429)
        }
    }

    @Test func theBudgetEndsRepetitions() throws {
        try withEndpoint({ _, _, peer in peer.answer(500) }) { endpoint, server in
            for _ in 0..<20 { _ = try endpoint.send(HTTPRequest("GET", "/"), call: patientCall()) }
            #expect(server.requests.count == 40)
        }
    }

    @Test func aJudgeSeesErrorsInsideGoodAnswers() throws {
        try withEndpoint({ number, _, peer in peer.answer(200, [], Array("error \(number)".utf8)) }) {
            endpoint,
            server in
            var request = HTTPRequest("GET", "/")
            request.judge = { answer in
                switch String(decoding: answer.body, as: UTF8.self) {
                case "error 0": BackendError(.unavailable, "slow down", isRetryable: true)
                case "error 1": BackendError(.invalidArgument, "no such part")
                default: nil
                }
            }
            #expect(failure { _ = try endpoint.send(request, call: patientCall()) }?.code == .invalidArgument)
            #expect(endpoint.answer(request)?.status == 200)
            #expect(server.requests.count == 3)
        }
    }

    @Test func nobodyListeningIsUnavailable() throws {
        let port = try ScriptedServer.run({ _, _, _ in }) { $0.port }
        let endpoint = HTTPEndpoint(
            HTTPOrigin(isSecure: false, host: "127.0.0.1", port: port),
            settings: .impatient
        )
        let error = failure { _ = try endpoint.send(HTTPRequest("POST", "/"), call: patientCall()) }
        #expect(error?.code == .unavailable && error?.isRetryable == true && error?.isMaybeApplied == false)
        #expect(error?.message == "the connection to 127.0.0.1:\(port) failed: connection refused")
    }
}
