import CofferHTTP
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

@Suite struct SlowClientTests {
    @Test func manyClientsThatSendAByteAtATimeHoldNoThread() throws {
        let tally = Tally()
        let handler = ScriptedHandler { request, _ in
            guard request.method == "PUT" else { return .response(HTTPResponse(status: 200)) }
            return .receive(Collector(tally: tally) { body, _ in HTTPResponse(status: 201, body: .bytes(body)) })
        }
        try withServer(handler, { $0.maxThreads = 16 }) { server in
            let slow = try (0..<256).map { _ in try server.connect() }
            let text = Array("abcd".utf8)
            for client in slow { try client.send("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n") }
            // All are parked: none holds one of the 16 threads.
            #expect(eventually { server.server.metrics.parked == 256 })
            let fast = try server.connect()
            for (index, byte) in text.enumerated() {
                for client in slow { try client.send([byte]) }
                try fast.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try fast.response()?.status == 200)
                #expect(tally.wait(for: "bytes", 256 * (index + 1)))
            }
            for client in slow { #expect(try client.response()?.text == "abcd") }
            #expect(server.server.metrics.threads <= 16)
            #expect(tally.count("abort") == 0)
        }
    }

    @Test func headsByteByByteHoldNoThread() throws {
        try withServer(EchoHandler(), { $0.maxThreads = 2 }) { server in
            let slow = try (0..<32).map { _ in try server.connect() }
            let fast = try server.connect()
            for byte in Array("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n".utf8) {
                for client in slow { try client.send([byte]) }
                try fast.send("GET /fast HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try fast.response()?.text == "GET /fast ")
            }
            for client in slow { #expect(try client.response()?.text == "GET /slow ") }
        }
    }

    @Test func clientsThatDoNotReadHoldNoThreadAndMissNothing() throws {
        let tally = Tally()
        let size = 3 << 20
        try withTemporaryDirectory { directory in
            let file = try makeFile("\(directory)/file", byte: 0x66, count: size)
            let handler = ScriptedHandler { request, _ in
                let body: HTTPBody =
                    switch request.target {
                    case "/bytes": .bytes([UInt8](repeating: 0x62, count: size))
                    case "/file": .file(file, offset: 0, length: Int64(size))
                    case "/known": .stream(length: Int64(size), Repeating(0x6B, count: size, tally: tally))
                    case "/chunked": .stream(length: nil, Repeating(0x63, count: size, piece: 70_000, tally: tally))
                    default: .bytes([])
                    }
                return .response(HTTPResponse(status: 200, body: body))
            }
            try withServer(handler, { $0.maxThreads = 4 }) { server in
                let slow = try ["/bytes", "/file", "/known", "/chunked"].flatMap { target in
                    try (0..<3).map { _ in
                        let client = try server.connect()
                        try client.send("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n")
                        return (target, client)
                    }
                }
                #expect(eventually { server.server.metrics.parked == 12 })
                let fast = try server.connect()
                try fast.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try fast.response()?.status == 200)
                for (target, client) in slow {
                    let body = try #require(try client.response()).body
                    let expected = [UInt8](repeating: target.utf8.dropFirst().first ?? 0, count: size)
                    #expect(body.count == size && memcmp(body, expected, size) == 0)
                    try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                    #expect(try client.response()?.status == 200)
                }
                #expect(tally.count("close") == 6)
                #expect(server.server.metrics.parked == 0)
            }
        }
    }

    @Test func blockedHandlersDoNotBlockOthers() throws {
        let latch = Latch()
        let handler = ScriptedHandler { request, _ in
            if request.target == "/slow" { latch.pass() }
            return .response(HTTPResponse(status: 200))
        }
        try withServer(handler) { server in
            let fast = try server.connect()
            let slow = try (0..<40).map { _ in try server.connect() }
            for client in slow { try client.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n") }
            #expect(latch.waitForArrivals(40))
            for _ in 0..<100 {
                try fast.send("GET /fast HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try fast.response()?.status == 200)
            }
            latch.open()
            for client in slow { #expect(try client.response()?.status == 200) }
        }
    }

    @Test func aClientThatNeverFinishesItsHeadIsToldAndClosed() throws {
        try withServer(EchoHandler(), { $0.headTimeout = 40 }) { server in
            let client = try server.connect()
            try client.send("GET / HTTP/1.1\r\nHos")
            #expect(try client.response()?.status == 408)
            #expect(try client.isAtEnd())
        }
    }

    @Test func aBodyThatStopsIsAbortedOnce() throws {
        let tally = Tally()
        let handler = ScriptedHandler { _, _ in .receive(Collector(tally: tally) { _, _ in HTTPResponse(status: 200) })
        }
        try withServer(handler, { $0.bodyTimeout = 40 }) { server in
            let client = try server.connect()
            try client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
            #expect(try client.response()?.status == 408)
            #expect(tally.count("abort") == 1 && tally.count("finish") == 0)
        }
    }

    @Test func anIdleConnectionIsClosedAfterItsTime() throws {
        try withServer(EchoHandler(), { $0.idleTimeout = 40 }) { server in
            let client = try server.connect()
            #expect(try client.isAtEnd())
            #expect(eventually { server.server.metrics.connections == 0 })
        }
    }
}

/// A file of `count` bytes.
func makeFile(_ path: String, byte: UInt8, count: Int) throws -> Descriptor {
    let number = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard number >= 0 else { throw SystemError("create \(path)", number: errno) }
    let descriptor = Descriptor(owning: number)
    let bytes = [UInt8](repeating: byte, count: count)
    guard write(number, bytes, count) == count else { throw SystemError("write \(path)", number: errno) }
    return descriptor
}
