import CofferJSON
import CofferTestSupport
import Testing

/// What a write, a read and a removal promise, on disk and in memory alike.
@Suite struct ObjectTests {
    @Test(arguments: storageNames)
    func whatIsPutIsWhatIsGot(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            for size in [0, 1, 4095, 4096, 65_537, 300_000] {
                let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ size) }
                let target = "/v1/storages/\(storage)/objects/a/b-\(size)"
                let put = try connection.request("PUT", target, body: bytes)
                #expect(put.status == 201)
                let object = try put.json()
                #expect(object["size"]?.integerValue == Int64(size))
                #expect(object["storage"]?.stringValue == storage)
                let got = try connection.request("GET", target)
                #expect(got.status == 200)
                #expect(got.body == bytes)
                #expect(got.field("etag") == "\"\(object["etag"]?.stringValue ?? "")\"")
                // What the put answered is what a stat answers.
                let stat = try connection.request("GET", "/v1/storages/\(storage)/stat/a/b-\(size)")
                #expect(try stat.json() == object)
                #expect(try connection.request("PUT", target, body: bytes).status == 200)
            }
        }
    }

    @Test(arguments: storageNames)
    func headSaysWhatGetWouldSay(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put(storage, "page.html", "<p>", fields: [("Coffer-Meta-Who", "J%C3%BCrgen")])
            let target = "/v1/storages/\(storage)/objects/page.html"
            let head = try connection.request("HEAD", target)
            let get = try connection.request("GET", target)
            for name in ["content-type", "content-length", "etag", "last-modified", "coffer-meta-who", "repr-digest"] {
                #expect(head.field(name) == get.field(name))
                #expect(head.field(name) != nil, "\(name)")
            }
            #expect(get.field("content-type") == "text/html")
            #expect(get.field("coffer-meta-who") == "J%C3%BCrgen")
        }
    }

    @Test(arguments: ranges)
    func rangesAreExact(range: String, status: Int, body: String?, contentRange: String?) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            for storage in storageNames {
                try connection.put(storage, "r", "0123456789abcd")
                let answer = try connection.request(
                    "GET",
                    "/v1/storages/\(storage)/objects/r",
                    fields: [("Range", range)]
                )
                #expect(answer.status == status)
                if let body { #expect(answer.text == body) }
                #expect(answer.field("content-range") == contentRange)
            }
        }
    }

    // What is asked for, and the status, bytes and Content-Range of the answer; nil where there is none.
    private static let ranges: [(String, Int, String?, String?)] = [
        ("bytes=3-6", 206, "3456", "bytes 3-6/14"), ("bytes=10-", 206, "abcd", "bytes 10-13/14"),
        ("bytes=-2", 206, "cd", "bytes 12-13/14"), ("bytes=-100", 206, "0123456789abcd", "bytes 0-13/14"),
        ("bytes=2-99", 206, "23456789abcd", "bytes 2-13/14"), ("bytes=14-", 416, nil, "bytes */14"),
        ("bytes=-0", 416, nil, "bytes */14"), ("lines=1-2", 200, "0123456789abcd", nil),
        ("bytes=0-1,3-4", 200, "0123456789abcd", nil), ("bytes=5-2", 200, "0123456789abcd", nil),
    ]

    @Test(arguments: storageNames)
    func conditionsDecide(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let target = "/v1/storages/\(storage)/objects/c"
            func status(_ method: String, _ field: String, _ value: String, body: String? = nil) throws -> Int {
                try connection.request(method, target, fields: [(field, value)], body: body.map { Array($0.utf8) })
                    .status
            }
            #expect(try status("PUT", "If-Match", "*", body: "x") == 412)
            #expect(try status("PUT", "If-None-Match", "*", body: "one") == 201)
            #expect(try status("PUT", "If-None-Match", "*", body: "two") == 412)
            let old = try connection.request("HEAD", target).field("etag") ?? ""
            #expect(try status("PUT", "If-Match", old, body: "three") == 200)
            #expect(try status("PUT", "If-Match", old, body: "four") == 412)
            #expect(try status("DELETE", "If-Match", old) == 412)
            let new = try connection.request("HEAD", target).field("etag") ?? ""
            #expect(try status("GET", "If-None-Match", new) == 304)
            #expect(try status("GET", "If-None-Match", old) == 200)
            #expect(try status("GET", "If-Match", old) == 412)
            #expect(try status("GET", "If-Match", "\(old), \(new)") == 200)
            #expect(try connection.get(storage, "c") == "three")
            #expect(try status("DELETE", "If-Match", new) == 204)
            #expect(try connection.get(storage, "c") == nil)
            #expect(try connection.request("DELETE", target).status == 204)
        }
    }

    @Test(arguments: storageNames)
    func aTakenKeyIsWhatTheRuleSays(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put(storage, "photo.jpg", "1")
            let target = "/v1/storages/\(storage)/objects/photo.jpg?on_conflict="
            let refused = try connection.request("PUT", target + "error", body: [50])
            #expect(refused.status == 409)
            #expect(try refused.code() == "already_exists")
            let renamed = try connection.request("PUT", target + "rename", body: [51])
            #expect(renamed.status == 201)
            let name = try renamed.json()["key"]?.stringValue ?? ""
            #expect(name != "photo.jpg" && name.hasPrefix("photo") && name.hasSuffix(".jpg"))
            #expect(try connection.get(storage, name) == "3")
            #expect(try connection.get(storage, "photo.jpg") == "1")
            #expect(try connection.request("PUT", target + "replace", body: [52]).status == 200)
            #expect(try connection.get(storage, "photo.jpg") == "4")
        }
    }

    @Test(arguments: storageNames)
    func aWrongDigestPublishesNothing(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put(storage, "d", "old")
            let target = "/v1/storages/\(storage)/objects/d"
            let wrong = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
            let answer = try connection.request("PUT", target, fields: [("Repr-Digest", wrong)], body: [1])
            #expect(answer.status == 422)
            #expect(try answer.code() == "checksum_mismatch")
            #expect(try connection.get(storage, "d") == "old")
            let right = "sha-256=:uifSeZGGKa4qJn8i/6pOh3fPtr7/nMfm5+YM2f2MmCU=:"
            let unknown = try connection.request("PUT", target, fields: [("Repr-Digest", "crc64=:AA==:")], body: [1])
            #expect(try unknown.code() == "unsupported")
            _ = right
        }
    }

    @Test(arguments: storageNames)
    func aDigestMayComeAsATrailer(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            func put(_ digest: String) throws -> Int {
                connection.send(
                    "PUT /v1/storages/\(storage)/objects/t HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n"
                        + "Trailer: Repr-Digest\r\n\r\n3\r\nabc\r\n0\r\nRepr-Digest: \(digest)\r\n\r\n"
                )
                return try connection.answer().status
            }
            #expect(try put("sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:") == 422)
            // Of the algorithms that may come, none is known before the body is over.
            #expect(try put("crc32c=:AAAAAA==:") == 422)
            #expect(try put("md5=:AAAAAAAAAAAAAAAAAAAAAA==:") == 422)
            #expect(try connection.get(storage, "t") == nil)
            #expect(try put("sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:") == 201)
            #expect(try put("crc32c=:Nks/tw==:, md5=:kAFQmDzST7DWlj99KOF/cg==:") == 200)
            #expect(try connection.get(storage, "t") == "abc")
        }
    }

    // The third has no copy of its own, and metadata alone is a copy onto itself.
    @Test(arguments: ["files", "scratch"])
    func metadataCanBeChangedAlone(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put(storage, "m", "body", fields: [("Content-Type", "text/plain"), ("Coffer-Meta-A", "1")])
            let change = #"{"content_type":"text/css","cache_control":"no-store","metadata":{"a":null,"b":"2"}}"#
            let answer = try connection.request("PATCH", "/v1/storages/\(storage)/stat/m", body: Array(change.utf8))
            #expect(answer.status == 200, "\(answer.text)")
            let stat = try connection.request("GET", "/v1/storages/\(storage)/stat/m").json()
            #expect(stat["content_type"]?.stringValue == "text/css")
            #expect(stat["cache_control"]?.stringValue == "no-store")
            #expect(stat["metadata"]?["a"] == nil)
            #expect(stat["metadata"]?["b"]?.stringValue == "2")
            #expect(try connection.get(storage, "m") == "body")
            let unknown = try connection.request(
                "PATCH",
                "/v1/storages/\(storage)/stat/m",
                body: Array(#"{"x":1}"#.utf8)
            )
            #expect(unknown.status == 400)
            #expect(unknown.text.contains("unknown member x"))
        }
    }

    @Test func aRepeatedPutWithAnIdempotencyKeyGivesTheFirstAnswer() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let first = try connection.put("scratch", "i", "x", fields: [("Idempotency-Key", "k1")])
            let second = try connection.put("scratch", "i", "x", fields: [("Idempotency-Key", "k1")])
            #expect(first == second)
            let third = try connection.put("scratch", "i", "x", fields: [("Idempotency-Key", "k2")])
            #expect(third["etag"] != first["etag"])
        }
    }
}
