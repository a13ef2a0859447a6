// Writing: files handed over as descriptors, and small objects that must be safe.
import CLinux
import CofferSystem
import Glibc

extension Row {
    static let ingest = Row("ingest", "client and host on any core; XFS with reflink in a file") { bench in
        let folder = try bench.peer("reflink")
        let host = try BenchHost(
            bench,
            "ingest",
            """
            storages:
              bare: {backend: local, root: \(folder)/bare, on_conflict: replace, durability: relaxed, checksum: none}
              hashed: {backend: local, root: \(folder)/hashed, on_conflict: replace, durability: relaxed}

            """
        )
        let connection = try host.connect()
        return try [("64 MiB", 64 << 20, 0.5), ("1 GiB", 1 << 30, 2.0)].flatMap { name, size, limit in
            let path = "\(folder)/source-\(size)"
            try runToEnd(["cp", try bench.file(size == 1 << 30 ? "huge" : "large", size: size), path])
            let number = open(path, O_RDONLY)
            guard number >= 0 else { throw Trouble("\(path) cannot be opened") }
            let file = Descriptor(owning: number)
            func put(_ storage: String, _ count: Int) throws -> Double {
                let target = "/v1/storages/\(storage)/objects/taken-\(size)"
                let request = Request.put(target, ["Coffer-Fd: offset=0; length=\(size)"], body: [])
                let time = try seconds {
                    for _ in 0..<count {
                        try connection.send(request, attaching: file)
                        _ = try connection.receiveAnswer()
                    }
                }
                return time * 1000 / Double(count)
            }
            let figures = try interleaved(
                5,
                [
                    Party("copy_file_range") { try cloning(file, size, to: "\(folder)/clone") },
                    Party("ours") { try put("bare", 4) },
                    Party("hashed") { try put("hashed", 1) },
                ]
            )
            return [
                Line(
                    "PUT \(name) by descriptor, no digest",
                    "ms",
                    figures[1],
                    against: ("copy_file_range", figures[0]),
                    .atMost(limit)
                ),
                Line("the same with sha256", "ms", figures[2]),
            ]
        }
    }

    private static func cloning(_ file: Descriptor, _ size: Int, to path: String) throws -> Double {
        unlink(path)
        let number = creat(path, 0o600)
        guard number >= 0 else { throw Trouble("\(path) cannot be made") }
        let target = Descriptor(owning: number)
        return try seconds {
            var left = size
            lseek(file.number, 0, SEEK_SET)
            while left > 0 {
                let count = coffer_copy_range(target.number, file.number, left)
                guard count > 0 else { throw Trouble("copy_file_range fails") }
                left -= count
            }
        } * 1000
    }

    static let durable = Row("durable", "16 connections, driven by one thread; all on any core") { bench in
        let host = try bench.host()
        let folder = "\(bench.scratch)/loop"
        mkdir(folder, 0o700)
        let body = [UInt8](repeating: 0x5A, count: 4096)
        var serial = 0
        let figures = try interleaved(
            5,
            [
                Party("loop") {
                    let count = 100
                    let time = try seconds {
                        for index in 0..<count { try writeSafely(body, folder, "loop-\(index)") }
                    }
                    return Double(count) / time
                },
                Party("ours") {
                    try Load.rate(host.socket, connections: 16, seconds: 0.5) { connection in
                        serial += 1
                        return Request.put("/v1/storages/durable/objects/put-\(connection)-\(serial % 8)", body: body)
                    }
                },
            ]
        )
        return [
            Line(
                "PUT 4 KiB durable, 16 clients",
                "/s",
                figures[1],
                against: ("write, fsync, rename, fsync", figures[0]),
                .ratioAtLeast(3)
            )
        ]
    }

    /// What a careful program does alone: the bytes, their sync, the name, its sync.
    private static func writeSafely(_ body: [UInt8], _ folder: String, _ name: String) throws {
        let number = creat("\(folder)/\(name).new", 0o600)
        guard number >= 0, write(number, body, body.count) == body.count, fsync(number) == 0 else {
            throw Trouble("\(folder) cannot be written")
        }
        close(number)
        rename("\(folder)/\(name).new", "\(folder)/\(name)")
        let directory = open(folder, O_RDONLY | O_DIRECTORY)
        fsync(directory)
        close(directory)
    }
}
