import CofferAPI
import CofferJSON
import CofferTestSupport
import Testing

/// Requests that are legal and rare, and some that are not legal at all: HTTP as RFC 9110 and 9112 have it.
@Suite struct ProtocolTests {
    private static let objects = "/v1/storages/files/objects"

    @Test func headIsAllowedWhereverGetIs() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put("files", "k", "hello")
            for row in RouteTable.rows where row.method == "GET" {
                let target = row.resource.template.replacing("{storage}", with: "files").replacing("{key}", with: "k")
                let get = try connection.request("GET", target)
                // The store of this storage has no containers.
                #expect(get.status == (row.operation == .listContainers ? 501 : 200), "\(target): \(get.text)")
                let head = try connection.request("HEAD", target)
                #expect(head.status == get.status)
                // What changes from one moment to the next has no fixed length.
                if row.operation != .metrics && row.operation != .checkStorage {
                    #expect(head.field("content-length") == get.field("content-length"), "\(target)")
                }
                #expect(head.field("content-type") == get.field("content-type"))
                #expect(head.field("coffer-generation") == get.field("coffer-generation"))
            }
        }
    }

    @Test(arguments: ["OPTIONS", "TRACE", "BREW", "get"])
    func aMethodThatNobodyTakesIsAnsweredWithThoseThatAre(method: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            for resource in Resource.allCases {
                let target = resource.template.replacing("{storage}", with: "files").replacing("{key}", with: "k")
                    .replacing("{profile}", with: "p")
                let answer = try connection.request(method, target)
                #expect(answer.status == 405, "\(target)")
                let allowed = RouteTable.methods(of: resource)
                #expect(answer.field("allow") == allowed.joined(separator: ", "))
                #expect(!allowed.contains("GET") || allowed.contains("HEAD"))
                #expect(answer.field("coffer-generation") == "1")
            }
        }
    }

    @Test func anAbsoluteTargetMeansItsPath() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put("files", "a%20b", "hello")
            for origin in ["http://coffer", "HTTPS://example.org:8080", "http://"] {
                let answer = try connection.request("GET", "\(origin)\(Self.objects)/a%20b")
                #expect(answer.text == "hello", "\(origin)")
            }
            #expect(try connection.request("GET", "http://coffer").status == 404)
            #expect(try connection.request("GET", "http://coffer?x").status == 404)
            #expect(try connection.request("OPTIONS", "*").status == 404)
            // Only a proxy is asked for these two, and the connection does not outlive them.
            #expect(try RawConnection(host.socket).request("GET", "ftp://coffer/v1/health").status == 400)
            #expect(try RawConnection(host.socket).request("CONNECT", "coffer:80").status == 400)
        }
    }

    @Test func aConnectionOutlivesItsErrors() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            for (method, target, status) in [
                ("GET", "/nowhere", 404), ("POST", "/v1/health", 405), ("GET", "\(Self.objects)/absent", 404),
                ("GET", "\(Self.objects)?limit=0", 400), ("PUT", "\(Self.objects)/..", 400),
                ("GET", "/v1/storages/none/objects/k", 404), ("GET", "\(Self.objects)/%FF", 400),
            ] {
                let answer = try connection.request(method, target, body: method == "GET" ? nil : Array("body".utf8))
                #expect(answer.status == status, "\(method) \(target): \(answer.text)")
                #expect(answer.field("content-type") == "application/problem+json")
                #expect(answer.field("coffer-generation") == "1")
                #expect(answer.field("connection") == nil)
            }
            #expect(try connection.request("GET", "/v1/health").status == 200)
        }
    }

    @Test func oldClientsAreAnsweredAndLetGo() throws {
        try withHost(sampleStorages) { host in
            let writer = try RawConnection(host.socket)
            try writer.put("files", "k", "hello")
            let plain = try RawConnection(host.socket)
            plain.send("GET \(Self.objects)/k HTTP/1.0\r\n\r\n")
            let answer = try plain.answer()
            #expect(answer.text == "hello")
            #expect(answer.field("connection") == "close")
            #expect(try plain.isClosedByPeer())
            let patient = try RawConnection(host.socket)
            for _ in 0..<2 {
                patient.send("GET \(Self.objects)/k HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                #expect(try patient.answer().field("connection") == "keep-alive")
            }
            // A listing of unknown length ends with the connection, in no chunks.
            patient.send(
                "GET \(Self.objects) HTTP/1.0\r\nConnection: keep-alive\r\nAccept: application/x-ndjson\r\n\r\n"
            )
            let listing = try patient.answer()
            #expect(listing.field("transfer-encoding") == nil)
            #expect(listing.text.hasSuffix("}\n"))
            #expect(try patient.isClosedByPeer())
            let expecting = try RawConnection(host.socket)
            expecting.send("PUT \(Self.objects)/o HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi")
            #expect(try expecting.answer(skipsInterim: false).status == 201)
        }
    }

    @Test func closeMeansClose() throws {
        try withHost(sampleStorages) { host in
            for value in ["close", "Close", "keep-alive, close", "x, close , y"] {
                let connection = try RawConnection(host.socket)
                let answer = try connection.request("GET", "/v1/health", fields: [("Connection", value)])
                #expect(answer.field("connection") == "close")
                #expect(try connection.isClosedByPeer())
            }
            let refused = try RawConnection(host.socket)
            let answer = try refused.request("PUT", "\(Self.objects)/.", fields: [("Connection", "close")], body: [1])
            #expect(answer.status == 400)
            #expect(try refused.isClosedByPeer())
        }
    }

    // MARK: - Limits

    @Test(arguments: storageNames)
    func aKeyHasAtMost1024Bytes(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            // Segments of 200 bytes: a file system has limits of its own for one.
            let longest = String(
                (0..<6).map { _ in String(repeating: "k", count: 200) }.joined(separator: "/").prefix(1024)
            )
            try connection.put(storage, longest, "x")
            #expect(try connection.get(storage, longest) == "x")
            #expect(try connection.keys(storage) == [longest])
            let encoded = longest.utf8.map { $0 == UInt8(ascii: "/") ? "/" : "%\(String($0, radix: 16))" }.joined()
            #expect(try connection.get(storage, encoded) == "x")
            for method in ["GET", "PUT", "DELETE"] {
                let answer = try connection.request(method, "/v1/storages/\(storage)/objects/\(longest)k")
                #expect(answer.status == 400)
                #expect(try answer.code() == "invalid_key")
            }
        }
    }

    @Test func whatIsTooLongSaysSo() throws {
        try withHost(sampleStorages) { host in
            func status(_ text: String) throws -> Int {
                let connection = try RawConnection(host.socket)
                connection.send(text)
                let answer = try connection.answer()
                #expect(answer.field("content-type") == "application/problem+json")
                #expect(answer.field("coffer-generation") == "1")
                #expect(answer.field("connection") == "close")
                return answer.status
            }
            let long = String(repeating: "x", count: 17 << 10)
            #expect(try status("GET /v1/health?\(long) HTTP/1.1\r\nHost: c\r\n\r\n") == 414)
            #expect(try status("GET /v1/health?\(long)") == 414)
            let field = "X-Long: \(String(repeating: "x", count: 65 << 10))\r\n"
            #expect(try status("GET /v1/health HTTP/1.1\r\nHost: c\r\n\(field)\r\n") == 431)
            let many = (0..<10_000).map { "F\($0): v\r\n" }.joined()
            #expect(try status("GET /v1/health HTTP/1.1\r\nHost: c\r\n\(many)\r\n") == 431)
            let fields = (0..<127).map { "F\($0): v\r\n" }.joined()
            let connection = try RawConnection(host.socket)
            connection.send("GET /v1/health HTTP/1.1\r\nHost: c\r\n\(fields)\r\n")
            #expect(try connection.answer().status == 200)
        }
    }

    @Test(arguments: storageNames)
    func userMetadataHasALimit(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let target = "/v1/storages/\(storage)/objects/k"
            // Names count as well: 1 + 8191.
            let most = String(repeating: "v", count: 8191)
            let accepted = try connection.request("PUT", target, fields: [("Coffer-Meta-n", most)], body: [])
            #expect(accepted.status == 201, "\(accepted.text)")
            #expect(try connection.request("HEAD", target).field("coffer-meta-n") == most)
            let refused = try connection.request("PUT", target, fields: [("Coffer-Meta-n", most + "v")], body: [])
            #expect(refused.status == 413)
            let text = "é \u{1F600}%"
            let encoded = "%C3%A9%20%F0%9F%98%80%25"
            #expect(
                try connection.request("PUT", target, fields: [("COFFER-META-Name", encoded)], body: []).status == 200
            )
            let stat = try connection.request("GET", "/v1/storages/\(storage)/stat/k").json()
            #expect(stat["metadata"]?["name"]?.stringValue == text)
            #expect(try connection.request("HEAD", target).field("coffer-meta-name") == encoded)
            for value in ["%", "%zz", "%FF", "%0A"] {
                #expect(
                    try connection.request("PUT", target, fields: [("Coffer-Meta-n", value)], body: []).status == 400
                )
            }
            let twice = [("Coffer-Meta-n", "1"), ("coffer-meta-N", "2")]
            #expect(try connection.request("PUT", target, fields: twice, body: []).status == 400)
        }
    }

    @Test func parametersHaveLimitsAndOneSpelling() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let long = String(repeating: "p", count: 1025)
            for query in [
                "?prefix=\(long)", "?start_after=\(long)", "?delimiter=%00", "?prefix=a&prefix=b", "?x=1", "?limit=+1",
                "?limit=10001", "?cursor=nonsense", "?prefix=%",
            ] {
                let answer = try connection.request("GET", Self.objects + query)
                #expect(answer.status == 400, "\(query)")
            }
            #expect(try connection.request("POST", "\(Self.objects)?location=\(long)", body: []).status == 400)
            #expect(try connection.request("DELETE", "\(Self.objects)?prefix=a&dry_run=yes").status == 400)
        }
    }
}
