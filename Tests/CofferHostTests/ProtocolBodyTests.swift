import CofferJSON
import CofferSystem
import CofferTestSupport
import Testing

/// Bodies: promised and refused, in chunks, cut anywhere, and broken off.
@Suite struct ProtocolBodyTests {
    private static let objects = "/v1/storages/files/objects"

    @Test func aBodyIsAskedForBeforeItIsSent() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            for storage in storageNames {
                connection.send(
                    "PUT /v1/storages/\(storage)/objects/k HTTP/1.1\r\nHost: c\r\n"
                        + "Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n"
                )
                #expect(try connection.answer(skipsInterim: false).status == 100)
                connection.send("hello")
                #expect(try connection.answer(skipsInterim: false).status == 201)
            }
            #expect(
                try connection.request("GET", "\(Self.objects)/k", fields: [("Expect", "100-continue")]).status == 200
            )
            let unknown = try RawConnection(host.socket)
            #expect(try unknown.request("GET", "/v1/health", fields: [("Expect", "200-ok")]).status == 417)
        }
    }

    @Test(arguments: storageNames)
    func aWriteThatCannotSucceedIsRefusedBeforeItsBody(storage: String) throws {
        try withHost(sampleStorages) { host in
            let good = try RawConnection(host.socket)
            try good.put(storage, "k", "old")
            let target = "/v1/storages/\(storage)/objects/k"
            for (fields, target, status) in [
                ("If-None-Match: *\r\n", target, 412), ("If-Match: \"other\"\r\n", target, 412),
                ("", target + "?on_conflict=error", 409), ("", target + "/../x", 400),
                ("", "/v1/storages/none/object/k", 404),
                ("Content-Digest: sha-3=:AA==:\r\n", target, 501), ("Content-Range: bytes 0-1/2\r\n", target, 501),
                ("Coffer-Meta-a: %\r\n", target, 400),
            ] {
                let connection = try RawConnection(host.socket)
                connection.send(
                    "PUT \(target) HTTP/1.1\r\nHost: c\r\n\(fields)Expect: 100-continue\r\nContent-Length: 1000000000\r\n\r\n"
                )
                let answer = try connection.answer(skipsInterim: false)
                #expect(answer.status == status, "\(fields)\(target): \(answer.text)")
                // Nobody can tell whether the body comes all the same.
                #expect(answer.field("connection") == "close")
                #expect(answer.field("coffer-generation") == "1")
            }
            #expect(try good.get(storage, "k") == "old")
        }
    }

    @Test func chunksMayHaveExtensionsAndTrailers() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let head = "PUT \(Self.objects)/k HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: Chunked\r\n\r\n"
            let digest = "Repr-Digest: sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:\r\n"  // Of `hello`.
            connection.send("\(head)2;a=b;c=\"d e\"\r\nhe\r\n03 ; x\r\nllo\r\n000;last\r\n\(digest)X-Other: 1\r\n\r\n")
            #expect(try connection.answer().status == 201)
            #expect(try connection.get("files", "k") == "hello")
            connection.send("\(head)3\r\nbad\r\n0\r\n\(digest)\r\n")
            #expect(try connection.answer().code() == "checksum_mismatch")
            connection.send("\(head)3\r\nbad\r\n0\r\nContent-Digest: nonsense\r\n\r\n")
            #expect(try connection.answer().status == 400)
            #expect(try connection.get("files", "k") == "hello")
            for broken in [
                "5\r\nhelloX", "-1\r\n", "1 2\r\n", "FFFFFFFFFFFFFFFFF\r\n", "0\r\nHost: evil\r\n\r\n", "1\nx",
            ] {
                let rude = try RawConnection(host.socket)
                rude.send(head + broken)
                let answer = try rude.answer()
                #expect(answer.status == 400, "\(broken)")
                #expect(answer.field("connection") == "close")
            }
            #expect(try connection.get("files", "k") == "hello")
        }
    }

    @Test func digestsOfAWriteAreHeld() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let good = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:"
            for name in ["Content-Digest", "Repr-Digest"] {
                for (value, status) in [
                    (good, 200), ("SHA-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:", 200),
                    ("md5=:XUFAKrxLKna5cZ2REBfFkg==:, \(good)", 200), ("crc32c=:mnG7TA==:", 200),
                    ("sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:", 422),
                    ("md5=:AAAAAAAAAAAAAAAAAAAAAA==:", 422),
                    ("sha-256=:AA==:", 400), ("sha-256=abc", 400), ("sha-256", 400), ("sha=:AA==:", 501),
                    ("\(good), sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:", 400),
                ] {
                    try connection.put("files", "k", "before")
                    let answer = try connection.request(
                        "PUT",
                        "\(Self.objects)/k",
                        fields: [(name, value)],
                        body: Array("hello".utf8)
                    )
                    #expect(answer.status == status, "\(name): \(value): \(answer.text)")
                    #expect(try connection.get("files", "k") == (status == 200 ? "hello" : "before"))
                }
            }
            try connection.put("files", "k", "hello")
            #expect(try connection.request("HEAD", "\(Self.objects)/k").field("repr-digest") == good)
        }
    }

    /// Requests of many kinds in one piece, cut in two at each place, are answered in their order and alike.
    @Test(arguments: storageNames)
    func pipelinedRequestsMayBeCutAnywhere(storage: String) throws {
        try withHost(sampleStorages) { host in
            let objects = "/v1/storages/\(storage)/objects"
            let requests: [(text: String, method: String, status: Int)] = [
                ("PUT \(objects)/p HTTP/1.1\r\nHost: c\r\nContent-Length: 3\r\n\r\nabc", "PUT", 200),
                ("GET \(objects)/p HTTP/1.1\r\nHost: c\r\n\r\n", "GET", 200),
                ("HEAD \(objects)/p HTTP/1.1\r\nHost: c\r\n\r\n", "HEAD", 200),
                (
                    "PUT \(objects)/p HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n",
                    "PUT", 200
                ),
                ("GET /nowhere HTTP/1.1\r\nHost: c\r\nContent-Length: 4\r\n\r\nbody", "GET", 404),
                (
                    "POST /v1/storages/\(storage)/delete HTTP/1.1\r\nHost: c\r\nContent-Length: 14\r\n\r\n{\"keys\":[\"q\"]}",
                    "POST", 200
                ),
                ("\r\nGET http://c\(objects)/p HTTP/1.1\r\nHost: c\r\nRange: bytes=1-1\r\n\r\n", "GET", 206),
                ("GET \(objects)?prefix=p HTTP/1.1\r\nHost: c\r\nAccept: application/x-ndjson\r\n\r\n", "GET", 200),
                ("OPTIONS /v1/health HTTP/1.1\r\nHost: c\r\n\r\n", "OPTIONS", 405),
            ]
            let bytes = Array(requests.map(\.text).joined().utf8)
            let connection = try RawConnection(host.socket)
            try connection.put(storage, "p", "abc")
            func expectAnswers(_ place: Int) throws {
                var bodies: [String] = []
                for request in requests {
                    let answer = try connection.answer(to: request.method)
                    #expect(answer.status == request.status, "cut at \(place): \(request.text)")
                    bodies.append(answer.text)
                }
                #expect(bodies[1] == "abc" && bodies[6] == "b", "cut at \(place)")
            }
            for place in 1..<bytes.count {
                connection.send(Array(bytes[..<place]))
                connection.send(Array(bytes[place...]))
                try expectAnswers(place)
            }
            for byte in bytes { connection.send([byte]) }
            try expectAnswers(-1)
        }
    }

    @Test func aListingThatBreaksOffIsNeverTakenForComplete() throws {
        let configuration = """
            storages:
              broken: { backend: fault, plan: ["list_next error=unavailable skip=1"] }

            """
        try withHost(configuration) { host in
            let connection = try RawConnection(host.socket)
            for number in 0..<1500 { try connection.put("broken", "n/\(number)", "x") }
            let lines = try RawConnection(host.socket)
            lines.send("GET /v1/storages/broken/objects HTTP/1.1\r\nHost: c\r\nAccept: application/x-ndjson\r\n\r\n")
            var text = ""
            do {
                let answer = try lines.answer()
                Issue.record("the answer is complete: \(answer.status) \(answer.text.suffix(300))")
            } catch let broken as RawConnection.Broken {
                #expect(broken.description.contains("chunked body"))
                text = lines.heldText
            }
            #expect(text.contains("unavailable"), "\(text.suffix(300))")
            // The host is none the worse for it, and its other answers say the failure by their status.
            let page = try connection.request("GET", "/v1/storages/broken/objects?limit=1500")
            #expect(page.status == 200 || page.status == 503, "\(page.status)")
            #expect(try connection.request("GET", "/v1/health").status == 200)
        }
    }
}
