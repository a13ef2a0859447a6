import CofferHTTP
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

@Suite struct ShutdownTests {
    private func makeServer(_ handler: any HTTPHandler, _ directory: String) throws -> (HTTPServer, UnixListener) {
        let listener = try UnixListener.listen(path: "\(directory)/s")
        let server = try HTTPServer(handler: handler, listeners: [listener.descriptor])
        try server.start()
        return (server, listener)
    }

    @Test func requestsInFlightAreFinishedAndIdleConnectionsClosed() throws {
        let latch = Latch()
        let tally = Tally()
        let handler = ScriptedHandler { request, _ in
            if request.target == "/slow" { latch.pass() }
            return .response(HTTPResponse(status: 200))
        }
        try withTemporaryDirectory { directory in
            let (server, listener) = try makeServer(handler, directory)
            defer { listener.close() }
            let idle = RawClient(try Socket.connect(path: listener.path))
            try idle.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try idle.response()?.status == 200)
            let busy = RawClient(try Socket.connect(path: listener.path))
            try busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(latch.waitForArrivals(1))
            let stopper = try Thread.start(named: "stopper") {
                tally.note(server.shutdown(deadline: .now.advanced(milliseconds: 20_000)) ? "clean" : "cut")
            }
            #expect(try idle.isAtEnd())
            #expect(tally.count("clean") == 0)
            latch.open()
            let response = try #require(try busy.response())
            #expect(response.status == 200 && response.headers["connection"] == "close")
            stopper.join()
            #expect(tally.count("clean") == 1)
            #expect(server.metrics.connections == 0 && server.metrics.threads == 0)
        }
    }

    @Test func whatIsLeftAtTheDeadlineIsCancelled() throws {
        let tally = Tally()
        let handler = ScriptedHandler { _, cancellation in
            tally.note("called")
            _ = Socket.poll(cancellation.descriptor, .readable, milliseconds: 20_000)
            tally.note(cancellation.isCancelled ? "cancelled" : "late")
            return .response(HTTPResponse(status: 200))
        }
        try withTemporaryDirectory { directory in
            let (server, listener) = try makeServer(handler, directory)
            defer { listener.close() }
            let client = RawClient(try Socket.connect(path: listener.path))
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(tally.wait(for: "called"))
            #expect(!server.shutdown(deadline: .now))
            #expect(tally.count("cancelled") == 1)
            #expect(server.metrics.connections == 0 && server.metrics.threads == 0)
        }
    }

    @Test func aParkedUploadIsAbortedAtTheDeadline() throws {
        let tally = Tally()
        let handler = ScriptedHandler { _, _ in .receive(Collector(tally: tally) { _, _ in HTTPResponse(status: 200) })
        }
        try withTemporaryDirectory { directory in
            let (server, listener) = try makeServer(handler, directory)
            defer { listener.close() }
            let client = RawClient(try Socket.connect(path: listener.path))
            try client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
            #expect(eventually { server.metrics.parked == 1 })
            #expect(!server.shutdown(deadline: .now))
            #expect(tally.count("abort") == 1)
        }
    }

    @Test func aServerLeavesNothingBehind() throws {
        weak var remains: HTTPServer?
        try withTemporaryDirectory { directory in
            let (server, listener) = try makeServer(EchoHandler(), directory)
            remains = server
            let clients = try (0..<20).map { _ in RawClient(try Socket.connect(path: listener.path)) }
            for client in clients {
                try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try client.response()?.status == 200)
            }
            #expect(server.metrics.connections == 20)
            #expect(server.shutdown(deadline: .now.advanced(milliseconds: 20_000)))
            #expect(server.metrics.threads == 0 && server.metrics.connections == 0)
            listener.close()
            #expect(access(listener.path, F_OK) != 0)
        }
        // Its threads are joined, and with them went all that they held.
        #expect(remains == nil)
    }
}
