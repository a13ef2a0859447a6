import CofferPluginSDK
import CofferSystem
import CofferTransport
import Testing

@Suite struct UploadTests {
    /// Takes the body and says how many bytes came, and how they were announced.
    private static let counting: ScriptedServer.Script = { _, request, peer in
        let body = peer.takeBody(of: request)
        let isRight = body == pattern(body.count)
        peer.answer(
            201,
            ["X-Announced: \(request.field("content-length") ?? "chunked")"],
            Array("\(body.count) \(isRight)".utf8)
        )
    }

    @Test(arguments: [0, 1, 65_536, 300_000, 1_500_000], [true, false])
    func piecesArriveInOrder(size: Int, isAnnounced: Bool) throws {
        try withEndpoint(Self.counting, settings: .patient) { endpoint, server in
            let length = isAnnounced ? UInt64(size) : nil
            let upload = try endpoint.beginUpload(HTTPRequest("PUT", "/x"), length: length, call: patientCall())
            let bytes = pattern(size)
            var at = 0
            var piece = 1
            while at < size {
                let end = min(size, at + piece)
                try upload.append(bytes.span.extracting(at..<end).bytes, call: patientCall())
                (at, piece) = (end, piece * 7 + 1)
            }
            let answer = try upload.finish(call: patientCall())
            #expect(answer.body == Array("\(size) true".utf8))
            #expect(answer.head.headers["x-announced"] == (isAnnounced ? "\(size)" : "chunked"))
            #expect(endpoint.answer(HTTPRequest("GET", "/"))?.status == 201 && server.connections == 1)
        }
    }

    @Test func anUploadThatIsDroppedIsNoWholeOne() throws {
        let lengths = Locked<[Int]>([])
        let script: ScriptedServer.Script = { _, request, peer in
            lengths.withLock { $0.append(peer.takeBody(of: request).count) }
            peer.awaitEnd()
        }
        try withEndpoint(script) { endpoint, server in
            let upload = try endpoint.beginUpload(HTTPRequest("PUT", "/x"), length: 10, call: patientCall())
            try upload.append(pattern(4).span.bytes, call: patientCall())
            upload.abort()
            let short = try endpoint.beginUpload(HTTPRequest("PUT", "/x"), length: 10, call: patientCall())
            try short.append(pattern(4).span.bytes, call: patientCall())
            #expect(failure { _ = try short.finish(call: patientCall()) }?.code == .invalidArgument)
            let long = try endpoint.beginUpload(HTTPRequest("PUT", "/x"), length: 10, call: patientCall())
            #expect(failure { try long.append(pattern(11).span.bytes, call: patientCall()) }?.code == .invalidArgument)
            #expect(eventually { server.openConnections == 0 })
            #expect(lengths.withLock { $0.allSatisfy { $0 < 10 } })
        }
    }

    @Test func anEarlyRefusalEndsTheUpload() throws {
        let script: ScriptedServer.Script = { _, request, peer in
            _ = peer.take(1000)
            peer.answer(403, ["Connection: close"], Array("no".utf8))
            peer.awaitEnd()
        }
        try withEndpoint(script) { endpoint, _ in
            let upload = try endpoint.beginUpload(HTTPRequest("PUT", "/x"), length: nil, call: patientCall())
            let bytes = pattern(100_000)
            var count = 0
            while !upload.isAnswered, count < 10_000 {
                try upload.append(bytes.span.bytes, call: patientCall())
                count += 1
            }
            #expect(count < 10_000)
            let answer = try upload.finish(call: patientCall())
            #expect(answer.status == 403 && answer.body == Array("no".utf8))
        }
    }

    @Test func aServerThatTakesNothingTimesOut() throws {
        try withEndpoint({ _, _, peer in _ = peer.take(1) }) { endpoint, server in
            let script = HTTPRequest("PUT", "/x")
            let upload = try endpoint.beginUpload(script, length: nil, call: patientCall())
            let start = monotonic()
            let bytes = pattern(1_000_000)
            let error = failure { for _ in 0..<100 { try upload.append(bytes.span.bytes, call: patientCall()) } }
            #expect(error?.code == .unavailable || error?.code == .timeout)
            #expect(monotonic() - start < 3_000_000_000)
        }
    }

    @Test func aStalledUploadTimesOut() throws {
        let gate = Locked(false)
        let script: ScriptedServer.Script = { _, _, _ in
            // Takes nothing for as long as the test lasts.
            while !gate.withLock({ $0 }) { yieldBriefly() }
        }
        try withEndpoint(script) { endpoint, server in
            defer { gate.withLock { $0 = true } }
            let upload = try endpoint.beginUpload(HTTPRequest("PUT", "/x"), length: nil, call: patientCall())
            let bytes = pattern(1_000_000)
            let error = failure { for _ in 0..<100 { try upload.append(bytes.span.bytes, call: patientCall()) } }
            #expect(error?.code == .timeout && error?.message.contains("stalled: no upload") == true)
        }
    }

    @Test func nobodyListeningFailsAtBegin() throws {
        let port = try ScriptedServer.run({ _, _, _ in }) { $0.port }
        let endpoint = HTTPEndpoint(HTTPOrigin(isSecure: false, host: "127.0.0.1", port: port), settings: .impatient)
        let error = failure { _ = try endpoint.beginUpload(HTTPRequest("PUT", "/"), length: 1, call: patientCall()) }
        #expect(error?.code == .unavailable && error?.isMaybeApplied == false && error?.isRetryable == true)
    }

    @Test func aLostAnswerMayHaveBeenApplied() throws {
        let script: ScriptedServer.Script = { _, request, peer in
            peer.takeBody(of: request)
            peer.reset()
        }
        try withEndpoint(script) { endpoint, server in
            let upload = try endpoint.beginUpload(HTTPRequest("PUT", "/x"), length: 3, call: patientCall())
            try upload.append(pattern(3).span.bytes, call: patientCall())
            let error = failure { _ = try upload.finish(call: patientCall()) }
            #expect(error?.code == .unavailable && error?.isMaybeApplied == true)
            #expect(server.requests.count == 1)
        }
    }
}
