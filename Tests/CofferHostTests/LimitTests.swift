// Bounds: what one storage, one lane or one crowd of clients may take from the others.
import CofferJSON
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

@Suite struct LimitTests {
    /// Sends `count` requests, each on a connection of its own, and does not wait for answers.
    private func ask(_ host: HostProcess, _ count: Int, _ head: String) throws -> [RawConnection] {
        try (0..<count).map { _ in
            let connection = try RawConnection(host.socket)
            connection.send(head + " HTTP/1.1\r\nHost: c\r\n\r\n")
            return connection
        }
    }

    @Test func aStorageThatStandsStillStopsNobodyElse() throws {
        let text = """
            storages:
              slow: { backend: fault, on_conflict: replace, plan: ["read_open stall=600000"], timeout: 600s }
              fast: { backend: memory, on_conflict: replace }

            """
        try withHost(text) { host in
            let good = try RawConnection(host.socket)
            try good.put("slow", "k", "v")
            try good.put("fast", "k", "v")
            let blocked = try ask(host, 200, "GET /v1/storages/slow/objects/k")
            for number in 0..<300 {
                // Neither another storage, nor what is no transfer in the same one.
                #expect(try good.get("fast", "k") == "v")
                try good.put("fast", "k\(number % 10)", "w")
                #expect(try good.request("GET", "/v1/storages/slow/stat/k").status == 200)
                #expect(try good.request("GET", "/v1/health").status == 200)
            }
            let waiting = blocked.count { poll($0, 0) == nil }
            #expect(waiting == 200)
            for connection in blocked { connection.hangUp() }
        }
    }

    /// The answer that is there already; nil if none is.
    private func poll(_ connection: RawConnection, _ milliseconds: Int32) -> RawConnection.Answer? {
        connection.hasAnswer(within: milliseconds) ? try? connection.answer() : nil
    }

    @Test func latencyOfOneStorageIsNotThatOfAnother() throws {
        let text = """
            storages:
              slow: { backend: fault, on_conflict: replace, latency: 30ms }
              fast: { backend: memory, on_conflict: replace }

            """
        try withHost(text) { host in
            let socket = host.socket
            let isOver = Locked(false)
            let counts = try onThreads(33) { index -> Int in
                let connection = try RawConnection(socket)
                if index == 0 {
                    try connection.put("fast", "k", "v")
                    for _ in 0..<400 { #expect(try connection.get("fast", "k") == "v") }
                    isOver.withLock { $0 = true }
                    return 400
                }
                var count = 0
                while !isOver.withLock({ $0 }) {
                    #expect(try connection.request("GET", "/v1/storages/slow/objects/k").status == 404)
                    count += 1
                }
                return count
            }
            // In the time of 400 fast requests, a client of the slow storage gets an answer each 30 ms at best.
            #expect(counts.dropFirst().allSatisfy { $0 < 400 }, "\(counts)")
        }
    }

    @Test func aPluginThatTakesOneCallAtATimeHoldsTwoThreadsAndNoMore() throws {
        let text = """
            limits: { threads: 64, queue: 3 }
            storages: { slow: { backend: tiny, misbehave: wait, timeout: 600s } }

            """
        try withLinkingHost(text, flags: ["-DTHREADS=COFFER_THREADS_SERIAL_INSTANCE"]) { host, good in
            let asked = try ask(host, 12, "GET /v1/storages/slow/health")
            // One is in the store, one waits for it, three wait without a thread, and seven are told to come again.
            var refused = 0
            for connection in asked where connection.hasAnswer(within: 0) || refused < 7 {
                guard connection.hasAnswer(within: 100) else { continue }
                #expect(try connection.answer().status == 503)
                refused += 1
            }
            #expect(refused == 7)
            #expect(try good.request("GET", "/v1/health").status == 200)
            for connection in asked { connection.hangUp() }
        }
    }

    @Test func anIdleConnectionIsClosedInTheTimeThatTheConfigurationSays() throws {
        try withHost("limits: { idle_timeout: 100ms }\nstorages: { m: { backend: memory } }\n") { host in
            let connection = try RawConnection(host.socket)
            #expect(try connection.request("GET", "/v1/health").status == 200)
            let start = MonotonicTime.now
            #expect(connection.hasAnswer(within: 20_000), "the host keeps it")
            #expect(throws: RawConnection.Broken.self) { _ = try connection.answer() }
            #expect(MonotonicTime.now.nanoseconds - start.nanoseconds >= 90_000_000)
        }
    }

    @Test func aFullQueueIsSaidAndNothingElseIsHurt() throws {
        let text = """
            limits: { queue: 2 }
            storages:
              slow:
                { backend: fault, plan: ["read_open stall=600000", "stat stall=600000 key=held"], timeout: 600s, concurrency: 1 }
              fast: { backend: memory, on_conflict: replace }

            """
        try withHost(text) { host in
            let good = try RawConnection(host.socket)
            let asked = try ask(host, 8, "GET /v1/storages/slow/objects/k")
            // One is served, two wait, and five are told to come again.
            var refused = 0
            for connection in asked where connection.hasAnswer(within: 0) || refused < 5 {
                guard connection.hasAnswer(within: 100) else { continue }
                let answer = try connection.answer()
                #expect(answer.status == 503)
                #expect(answer.field("retry-after") == "1")
                #expect(answer.field("content-type") == "application/problem+json")
                refused += 1
            }
            #expect(refused == 5)
            // Another spelling of the name is the same storage.
            let spelled = try good.request("GET", "/v1/storages/sl%6Fw/objects/k")
            #expect(spelled.status == 503, "\(spelled.status)")
            // The connection is kept, and the other lane of the storage is free.
            #expect(try good.request("GET", "/v1/storages/slow/stat/free").status == 404)
            try good.put("fast", "k", "v")
            for connection in asked { connection.hangUp() }
        }
    }

    /// Each change makes room for five requests more: to be handled, or to wait.
    @Test(arguments: [
        ("queue: 1, calls_per_storage: 9", "concurrency: 1", "queue: 1, calls_per_storage: 9", "concurrency: 6"),
        ("queue: 1, calls_per_storage: 1", "prefix: p", "queue: 1, calls_per_storage: 6", "prefix: p"),
        ("queue: 1, calls_per_storage: 1", "prefix: p", "queue: 6, calls_per_storage: 1", "prefix: p"),
    ])
    func aReloadChangesTheBounds(_ limits: String, _ own: String, _ nextLimits: String, _ nextOwn: String) throws {
        func text(_ limits: String, _ own: String) -> String {
            """
            limits: { \(limits) }
            storages:
              slow: { backend: fault, plan: ["read_open stall=600000"], timeout: 600s, \(own) }

            """
        }
        try withHost(text(limits, own)) { host in
            let connection = try RawConnection(host.socket)
            // One is served, one waits, and whichever comes last is told to come again.
            let first = try ask(host, 3, "GET /v1/storages/slow/objects/k")
            #expect(try eventually { first.contains { $0.hasAnswer(within: 0) } })
            try host.write(configuration: text(nextLimits, nextOwn))
            #expect(try connection.request("POST", "/v1/reload").status == 200)
            // Five more places, and the one that waits keeps waiting or takes one of them.
            let more = try ask(host, 5, "GET /v1/storages/slow/objects/k")
            #expect(more.allSatisfy { !$0.hasAnswer(within: 20) })
            let last = try ask(host, 1, "GET /v1/storages/slow/objects/k")
            #expect(last[0].hasAnswer(within: 10_000))
            #expect(try last[0].answer().status == 503)
            for connection in first + more { connection.hangUp() }
        }
    }

    @Test func oneConnectionTooManyIsToldSo() throws {
        try withHost("limits: { connections: 3 }\nstorages: { m: { backend: memory } }\n") { host in
            let kept = try (0..<3).map { _ in try RawConnection(host.socket) }
            for connection in kept { #expect(try connection.request("GET", "/v1/health").status == 200) }
            let refused = try RawConnection(host.socket)
            let answer = try refused.answer()
            #expect(answer.status == 503)
            #expect(answer.field("retry-after") != nil)
            #expect(try answer.code() == "unavailable")
            #expect(try refused.isClosedByPeer())
            kept[0].hangUp()
            let isFree = try eventually {
                let next = try RawConnection(host.socket)
                return try next.request("GET", "/v1/health").status == 200
            }
            #expect(isFree)
            #expect(try kept[1].request("GET", "/metrics").text.contains("coffer_connections_refused_total"))
        }
    }
}
