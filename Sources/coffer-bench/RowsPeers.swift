// Other ways to the same end: rclone's remote control, and the libraries opendal and obstore.
import CofferSystem
import Glibc

extension Row {
    static let rclone = Row("rclone", "client and server on the same core, one kept connection") { bench in
        let host = try bench.host()
        _ = try bench.file("small", size: 1024)
        let peer = try PlainConnection(try bench.peer("rclone"))
        let connection = try host.connect()
        func call(_ name: String, _ body: String) -> [UInt8] {
            Request.post("/\(name)", ["Content-Type: application/json"], body: body)
        }
        let noop = call("rc/noop", "{}")
        let stat = call("operations/stat", #"{"fs":"\#(bench.files)","remote":"small"}"#)
        return try Cores.together([host.child.process] + bench.process(of: "rclone")) {
            let figures = try interleaved(
                7,
                [
                    Party("noop of rclone") { try Load.latency(peer, noop, count: 500) },
                    Party("version") { try Load.latency(connection, Request.get("/v1/version"), count: 500) },
                    Party("stat of rclone") { try Load.latency(peer, stat, count: 500) },
                    Party("stat") {
                        try Load.latency(connection, Request.get("/v1/storages/files/stat/small"), count: 500)
                    },
                ]
            )
            return [
                Line("GET /v1/version, p50", "µs", figures[1], against: ("rc/noop", figures[0]), .ratioAtMost(1.0 / 6)),
                Line("stat, p50", "µs", figures[3], against: ("operations/stat", figures[2]), .ratioAtMost(1.0 / 5)),
            ]
        }
    }

    static let libraries = Row("libraries", "any core; a Python process for the libraries, the plain client for ours") {
        bench in
        let host = try bench.host()
        _ = try bench.file("small", size: 1024)
        let driver = try LineConnection(try bench.peer("libraries"))
        let connection = try host.connect()
        let body = [UInt8](repeating: 0x5A, count: 4096)
        let get = Request.get("/v1/storages/files/objects/small")
        let put = Request.put("/v1/storages/files/objects/put", body: body)
        func ask(_ what: String) -> Party { Party(what) { try driver.ask("\(what) 300") } }
        let figures = try interleaved(
            5,
            [
                ask("opendal get"), ask("obstore get"),
                Party("ours get") { try Load.latency(connection, get, count: 300) },
                ask("opendal put"), ask("obstore put"),
                Party("ours put") { try Load.latency(connection, put, count: 300, isChange: true) },
            ]
        )
        return [
            Line("GET 1 KiB from local, p50", "µs", figures[2], against: ("opendal in Python, fs", figures[0])),
            Line("the same", "µs", figures[2], against: ("obstore in Python, local", figures[1])),
            Line("PUT 4 KiB to local, relaxed, sha256, p50", "µs", figures[5], against: ("opendal, syncs", figures[3])),
            Line("the same", "µs", figures[5], against: ("obstore, does not sync", figures[4])),
        ]
    }
}

/// A peer that takes a line and answers with a number.
private final class LineConnection {
    private let socket: Descriptor

    init(_ path: String) throws { socket = try Socket.connect(path: path) }

    func ask(_ line: String) throws -> Double {
        let bytes = Array((line + "\n").utf8)
        guard Glibc.send(socket.number, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw Trouble("the driver of the libraries went away")
        }
        var answer = [UInt8](repeating: 0, count: 100)
        let count = recv(socket.number, &answer, answer.count, 0)
        guard count > 1, let value = Double(String(decoding: answer[..<(count - 1)], as: UTF8.self)) else {
            throw Trouble("the driver of the libraries broke off")
        }
        return value
    }
}
