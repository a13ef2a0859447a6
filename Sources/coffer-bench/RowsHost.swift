// The host as a whole: slow neighbours, memory, start, switch, and the command beside it.
import CofferSystem
import Glibc
import Synchronization

extension Row {
    static let neighbours = Row("neighbours", "17 client threads and the host on any core") { bench in
        let host = try bench.host()
        try host.put("memory", "small", count: 1024)
        try host.put("slow", "small", count: 16)
        let isOver = Atomic<Bool>(false)
        let calls = Atomic<Int>(0)
        let failures = Atomic<Int>(0)
        let request = Request.get("/v1/storages/slow/stat/small")
        let path = host.socket
        let start = MonotonicTime.now
        let threads = try (0..<16).map { _ in
            try Thread.start(named: "slow") {
                do {
                    let connection = try PlainConnection(path)
                    while !isOver.load(ordering: .relaxed) {
                        try connection.exchange(request)
                        calls.add(1, ordering: .relaxed)
                    }
                } catch { failures.add(1, ordering: .relaxed) }
            }
        }
        let connection = try host.connect()
        let fast = Request.get("/v1/storages/memory/objects/small")
        let total = try connection.exchange(fast)
        var times: [Double] = []
        while MonotonicTime.now.nanoseconds - start.nanoseconds < 3_000_000_000 {
            times.append(try seconds { try connection.exchange(fast, total: total) } * 1e6)
        }
        isOver.store(true, ordering: .relaxed)
        let rate =
            Double(calls.load(ordering: .relaxed))
            / (Double(MonotonicTime.now.nanoseconds - start.nanoseconds) / 1e9)
        for thread in threads { thread.join() }
        guard failures.load(ordering: .relaxed) == 0 else { throw Trouble("a slow client failed") }
        times.sort()
        return [
            Line("fast GET beside 16 calls of 10 ms, p99", "µs", Figure([times.quantile(0.99)]), .atMost(250)),
            Line("rate of the slow calls", "%", Figure([rate / 16]), .atLeast(95)),
        ]
    }

    static let memory = Row("memory", "one client thread; resident memory as /proc tells it") { bench in
        let root = "\(bench.scratch)/bulk"
        let host = try BenchHost(
            bench,
            "memory-use",
            """
            storages:
              memory: {backend: memory}
              bulk: {backend: local, root: \(root), on_conflict: replace, durability: relaxed}

            """
        )
        func resident() -> Double { host.child.kilobytes("VmRSS") / 1024 }
        let idle = resident()
        var connections: [PlainConnection] = []
        for _ in 0..<1000 {
            let connection = try host.connect()
            try connection.exchange(Request.get("/v1/version"))
            connections.append(connection)
        }
        let crowded = resident() - idle
        connections = []
        let before = resident()
        host.child.forgetPeak()
        let size = bench.isFull ? 10 << 30 : 1 << 30
        let connection = try host.connect()
        let head = Array(
            "PUT /v1/storages/bulk/objects/bulk HTTP/1.1\r\nHost: b\r\nContent-Length: \(size)\r\n\r\n".utf8
        )
        let piece = [UInt8](repeating: 0x5A, count: 1 << 20)
        try connection.send(head)
        for _ in 0..<size >> 20 { try connection.send(piece) }
        _ = try connection.receiveAnswer()
        try connection.exchange(Request.get("/v1/storages/bulk/objects/bulk"))
        let grown = host.child.kilobytes("VmHWM") / 1024 - before
        unlink("\(root)/bulk")
        return [
            Line("host, idle", "MiB", Figure([idle]), .atMost(20)),
            Line("more with 1,000 idle connections", "MiB", Figure([crowded]), .atMost(16)),
            Line("more at the peak of put and get of \(size >> 30) GiB", "MiB", Figure([grown]), .atMost(16)),
        ]
    }

    static let start = Row("start", "any core; until the first answer") { bench in
        let names = (0..<10).map { "s\($0)" }
        let lines = names.enumerated().map { index, name in
            index < 5
                ? "  \(name): {backend: local, root: \(bench.scratch)/\(name)}\n" : "  \(name): {backend: memory}\n"
        }
        let figures = try interleaved(
            9,
            [
                Party("ours") { try BenchHost(bench, "start", "storages:\n" + lines.joined()).startTime }
            ]
        )
        return [Line("host start with 10 storages", "ms", figures[0], .atMost(60))]
    }

    static let profileSwitch = Row("switch", "any core; another client asks for the version all the time") { bench in
        let storages = (0..<100).map { "  s\($0): {backend: local}\n" }.joined()
        let host = try BenchHost(
            bench,
            "switch",
            """
            profile: a
            backends: {local: {root: \(bench.scratch)/switch-a}}
            profiles:
              a: {}
              b: {backends: {local: {root: \(bench.scratch)/switch-b}}}
            storages:
              memory: {backend: memory}

            """ + storages
        )
        let isOver = Atomic<Bool>(false)
        let worst = Atomic<Int64>(0)
        let path = host.socket
        let thread = try Thread.start(named: "steady") {
            guard let connection = try? PlainConnection(path) else { return }
            let request = Request.get("/v1/version")
            while !isOver.load(ordering: .relaxed) {
                let start = MonotonicTime.now
                guard (try? connection.exchange(request)) != nil else { return worst.store(.max, ordering: .relaxed) }
                worst.max(MonotonicTime.now.nanoseconds - start.nanoseconds, ordering: .relaxed)
            }
        }
        let connection = try host.connect()
        var profile = "a"
        let figures = try interleaved(
            9,
            [
                Party("ours") {
                    profile = profile == "a" ? "b" : "a"
                    let request = Request.post("/v1/profiles/\(profile)/activate")
                    return try seconds { try connection.exchange(request) } * 1000
                }
            ]
        )
        isOver.store(true, ordering: .relaxed)
        thread.join()
        let delay = Double(worst.load(ordering: .relaxed)) / 1e6
        return [
            Line("profile switch with 100 storages", "ms", figures[0], .atMost(50)),
            Line("the longest that another request took meanwhile", "ms", Figure([delay]), .atMost(10)),
        ]
    }

    static let command = Row("command", "any core; the whole process") { bench in
        let host = try bench.host()
        try host.put("memory", "small", count: 1024)
        let output = "\(bench.scratch)/command"
        let words = ["\(bench.build)/coffer", "--socket", host.socket, "stat", "memory:small"]
        // Started by a small process: a child's peak begins with that of its parent.
        try runToEnd(["/proc/self/exe", "run-often", "30"] + words, output: output)
        let fields = (wholeText(output) ?? "").split(whereSeparator: \.isWhitespace).compactMap { Double(String($0)) }
        guard fields.count == 31 else { throw Trouble("coffer stat does not run") }
        return [
            Line("coffer stat as a process", "ms", Figure(Array(fields.dropLast())), .atMost(10)),
            Line("its memory at its peak", "MiB", Figure([fields[30] / 1024]), .atMost(12)),
        ]
    }

    /// Runs a program `count` times; prints the milliseconds of each and the KiB of the largest.
    static func runOften(_ count: Int, _ words: [String]) throws {
        var peak = 0
        for _ in 0..<count {
            let start = MonotonicTime.now
            let (status, usage) = try ChildProcess(words).wait()
            guard status == 0 else { throw Trouble("\(words[0]) ended with status \(status)") }
            print(Double(MonotonicTime.now.nanoseconds - start.nanoseconds) / 1e6, terminator: " ")
            peak = max(peak, usage.ru_maxrss)
        }
        print(peak)
    }
}
