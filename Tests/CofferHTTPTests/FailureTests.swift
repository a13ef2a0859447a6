import CofferHTTP
import CofferSystem
import CofferTestSupport
import Testing

@Suite struct FailureTests {
    private func receiving(_ tally: Tally) -> ScriptedHandler {
        ScriptedHandler { _, _ in
            .receive(Collector(tally: tally, limit: 1000) { _, _ in HTTPResponse(status: 201) })
        }
    }

    @Test(arguments: [
        "Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nab", "Content-Length: 9\r\n\r\n",
    ])
    func aClientThatVanishesInTheBodyIsAnAbortOnce(rest: String) throws {
        let tally = Tally()
        try withServer(receiving(tally)) { server in
            for isParked in [false, true] {
                let client = try server.connect()
                try client.send("PUT / HTTP/1.1\r\nHost: h\r\n\(rest)")
                if isParked { #expect(eventually { server.server.metrics.parked == 1 }) }
                client.close()
                #expect(tally.wait(for: "abort", isParked ? 2 : 1))
                #expect(eventually { server.server.metrics.connections == 0 })
            }
            #expect(tally.count("abort") == 2 && tally.count("finish") == 0)
        }
    }

    @Test func brokenChunksAreAnAbortAndARefusal() throws {
        let tally = Tally()
        try withServer(receiving(tally)) { server in
            let client = try server.connect()
            try client.send("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n")
            #expect(try client.response()?.status == 400)
            #expect(try client.isAtEnd())
            #expect(tally.count("abort") == 1 && tally.count("finish") == 0)
        }
    }

    @Test func anEarlyAnswerEndsTheRequestAndKeepsTheConnectionInStep() throws {
        let tally = Tally()
        try withServer(receiving(tally)) { server in
            let client = try server.connect()
            try client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n")
            try client.send([UInt8](repeating: 1, count: 200_000))
            #expect(try client.response()?.status == 413)
            try client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab")
            #expect(try client.response()?.status == 201)
            #expect(tally.count("abort") == 0 && tally.count("finish") == 1)
        }
    }

    @Test func aSourceIsClosedOnceWhateverHappens() throws {
        let tally = Tally()
        let handler = ScriptedHandler { request, _ in
            let source: Repeating
            switch request.target {
            case "/short": source = Repeating(0x61, count: 3, tally: tally)
            case "/fails": source = Repeating(0x61, count: 3, piece: 3, fails: true, tally: tally)
            default: source = Repeating(0x61, count: 10 << 20, tally: tally)
            }
            let length: Int64? = request.target == "/fails" ? nil : request.target == "/short" ? 5 : 10 << 20
            return .response(HTTPResponse(status: 200, body: .stream(length: length, source)))
        }
        try withServer(handler) { server in
            for (index, target) in ["/short", "/fails", "/gone"].enumerated() {
                let client = try server.connect()
                try client.send("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n")
                if target == "/gone" {
                    #expect(eventually { server.server.metrics.parked == 1 })
                } else {
                    // Never a short success.
                    #expect(try client.response()?.isCut == true)
                }
                client.close()
                #expect(tally.wait(for: "close", index + 1))
                #expect(eventually { server.server.metrics.connections == 0 })
                #expect(tally.count("close") == index + 1)
            }
        }
    }

    @Test(arguments: [100, 200_000]) func aFileShorterThanAnnouncedBreaksTheConnection(length: Int64) throws {
        try withTemporaryDirectory { directory in
            let file = try makeFile("\(directory)/f", byte: 0x61, count: 50)
            let handler = ScriptedHandler { _, _ in
                .response(HTTPResponse(status: 200, body: .file(file, offset: 0, length: length)))
            }
            try withServer(handler) { server in
                let client = try server.connect()
                try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                let response = try client.response()
                #expect(response == nil || response?.isCut == true)
            }
        }
    }

    @Test func aFileIsSentFromItsOffset() throws {
        try withTemporaryDirectory { directory in
            let file = try makeFile("\(directory)/f", byte: 0x61, count: 300_000)
            let handler = ScriptedHandler { request, _ in
                let length: Int64 = request.target == "/small" ? 10 : 200_000
                return .response(HTTPResponse(status: 206, body: .file(file, offset: 100_000, length: length)))
            }
            try withServer(handler) { server in
                let client = try server.connect()
                for (target, length) in [("/small", 10), ("/large", 200_000), ("/small", 10)] {
                    try client.send("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n")
                    #expect(try client.response()?.body.count == length)
                }
            }
        }
    }

    @Test func aLongCallIsCancelledWhenItsClientHangsUp() throws {
        let tally = Tally()
        let handler = ScriptedHandler { _, cancellation in
            tally.note("called")
            let state = Socket.poll(cancellation.descriptor, .readable, milliseconds: 20_000)
            tally.note(state.isEmpty ? "late" : "cancelled")
            return .response(HTTPResponse(status: 499))
        }
        try withServer(handler) { server in
            let client = try server.connect()
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(tally.wait(for: "called"))
            client.close()
            #expect(tally.wait(for: "cancelled"))
            #expect(tally.count("late") == 0)
        }
    }

    @Test func aClientThatOnlyStopsSendingStillGetsItsAnswer() throws {
        try withServer(EchoHandler()) { server in
            let client = try server.connect()
            try client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab")
            Socket.finishSending(client.number)
            #expect(try client.response()?.text == "PUT / ab")
            #expect(try client.isAtEnd())
        }
    }

    @Test func oneConnectionTooManyIsToldSo() throws {
        try withServer(EchoHandler(), { $0.maxConnections = 2 }) { server in
            let clients = try (0..<2).map { _ in try server.connect() }
            for client in clients {
                try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try client.response()?.status == 200)
            }
            let third = try server.connect()
            let response = try #require(try third.response())
            #expect(response.status == 503 && response.headers["retry-after"] == "1")
            #expect(try third.isAtEnd())
            #expect(server.server.metrics.refused == 1)
        }
    }
}
