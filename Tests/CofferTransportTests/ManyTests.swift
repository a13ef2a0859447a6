import CofferPluginSDK
import CofferTransport
import Testing

@Suite struct ManyTests {
    @Test func eachRequestOfABatchGetsItsOwnAnswer() throws {
        let script: ScriptedServer.Script = { number, request, peer in
            let body = Array(request.line.split(separator: " ")[1].utf8)
            switch number % 20 {
            case 3: peer.answer(503, ["Retry-After: 0"])
            case 7: peer.reset()
            case 11:
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n")
                peer.send(pattern(200_000))
            default: peer.answer(200, [], body)
            }
        }
        var settings = HTTPSettings.patient
        settings.retries.budget = 1
        try withEndpoint(script, settings: settings) { endpoint, server in
            let requests = (0..<200).map { HTTPRequest("GET", "/\($0)") }
            var seen = [Int](repeating: 0, count: requests.count)
            var wrong = 0
            try endpoint.sendAll(requests, width: 7, call: patientCall()) { position, result in
                seen[position] += 1
                guard case .success(let answer) = result, answer.status == 200 else { return wrong += 1 }
                if answer.body != Array("/\(position)".utf8), answer.body != pattern(200_000) { wrong += 1 }
            }
            #expect(seen.allSatisfy { $0 == 1 } && wrong == 0)
            #expect(server.connections < 60)
        }
    }

    @Test(arguments: [429, 503])
    func aBatchWaitsAsLongAsItIsAsked(status: Int) throws {
        let script: ScriptedServer.Script = { number, _, peer in
            if number < 3 { peer.answer(status, ["Retry-After: 1"]) } else { peer.answer(204) }
        }
        try withEndpoint(script, settings: .patient) { endpoint, _ in
            let requests = [HTTPRequest](repeating: HTTPRequest("DELETE", "/x"), count: 3)
            let start = monotonic()
            try endpoint.sendAll(requests, width: 3, call: patientCall()) { _, result in
                guard case .success(let answer) = result, answer.status == 204 else {
                    return #expect(Bool(false), "\(result)")
                }
            }
            #expect(monotonic() - start >= 1_000_000_000)
        }
        // More time than anybody waits: the answer goes to the caller.
        try withEndpoint({ _, _, peer in peer.answer(status, ["Retry-After: 3600"]) }, settings: .patient) {
            endpoint,
            server in
            try endpoint.sendAll([HTTPRequest("DELETE", "/x")], call: patientCall()) { _, result in
                guard case .success(let answer) = result, answer.status == status else {
                    return #expect(Bool(false), "\(result)")
                }
            }
            #expect(server.requests.count == 1)
        }
    }

    @Test func aBatchThatIsStoppedBreaksOffTheRest() throws {
        let script: ScriptedServer.Script = { number, _, peer in
            if number == 0 { peer.answer(404) } else { peer.awaitEnd() }
        }
        try withEndpoint(script, settings: .patient) { endpoint, server in
            let requests = [HTTPRequest](repeating: HTTPRequest("DELETE", "/x"), count: 9)
            let error = failure {
                try endpoint.sendAll(requests, width: 3, call: patientCall()) { position, result throws(BackendError) in
                    throw BackendError(.cancelled, "no more")
                }
            }
            #expect(error?.message == "no more")
            #expect(eventually { server.openConnections <= 1 })
            let late = failure {
                try endpoint.sendAll(requests, call: Call(deadline: monotonic() + 100_000_000)) { _, _ in }
            }
            #expect(late?.code == .timeout)
        }
    }
}
