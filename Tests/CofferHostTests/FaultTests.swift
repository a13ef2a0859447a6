// A store whose calls fail by plan: what clients see is never less than they were promised without being told so.
import CofferJSON
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

@Suite struct FaultTests {
    private func storages(_ plan: [String], _ more: String = "") -> String {
        let rules = plan.map { "\"\($0)\"" }.joined(separator: ", ")
        return """
            storages:
              f: { backend: fault, on_conflict: replace, plan: [\(rules)]\(more.isEmpty ? "" : ", " + more) }
              m: { backend: memory, on_conflict: replace }

            """
    }

    private let target = "/v1/storages/f/objects/k"

    @Test func shortReadsAreReadToTheEnd() throws {
        try withHost(storages(["read short_read p=0.7"], "seed: 11")) { host in
            let connection = try RawConnection(host.socket)
            let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            #expect(try connection.request("PUT", target, body: bytes).status == 201)
            for _ in 0..<3 { #expect(try connection.request("GET", target).body == bytes) }
            let part = try connection.request("GET", target, fields: [("Range", "bytes=100000-399999")])
            #expect(part.status == 206 && part.body == Array(bytes[100_000...399_999]))
        }
    }

    @Test(arguments: ["early_end", "error=io", "lost_ack"])
    func anObjectThatEndsEarlyIsNeverShortSuccess(fault: String) throws {
        // The third step of each read fails: after the head went out.
        try withHost(storages(["read \(fault) skip=2 count=1"])) { host in
            let connection = try RawConnection(host.socket)
            let bytes = [UInt8](repeating: 5, count: 2 << 20)
            #expect(try connection.request("PUT", target, body: bytes).status == 201)
            #expect(throws: RawConnection.Broken.self) { _ = try connection.request("GET", target) }
            #expect(try eventually { host.log.contains("f:k: broke off") }, "\(host.log)")
            let again = try RawConnection(host.socket)
            #expect(try again.request("GET", target).body == bytes)
            try again.put("m", "k", "v")
        }
    }

    @Test(arguments: [
        ("error=unavailable retryable retry_after=2500", 503, "unavailable", "3", true),
        ("error=rate_limited retryable retry_after=1000", 429, "rate_limited", "1", true),
        ("error=io", 502, "backend_error", nil, false), ("error=corrupt", 502, "corrupt", nil, false),
        ("error=permission", 403, "permission_denied", nil, false),
        ("error=unauthenticated", 401, "unauthenticated", nil, false),
        ("error=timeout retryable", 504, "timeout", nil, true), ("error=changed", 409, "changed", nil, false),
        ("error=quota", 507, "quota_exceeded", nil, false), ("error=no_space", 507, "no_space", nil, false),
        ("lost_ack", 503, "unavailable", "1", false),
    ])
    func errorsOfTheStoreKeepTheirMeaning(
        fault: String,
        status: Int,
        code: String,
        retryAfter: String?,
        isRetryable: Bool
    ) throws {
        try withHost(
            storages([
                // The first write looks and commits undisturbed.
                "stat \(fault) skip=1 count=1", "write_commit \(fault) skip=1 count=1", "read_open \(fault) count=1",
            ])
        ) {
            host in
            let connection = try RawConnection(host.socket)
            try connection.put("f", "k", "v")
            for (method, path, body) in [
                ("GET", "/v1/storages/f/stat/k", nil), ("PUT", target, [UInt8(1)]), ("GET", target, nil),
            ] {
                let answer = try connection.request(method, path, body: body)
                #expect(answer.status == status, "\(method) \(path): \(answer.status) \(answer.text)")
                #expect(try answer.code() == code, "\(method) \(path)")
                #expect(answer.field("retry-after") == retryAfter, "\(method) \(path)")
                let problem = try answer.json()
                #expect((problem["retryable"]?.boolValue ?? false) == isRetryable, "\(problem)")
                #expect(problem["storage"]?.stringValue == "f" && problem["key"]?.stringValue == "k", "\(problem)")
            }
            // The connection lives on, and the plan is used up.
            try connection.put("f", "k", "whole")
            #expect(try connection.get("f", "k") == "whole")
        }
    }

    @Test func aLostAnswerAndAnIdempotencyKeyMakeOneObject() throws {
        try withHost(storages(["write_commit lost_ack count=1"])) { host in
            let connection = try RawConnection(host.socket)
            func put() throws -> RawConnection.Answer {
                try connection.request("PUT", target, fields: [("Idempotency-Key", "once")], body: [1, 2])
            }
            let lost = try put()
            #expect(lost.status == 503)
            let second = try put()
            #expect(second.status == 200 || second.status == 201, "\(second.text)")
            let third = try put()
            #expect(try third.json()["etag"] == second.json()["etag"])
            #expect(try connection.keys("f") == ["k"])
        }
    }

    @Test func aFullStoreKeepsWhatItHad() throws {
        try withHost(storages(["write_append no_space=100000"])) { host in
            let connection = try RawConnection(host.socket)
            try connection.put("f", "k", "old")
            let full = try connection.request("PUT", target, body: [UInt8](repeating: 1, count: 3 << 20))
            #expect(full.status == 507, "\(full.status)")
            #expect(try full.code() == "no_space")
            let after = try RawConnection(host.socket)
            #expect(try after.get("f", "k") == "old")
            #expect(try after.keys("f") == ["k"])
            try after.put("f", "small", "fits")
        }
    }

    @Test(arguments: ["stat", "read_open", "write_commit"])
    func aStepThatStallsEndsAtItsTimeout(operation: String) throws {
        try withHost(storages(["\(operation) stall=60000 count=1"], "timeout: 150ms")) { host in
            let connection = try RawConnection(host.socket)
            let other = try RawConnection(host.socket)
            try other.put("m", "k", "v")
            let start = MonotonicTime.now
            let (method, path, body): (String, String, [UInt8]?) =
                switch operation {
                case "stat": ("GET", "/v1/storages/f/stat/k", nil)
                case "read_open": ("GET", target, nil)
                default: ("PUT", target, [1])
                }
            let answer = try connection.request(method, path, body: body)
            #expect(answer.status == 504, "\(answer.text)")
            #expect(try answer.code() == "timeout")
            #expect(MonotonicTime.now.nanoseconds - start.nanoseconds < 20_000_000_000)
            #expect(try other.get("m", "k") == "v")
            try connection.put("f", "k", "after")
        }
    }

    @Test func aReadThatStallsInTheMiddleBreaksOff() throws {
        try withHost(storages(["read stall=60000 skip=1 count=1"], "timeout: 150ms")) { host in
            let connection = try RawConnection(host.socket)
            let bytes = [UInt8](repeating: 5, count: 2 << 20)
            #expect(try connection.request("PUT", target, body: bytes).status == 201)
            #expect(throws: RawConnection.Broken.self) { _ = try connection.request("GET", target) }
            #expect(try RawConnection(host.socket).request("GET", target).body == bytes)
        }
    }

    @Test func progressMayTakeLongerThanOneStep() throws {
        // Every step takes a third of the timeout, and the whole takes many times of it.
        try withHost(storages(["read short_read"], "latency: 5ms, timeout: 400ms")) { host in
            let connection = try RawConnection(host.socket)
            let bytes = [UInt8](repeating: 5, count: 4 << 20)
            #expect(try connection.request("PUT", target, body: bytes).status == 201)
            #expect(try connection.request("GET", target).body == bytes)
        }
    }

    @Test func aClientThatHangsUpEndsTheCall() throws {
        // Without the cancellation the call would take ten minutes, and the storage's only place with it.
        let plan = ["stat stall=600000 key=held", "read_open stall=600000 key=held"]
        try withHost(storages(plan, "timeout: 600s, concurrency: 1")) { host in
            for path in ["/v1/storages/f/stat/", "/v1/storages/f/objects/"] {
                let rude = try RawConnection(host.socket)
                let seen = try Requests(host)
                rude.send("GET \(path)held HTTP/1.1\r\nHost: c\r\n\r\n")
                #expect(try eventually { try seen.more() == 1 })
                // The next in the same lane waits until the place is free.
                let waiting = try RawConnection(host.socket)
                waiting.send("GET \(path)free HTTP/1.1\r\nHost: c\r\n\r\n")
                #expect(try eventually { try seen.more() == 2 })
                #expect(!waiting.hasAnswer(within: 0))
                rude.hangUp()
                #expect(try waiting.answer().status == 404)
            }
        }
    }

    @Test func faultsOfAllKindsLoseNoAcknowledgedWrite() throws {
        let plan = [
            "write_commit lost_ack p=0.1", "write_commit duplicate p=0.1", "write_append error=io p=0.1",
            "write_begin error=unavailable retryable p=0.1", "read short_read p=0.2", "read early_end p=0.05",
            "read_open error=unavailable retryable p=0.1", "stat error=timeout p=0.1",
        ]
        try withHost(storages(plan, "seed: 4711, timeout: 5s")) { host in
            var connection = try RawConnection(host.socket)
            var acknowledged: [String: [UInt8]] = [:]
            var possible: [String: [[UInt8]]] = [:]
            for round in 0..<300 {
                let key = "k\(round % 20)"
                let bytes = [UInt8](repeating: UInt8(round & 0xFF), count: 1 + round * 331 % 90_000)
                let put = try connection.request("PUT", "/v1/storages/f/objects/\(key)", body: bytes)
                if put.status == 200 || put.status == 201 {
                    acknowledged[key] = bytes
                    possible[key] = [bytes]
                } else {
                    // It may have been done all the same, but only whole.
                    possible[key, default: []].append(bytes)
                }
                let got: RawConnection.Answer
                do {
                    got = try connection.request("GET", "/v1/storages/f/objects/\(key)")
                } catch is RawConnection.Broken {
                    connection = try RawConnection(host.socket)
                    continue
                }
                switch got.status {
                case 200: #expect(possible[key]?.contains(got.body) == true, "\(key) in round \(round)")
                case 404: #expect(acknowledged[key] == nil, "\(key) in round \(round)")
                default: #expect(got.status >= 500, "\(got.status)")
                }
                if put.field("connection") == "close" { connection = try RawConnection(host.socket) }
            }
            #expect(acknowledged.count == 20)
        }
    }
}
