// Reading: latency and rate of small objects, throughput of large ones.
import CofferSystem
import Glibc

private let exchanges = 3000
private let sameCore = "client and server on the same core, one kept connection"

extension Row {
    static let getMemory = Row("get-memory", sameCore) { bench in
        let host = try bench.host()
        try host.put("memory", "small", count: 1024)
        let floor = try PingPong(bench)
        let connection = try host.connect()
        let ping = try floor.connect()
        return try Cores.together([host.child.process, floor.child.process]) {
            let figures = try interleaved(
                9,
                [
                    Party("ping-pong") { try ping.latency(count: exchanges) },
                    Party("ours") { try Load.latency(connection, small("memory"), count: exchanges) },
                ]
            )
            return [
                Line(
                    "GET 1 KiB from memory, p50",
                    "µs",
                    figures[1],
                    against: ("ping-pong", figures[0]),
                    .ratioAtMost(1.5)
                )
            ]
        }
    }

    static let getLocal = Row("get-local", sameCore) { bench in
        let host = try bench.host()
        _ = try bench.file("small", size: 1024)
        let floor = try PingPong(bench)
        let nginx = try PlainConnection(try bench.peer("nginx"))
        let connection = try host.connect()
        let ping = try floor.connect()
        let processes = [host.child.process, floor.child.process] + bench.process(of: "nginx")
        return try Cores.together(processes) {
            let figures = try interleaved(
                9,
                [
                    Party("ping-pong") { try ping.latency(count: exchanges) },
                    Party("nginx") { try Load.latency(nginx, Request.get("/small"), count: exchanges) },
                    Party("ours") { try Load.latency(connection, small("files"), count: exchanges) },
                ]
            )
            return [
                Line(
                    "GET 1 KiB from local, p50",
                    "µs",
                    figures[2],
                    against: ("ping-pong", figures[0]),
                    .ratioAtMost(2.2)
                ),
                Line("the same", "µs", figures[2], against: ("nginx", figures[1]), .ratioAtMost(0.85)),
            ]
        }
    }

    static let connections = Row("connections", "the client's one thread on the last core, the servers on any") {
        bench in
        let host = try bench.host()
        _ = try bench.file("small", size: 1024)
        let nginx = try bench.peer("nginx")
        Cores.place(0, on: Cores.count - 1)
        defer { Cores.place(0, on: nil) }
        let figures = try interleaved(
            7,
            [
                Party("nginx") {
                    try Load.rate(nginx, connections: 64, seconds: 0.3) { _ in Request.get("/small") }
                },
                Party("ours") {
                    try Load.rate(host.socket, connections: 64, seconds: 0.3) { _ in small("files") }
                },
            ]
        )
        return [
            Line(
                "GET 1 KiB from local, 64 connections",
                "/s",
                figures[1],
                against: ("nginx", figures[0]),
                .ratioAtLeast(1.1)
            )
        ]
    }

    static let stream = Row("stream", "client and servers on any core") { bench in
        let host = try bench.host()
        let size = 64 << 20
        _ = try bench.file("large", size: size)
        try host.put("memory", "large", count: size)
        let nginx = try PlainConnection(try bench.peer("nginx"))
        let connection = try host.connect()
        func speed(_ connection: PlainConnection, _ request: [UInt8]) throws -> Double {
            let count = 4
            let time = try seconds { for _ in 0..<count { try connection.exchange(request) } }
            return Double(count * size) / time / 1e9
        }
        let figures = try interleaved(
            7,
            [
                Party("nginx") { try speed(nginx, Request.get("/large")) },
                Party("local") { try speed(connection, Request.get("/v1/storages/files/objects/large")) },
                Party("memory") { try speed(connection, Request.get("/v1/storages/memory/objects/large")) },
            ]
        )
        return [
            Line(
                "GET 64 MiB from local, streamed",
                "GB/s",
                figures[1],
                against: ("nginx", figures[0]),
                .ratioAtLeast(1.2)
            ),
            Line(
                "GET 64 MiB from memory, in buffers",
                "GB/s",
                figures[2],
                against: ("nginx", figures[0]),
                .ratioAtLeast(0.75)
            ),
        ]
    }

    static let descriptor = Row("descriptor", "client and host on any core; read through a buffer of 256 KiB") {
        bench in
        let host = try bench.host()
        let connection = try host.connect()
        let sizes = [("64 MiB", 64 << 20, "large", 4, 21), ("1 GiB", 1 << 30, "huge", 1, 7)]
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { buffer.deallocate() }
        func read(_ file: Descriptor) throws {
            var offset: Int64 = 0
            while true {
                let count = try file.read(into: buffer, at: offset)
                if count == 0 { return }
                offset += Int64(count)
            }
        }
        return try sizes.map { name, size, key, count, rounds in
            let path = try bench.file(key, size: size)
            let request = Request.get("/v1/storages/files/objects/\(key)", "Prefer: coffer-fd")
            let figures = try interleaved(
                rounds,
                [
                    Party("direct") {
                        let time = try seconds {
                            for _ in 0..<count {
                                let number = open(path, O_RDONLY)
                                guard number >= 0 else { throw Trouble("\(path) cannot be opened") }
                                try read(Descriptor(owning: number))
                            }
                        }
                        return Double(count * size) / time / 1e9
                    },
                    Party("ours") {
                        let time = try seconds {
                            for _ in 0..<count {
                                try connection.send(request)
                                try read(try connection.receiveDescriptor())
                            }
                        }
                        return Double(count * size) / time / 1e9
                    },
                ]
            )
            return Line(
                "GET \(name) by descriptor",
                "GB/s",
                figures[1],
                against: ("direct read", figures[0]),
                .ratioAtLeast(0.95)
            )
        }
    }

    private static func small(_ storage: String) -> [UInt8] { Request.get("/v1/storages/\(storage)/objects/small") }
}
