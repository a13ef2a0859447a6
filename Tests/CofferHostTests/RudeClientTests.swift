import CofferSystem
import CofferTestSupport
import Glibc
import Testing

/// Clients that stop, vanish, lie or dawdle: they publish nothing and cost the others nothing.
@Suite(.serialized) struct RudeClientTests {
    @Test(arguments: storageNames)
    func aBodyThatEndsEarlyPublishesNothing(storage: String) throws {
        try withHost(sampleStorages) { host in
            let good = try RawConnection(host.socket)
            try good.put(storage, "k", "old")
            for sent in [0, 1, 70_000, 999_999] {
                let rude = try RawConnection(host.socket)
                rude.send(
                    "PUT /v1/storages/\(storage)/objects/k HTTP/1.1\r\nHost: c\r\nContent-Length: 1000000\r\n\r\n"
                )
                rude.send([UInt8](repeating: 1, count: sent))
                rude.finishSending()
                // Whether the host answers or hangs up, it does so because it saw the end.
                _ = try? rude.answer()
            }
            #expect(try good.get(storage, "k") == "old")
            let chunked = try RawConnection(host.socket)
            chunked.send(
                "PUT /v1/storages/\(storage)/objects/k HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            chunked.send("5\r\nhello\r\n")
            chunked.finishSending()
            _ = try? chunked.answer()
            #expect(try good.get(storage, "k") == "old")
        }
    }

    @Test(arguments: [
        "GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /v1/health HTTP/1.1\r\n\r\n",
        "GET /v1/health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "PUT /v1/storages/files/objects/x HTTP/1.1\r\nHost: c\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "PUT /v1/storages/files/objects/x HTTP/1.1\r\nHost: c\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "PUT /v1/storages/files/objects/x HTTP/1.1\r\nHost: c\r\nContent-Length: -1\r\n\r\n",
        "PUT /v1/storages/files/objects/x HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /v1/health HTTP/1.1\r\nHost : c\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n",
    ])
    func nonsenseIsRefusedAndTheHostLivesOn(text: String) throws {
        try withHost(sampleStorages) { host in
            let rude = try RawConnection(host.socket)
            rude.send(text)
            rude.finishSending()
            let answer = try rude.answer()
            #expect((400...505).contains(answer.status), "\(answer.status)")
            #expect(answer.field("content-type") == "application/problem+json")
            let good = try RawConnection(host.socket)
            #expect(try good.request("GET", "/v1/health").status == 200)
            #expect(try good.keys("files") == [])
        }
    }

    @Test func aHeadWithoutEndIsRefused() throws {
        try withHost(sampleStorages) { host in
            let rude = try RawConnection(host.socket)
            rude.send("GET /v1/health HTTP/1.1\r\nHost: c\r\n")
            while rude.send("X-Filler: " + String(repeating: "x", count: 4000) + "\r\n") {
                if host.residentKilobytes ?? 0 > 200_000 { break }
            }
            let answer = try? rude.answer()
            #expect(answer == nil || answer?.status == 431)
            #expect(try RawConnection(host.socket).request("GET", "/v1/health").status == 200)
        }
    }

    @Test func clientsThatDawdleSlowNobodyElse() throws {
        try withHost(sampleStorages) { host in
            let good = try RawConnection(host.socket)
            try good.put("files", "big", String(repeating: "x", count: 4 << 20))
            let threads = host.threadCount
            // Half of them send a body and stop, half of them ask for one and do not read it.
            let slow = try (0..<256).map { index in
                let connection = try RawConnection(host.socket)
                if index % 2 == 0 {
                    connection.send(
                        "PUT /v1/storages/files/objects/s\(index) HTTP/1.1\r\nHost: c\r\nContent-Length: 100\r\n\r\nx"
                    )
                } else {
                    connection.send("GET /v1/storages/files/objects/big HTTP/1.1\r\nHost: c\r\n\r\n")
                }
                return connection
            }
            for number in 0..<200 {
                try good.put("files", "fast-\(number)", "y")
                #expect(try good.get("files", "fast-\(number)") == "y")
                for index in stride(from: 0, to: 256, by: 2) where number < 20 { slow[index].send("x") }
            }
            #expect(host.threadCount < threads + 100, "\(host.threadCount) threads")
            #expect(isSanitized || host.residentKilobytes ?? 0 < 200_000)
            #expect(try good.keys("files", "?prefix=s") == [])
            for index in stride(from: 1, to: 256, by: 64) {
                #expect(try slow[index].answer().body.count == 4 << 20)
            }
        }
    }
}
