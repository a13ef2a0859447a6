// Listings of very many keys, and what they cost the host in memory.
import CofferSystem
import Glibc

extension Row {
    static let listMemory = Row("list-memory", "client and host on any core") { bench in
        let count = bench.isFull ? 1_000_000 : 200_000
        let host = try BenchHost(bench, "list-memory", "storages: {memory: {backend: memory, on_conflict: replace}}\n")
        var next = 0
        // Filled over several connections; the last few requests of them may not be answered, so they are repeated.
        let batch = (0..<64).map { $0 }
        let connections = try batch.map { _ in try host.connect() }
        while next < count {
            let end = min(count, next + connections.count)
            for index in next..<end {
                try connections[index - next].send(Request.put("/v1/storages/memory/objects/\(key(index))", body: [1]))
            }
            for index in next..<end { _ = try connections[index - next].receiveAnswer() }
            next = end
        }
        let connection = try host.connect()
        host.child.forgetPeak()
        let before = host.child.kilobytes("VmRSS")
        let figures = try interleaved(3, [Party("ours") { try listing(connection, "memory", count) }])
        let grown = max(0, host.child.kilobytes("VmHWM") - before) / 1024
        return [
            Line("list \(Line.number(Double(count))) keys from memory", "keys/s", figures[0], .atLeast(1.5e6)),
            Line("memory that it takes meanwhile", "MiB", Figure([grown]), .atMost(64)),
        ]
    }

    static let listLocal = Row("list-local", "client and host on any core; the tree is cached") { bench in
        let count = bench.isFull ? 1_000_000 : 200_000
        let root = "\(bench.scratch)/tree"
        try makeTree(root, count)
        let host = try BenchHost(bench, "list-local", "storages: {tree: {backend: local, root: \(root)}}\n")
        let connection = try host.connect()
        let figures = try interleaved(
            3,
            [
                Party("find") {
                    let time = try seconds { try runToEnd(["find", root, "-type", "f", "-printf", "%P %s %T@\\n"]) }
                    return Double(count) / time
                },
                Party("ours") { try listing(connection, "tree", count) },
            ]
        )
        return [
            Line(
                "list \(Line.number(Double(count))) keys from local",
                "keys/s",
                figures[1],
                against: ("find -printf", figures[0]),
                .ratioAtLeast(0.7)
            ),
            Line("host memory at its peak", "MiB", Figure([host.child.kilobytes("VmHWM") / 1024]), .atMost(64)),
        ]
    }

    private static func key(_ index: Int) -> String {
        "folder-\(1000 + index / 1000)/object-\(1000 + index % 1000).dat"
    }

    /// Keys a second; each answer must have all of them.
    private static func listing(_ connection: PlainConnection, _ storage: String, _ count: Int) throws -> Double {
        var lines = 0
        let time = try seconds {
            try connection.send(Request.get("/v1/storages/\(storage)/objects", "Accept: application/x-ndjson"))
            _ = try connection.receiveChunked { piece in
                var rest = piece
                while let base = rest.baseAddress, let end = memchr(base, 0x0A, rest.count) {
                    let next = UnsafeRawPointer(end) - base + 1
                    // A line of the listing ends with a brace; those of head and chunks do not.
                    if next > 1, rest[next - 2] == UInt8(ascii: "}") { lines += 1 }
                    rest = UnsafeRawBufferPointer(rebasing: rest[next...])
                }
            }
        }
        // A line that is cut between its brace and its end is not seen.
        guard lines > count - count / 100, lines <= count else {
            throw Trouble("the listing has \(lines) lines, not \(count)")
        }
        return Double(count) / time
    }

    private static func makeTree(_ root: String, _ count: Int) throws {
        mkdir(root, 0o700)
        for index in 0..<count {
            let path = "\(root)/\(key(index))"
            if index % 1000 == 0 { mkdir("\(root)/folder-\(1000 + index / 1000)", 0o700) }
            let number = creat(path, 0o600)
            guard number >= 0 else { throw Trouble("\(path) cannot be made") }
            close(number)
        }
    }
}
