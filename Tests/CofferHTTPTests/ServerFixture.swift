import CofferHTTP
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

/// Runs `body` against a server with `handler` on a fresh Unix socket; it is shut down afterwards.
func withServer<R>(
    _ handler: any HTTPHandler,
    _ configure: (inout HTTPServer.Configuration) -> Void = { _ in },
    _ body: (RunningServer) throws -> R
) throws -> R {
    try withTemporaryDirectory { directory in
        let listener = try UnixListener.listen(path: "\(directory)/http.sock")
        defer { listener.close() }
        var configuration = HTTPServer.Configuration()
        configure(&configuration)
        let server = try HTTPServer(
            handler: handler,
            listeners: [listener.descriptor],
            configuration: configuration
        )
        try server.start()
        let running = RunningServer(path: listener.path, server: server)
        defer { _ = server.shutdown(deadline: .now.advanced(milliseconds: running.shutdownMilliseconds)) }
        return try body(running)
    }
}

/// A server and where it listens.
final class RunningServer {
    let path: String
    let server: HTTPServer
    var shutdownMilliseconds = 5000

    init(path: String, server: HTTPServer) {
        self.path = path
        self.server = server
    }

    func connect() throws -> RawClient { RawClient(try Socket.connect(path: path)) }
}

/// A client that sends what it is told and understands just enough.
final class RawClient {
    private(set) var socket: Descriptor?
    private var buffer: [UInt8] = []
    /// Descriptors that came with answers.
    var descriptors: [Descriptor] = []

    init(_ socket: Descriptor) {
        self.socket = socket
        // A test that waits for what never comes ends with an error instead of hanging.
        Socket.setReceiveTimeout(socket.number, milliseconds: 20_000)
    }

    var number: Int32 { socket?.number ?? -1 }

    func close() { socket = nil }

    func send(_ text: String, attaching descriptor: Descriptor? = nil) throws {
        try send(Array(text.utf8), attaching: descriptor)
    }

    func send(_ bytes: [UInt8], attaching descriptor: Descriptor? = nil) throws {
        try bytes.withUnsafeBytes { bytes in
            var sent = 0
            while sent < bytes.count {
                let unsent = UnsafeRawBufferPointer(rebasing: bytes[sent...])
                switch Socket.send(number, unsent, attaching: sent == 0 ? descriptor : nil, waits: true) {
                case .moved(let count): sent += count
                case .wouldBlock: continue
                case .failed(let error): throw SystemError("send", number: error)
                }
            }
        }
    }

    /// Sends as much as fits without waiting; returns how much that was.
    func sendWhatFits(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes { bytes in
            var sent = 0
            while sent < bytes.count,
                case .moved(let count) = Socket.send(number, UnsafeRawBufferPointer(rebasing: bytes[sent...]))
            {
                sent += count
            }
            return sent
        }
    }

    /// Reads what comes next; false at the end.
    private func fill() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        var attached: Descriptor?
        var isTruncated = false
        let transfer = chunk.withUnsafeMutableBytes {
            Socket.receive(number, into: $0, attached: &attached, isTruncated: &isTruncated, waits: true)
        }
        if let attached { descriptors.append(attached) }
        switch transfer {
        case .moved(0): return false
        case .moved(let count):
            buffer += chunk[..<count]
            return true
        case .wouldBlock: throw SystemError("receive in time", number: ETIMEDOUT)
        case .failed(ECONNRESET): return false
        case .failed(let error): throw SystemError("receive", number: error)
        }
    }

    /// The next answer, whole; nil when the connection ends instead.
    func response(isHead: Bool = false) throws -> RawResponse? {
        while true {
            guard let end = buffer.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound else {
                guard try fill() else { return nil }
                continue
            }
            let lines = String(decoding: buffer[..<(end - 4)], as: UTF8.self).split(separator: "\r\n")
            var response = RawResponse(status: Int(lines[0].split(separator: " ")[1]) ?? 0)
            for line in lines.dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                response.headers[parts[0].lowercased()] = parts[1].drop { $0 == " " }.description
            }
            buffer.removeFirst(end)
            if response.status == 100 { return response }
            if !isHead { try readBody(of: &response) }
            return response
        }
    }

    private func readBody(of response: inout RawResponse) throws {
        if let length = response.headers["content-length"].flatMap({ Int($0) }) {
            while buffer.count < length {
                guard try fill() else {
                    response.isCut = true
                    response.body = buffer
                    buffer = []
                    return
                }
            }
            response.body = Array(buffer[..<length])
            buffer.removeFirst(length)
        } else if response.headers["transfer-encoding"] == "chunked" {
            var decoder = ChunkedDecoder()
            while true {
                let input = buffer
                buffer = []
                var position = 0
                while true {
                    let step = try input.withUnsafeBytes { try decoder.next($0, from: &position) }
                    if case .data(let range) = step { response.body += input[range] }
                    if step == .finished {
                        buffer = Array(input[position...])
                        return
                    }
                    if step == .needsMore { break }
                }
                guard try fill() else {
                    response.isCut = true
                    return
                }
            }
        } else if response.headers["connection"] == "close" && response.status != 204 && response.status != 304 {
            while try fill() {}
            response.body = buffer
            buffer = []
        }
    }

    /// Whether the server has closed, once everything it sent is read.
    func isAtEnd() throws -> Bool { buffer.isEmpty ? try !fill() : false }
}

/// An answer as it came.
struct RawResponse {
    var status: Int
    var headers: [String: String] = [:]
    var body: [UInt8] = []
    /// The connection ended before the body did.
    var isCut = false

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A point that threads pass once it is open.
final class Latch: Sendable {
    private let state = Monitor((isOpen: false, waiting: 0))

    func open() {
        state.withLock { $0.isOpen = true }
        state.broadcast()
    }

    /// Waits until it is open; false when that takes unreasonably long.
    @discardableResult
    func pass() -> Bool {
        state.withLock { $0.waiting += 1 }
        state.broadcast()
        return state.wait(until: .now.advanced(milliseconds: 20_000)) { $0.isOpen ? true : nil } ?? false
    }

    /// Waits until so many threads have come to it.
    func waitForArrivals(_ count: Int) -> Bool {
        state.wait(until: .now.advanced(milliseconds: 20_000)) { $0.waiting >= count ? true : nil } ?? false
    }
}

/// Counts what happens, and lets a test wait for it.
final class Tally: Sendable {
    private let counts = Monitor([String: Int]())

    func note(_ event: String, _ count: Int = 1) {
        counts.withLock { $0[event, default: 0] += count }
        counts.broadcast()
    }

    func count(_ event: String) -> Int { counts.withLock { $0[event, default: 0] } }

    func wait(for event: String, _ count: Int = 1) -> Bool {
        counts.wait(until: .now.advanced(milliseconds: 20_000)) { $0[event, default: 0] >= count ? true : nil } ?? false
    }
}

/// Waits for what the server's metrics will say; the only way to see what no handler sees.
func eventually(_ isTrue: () -> Bool) -> Bool {
    let deadline = MonotonicTime.now.advanced(milliseconds: 20_000)
    while !isTrue() {
        if deadline < .now { return false }
        sched_yield()
    }
    return true
}

/// How many descriptors this process has open.
func openDescriptors() -> Int {
    guard let directory = opendir("/proc/self/fd") else { return -1 }
    defer { closedir(directory) }
    var count = 0
    while readdir(directory) != nil { count += 1 }
    return count
}
