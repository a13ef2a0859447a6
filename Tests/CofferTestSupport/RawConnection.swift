import CofferSystem
import Glibc

/// A connection that says exactly what a test wants said, and reads answers without leniency.
public final class RawConnection {
    /// An answer.
    public struct Answer: Sendable {
        /// The status.
        public var status: Int
        /// The fields, names in lower case.
        public var fields: [(name: String, value: String)]
        /// The body, unchunked.
        public var body: [UInt8]
        /// The value of the first field of this name, in lower case.
        public func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
        /// The body as text.
        public var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// The connection ended or broke before an answer was complete.
    public struct Broken: Error, CustomStringConvertible {
        /// Where it broke.
        public let description: String
    }

    let descriptor: Int32
    private var held: [UInt8] = []
    /// The descriptors that came with answers and that nobody has taken yet.
    var received: [Int32] = []

    /// Connects to the Unix socket at `path`.
    public init(_ path: String) throws {
        descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let number = errno
            close(descriptor)
            throw Broken(description: "connect: \(String(cString: strerror(number)))")
        }
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        close(descriptor)
        for number in received { close(number) }
    }

    /// Sends bytes as they are; false if the other end is gone.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(descriptor, buffer.baseAddress.map { $0 + sent }, buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Sends text as it is.
    @discardableResult
    public func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Ends our half of the connection.
    public func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Whether something of an answer is there, or comes within so many milliseconds.
    public func hasAnswer(within milliseconds: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return !held.isEmpty || poll(&request, 1, milliseconds) == 1
    }

    /// Ends both halves: the host sees a client that is gone.
    public func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Sends a request and reads its answer.
    public func request(
        _ method: String,
        _ target: String,
        fields: [(String, String)] = [],
        body: [UInt8]? = nil
    ) throws -> Answer {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: coffer\r\n"
        for field in fields { head += "\(field.0): \(field.1)\r\n" }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        send(Array((head + "\r\n").utf8) + (body ?? []))
        return try answer(to: method)
    }

    /// Reads the next answer, interim ones (1xx) included unless `skipsInterim`.
    public func answer(to method: String = "GET", skipsInterim: Bool = true) throws -> Answer {
        while true {
            let head = try readHead()
            var answer = head
            if head.status < 200 {
                if skipsInterim { continue }
                return head
            }
            if method == "HEAD" || head.status == 204 || head.status == 304 { return head }
            if head.field("transfer-encoding")?.lowercased() == "chunked" {
                answer.body = try readChunks()
            } else if let length = head.field("content-length").flatMap({ Int($0) }) {
                answer.body = try take(length)
            } else {
                while try fill() {}
                answer.body = held
                held = []
            }
            return answer
        }
    }

    /// What came and belongs to no answer, or to one that broke off.
    public var heldText: String { String(decoding: held, as: UTF8.self) }

    /// Whether the other end closed the connection, once everything it sent was read.
    public func isClosedByPeer() throws -> Bool { try held.isEmpty && !fill() }

    private func readHead() throws -> Answer {
        let end: [UInt8] = [13, 10, 13, 10]
        var from = 0
        while true {
            if held.count >= 4 {
                for index in from...(held.count - 4) where held[index] == 13 && Array(held[index..<index + 4]) == end {
                    let lines = String(decoding: held[..<index], as: UTF8.self).split(separator: "\r\n")
                    held.removeFirst(index + 4)
                    let words = (lines.first ?? "").split(separator: " ")
                    guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
                        throw Broken(description: "bad status line: \(lines.first ?? "")")
                    }
                    let fields = lines.dropFirst().map { line -> (name: String, value: String) in
                        let parts = line.split(separator: ":", maxSplits: 1)
                        let value = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
                        return (parts[0].lowercased(), String(value))
                    }
                    return Answer(status: status, fields: fields, body: [])
                }
                from = max(0, held.count - 3)
            }
            guard try fill() else { throw Broken(description: "the connection ended in a head: \(held.count) bytes") }
        }
    }

    private func readChunks() throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let line: String
            do { line = try takeLine() } catch {
                held = body + held
                throw error
            }
            guard let size = Int(line.prefix { $0 != ";" }, radix: 16) else {
                throw Broken(description: "bad chunk size: \(line)")
            }
            if size == 0 {
                while try !takeLine().isEmpty {}
                return body
            }
            do { body += try take(size) } catch {
                held = body + held
                throw error
            }
            guard try takeLine().isEmpty else { throw Broken(description: "a chunk is longer than it says") }
        }
    }

    private func takeLine() throws -> String {
        while true {
            if let end = held.firstIndex(of: 10), end > 0, held[end - 1] == 13 {
                let line = String(decoding: held[..<(end - 1)], as: UTF8.self)
                held.removeFirst(end + 1)
                return line
            }
            guard try fill() else { throw Broken(description: "the connection ended in a chunked body") }
        }
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while held.count < count {
            guard try fill() else {
                throw Broken(description: "the connection ended after \(held.count) of \(count) bytes of a body")
            }
        }
        defer { held.removeFirst(count) }
        return Array(held[..<count])
    }

    /// Reads more; false at the end.
    private func fill() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 262_144)
        while true {
            let count = receive(into: &buffer)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw Broken(description: "recv: \(String(cString: strerror(errno)))") }
            held += buffer[..<count]
            return count > 0
        }
    }
}
