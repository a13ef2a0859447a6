import CofferHTTP
import CofferSystem
import Testing

@Suite struct LaneTests {
    @Test func aLaneBoundsWhatIsHandledAndWhatWaits() throws {
        let lane = Lane(name: "narrow", width: 2, queueLimit: 3)
        let latch = Latch()
        let tally = Tally()
        let handler = ScriptedHandler(lane: { $0.target == "/in" ? lane : nil }) { request, _ in
            if request.target == "/in" {
                tally.note("in")
                latch.pass()
            }
            return .response(HTTPResponse(status: 200))
        }
        try withServer(handler) { server in
            let clients = try (0..<5).map { _ in try server.connect() }
            for client in clients { try client.send("GET /in HTTP/1.1\r\nHost: h\r\n\r\n") }
            #expect(eventually { lane.taken == 2 && lane.waiting == 3 })
            let refused = try server.connect()
            try refused.send("GET /in HTTP/1.1\r\nHost: h\r\n\r\n")
            let response = try #require(try refused.response())
            #expect(response.status == 503)
            #expect(response.headers["retry-after"] == "1")
            #expect(response.headers["content-type"] == "application/problem+json")
            // Another lane, and the same connection, go on.
            try refused.send("GET /out HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try refused.response()?.status == 200)
            #expect(tally.wait(for: "in", 2) && tally.count("in") == 2)
            latch.open()
            for client in clients { #expect(try client.response()?.status == 200) }
            #expect(tally.count("in") == 5)
            #expect(eventually { lane.taken == 0 && lane.waiting == 0 })
        }
    }

    @Test func oneLaneNeverHoldsAllThreads() throws {
        let lane = Lane(name: "wide", width: 1000, queueLimit: 1000)
        let latch = Latch()
        let handler = ScriptedHandler(lane: { $0.target == "/in" ? lane : nil }) { request, _ in
            if request.target == "/in" { latch.pass() }
            return .response(HTTPResponse(status: 200))
        }
        try withServer(handler, { $0.maxThreads = 4 }) { server in
            let clients = try (0..<8).map { _ in try server.connect() }
            for client in clients { try client.send("GET /in HTTP/1.1\r\nHost: h\r\n\r\n") }
            #expect(eventually { lane.taken == 2 && lane.waiting == 6 })
            let other = try server.connect()
            try other.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try other.response()?.status == 200)
            latch.open()
            for client in clients { #expect(try client.response()?.status == 200) }
        }
    }

    @Test func aParkedTransferGivesItsPlaceBackAndTakesOneAgain() throws {
        let lane = Lane(name: "one", width: 1, queueLimit: 8)
        let tally = Tally()
        let handler = ScriptedHandler(lane: { _ in lane }) { request, _ in
            guard request.method == "PUT" else { return .response(HTTPResponse(status: 200)) }
            return .receive(Collector(tally: tally) { body, _ in HTTPResponse(status: 200, body: .bytes(body)) })
        }
        try withServer(handler) { server in
            let slow = try server.connect()
            try slow.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na")
            #expect(eventually { server.server.metrics.parked == 1 && lane.taken == 0 })
            let other = try server.connect()
            try other.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try other.response()?.status == 200)
            try slow.send("b")
            #expect(try slow.response()?.text == "ab")
            #expect(eventually { lane.taken == 0 && server.server.metrics.parked == 0 })
        }
    }

    @Test func aResumedTransferWaitsForItsPlaceAndIsNeverRefused() throws {
        let lane = Lane(name: "one", width: 1, queueLimit: 0)
        let latch = Latch()
        let handler = ScriptedHandler(lane: { _ in lane }) { request, _ in
            guard request.method == "PUT" else {
                latch.pass()
                return .response(HTTPResponse(status: 200))
            }
            return .receive(Collector { body, _ in HTTPResponse(status: 200, body: .bytes(body)) })
        }
        try withServer(handler) { server in
            let slow = try server.connect()
            try slow.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na")
            #expect(eventually { server.server.metrics.parked == 1 && lane.taken == 0 })
            let blocker = try server.connect()
            try blocker.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(latch.waitForArrivals(1))
            try slow.send("b")
            #expect(eventually { lane.waiting == 1 })
            latch.open()
            #expect(try slow.response()?.text == "ab")
            #expect(try blocker.response()?.status == 200)
        }
    }

    @Test func aFreePlaceIsNotHeldUpByThePreviousOwnersNextRequest() throws {
        let lane = Lane(name: "one", width: 1, queueLimit: 8)
        let first = Latch()
        let second = Latch()
        let handler = ScriptedHandler(lane: { $0.target == "/block" ? nil : lane }) { request, _ in
            if request.target == "/first" { first.pass() }
            if request.target == "/block" { second.pass() }
            return .response(HTTPResponse(status: 200))
        }
        try withServer(handler) { server in
            let pipelining = try server.connect()
            try pipelining.send("GET /first HTTP/1.1\r\nHost: h\r\n\r\nGET /block HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(first.waitForArrivals(1))
            let waiting = try server.connect()
            try waiting.send("GET /waiting HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(eventually { lane.waiting == 1 })
            first.open()
            #expect(second.waitForArrivals(1))
            #expect(try waiting.response()?.status == 200)
            second.open()
            for _ in 0..<2 { #expect(try pipelining.response()?.status == 200) }
        }
    }

    @Test func aHandlersWordsRefuse() throws {
        struct Handler: HTTPHandler {
            func lane(for request: HTTPRequest) -> Lane? { Lane(name: "shut", width: 0, queueLimit: 0) }
            func respond(to request: HTTPRequest, cancellation: Cancellation) -> HTTPReply {
                .response(HTTPResponse(status: 200))
            }
            func refusal(status: Int, reason: String) -> HTTPResponse {
                HTTPResponse(status: status, body: .bytes(Array("no: \(reason)".utf8)))
            }
        }
        try withServer(Handler()) { server in
            let client = try server.connect()
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            let response = try #require(try client.response())
            #expect(response.status == 503 && response.text.hasPrefix("no: "))
            #expect(response.headers["retry-after"] == "1")
        }
    }
}
