// The least of an HTTP/1.1 client that the host needs: one connection on its socket, one exchange at a time.

import CofferPluginSDK
import Glibc

/// A request: its head, and a body where it is known beforehand.
struct HostRequest {
    let method: String
    let target: String
    var fields: [(name: String, value: String)] = []
    var body: [UInt8]?

    init(_ method: String, _ target: String) {
        self.method = method
        self.target = target
    }

    /// What goes onto the wire.
    var bytes: [UInt8] {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: coffer\r\n"
        for field in fields { head += "\(field.name): \(field.value)\r\n" }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        return Array((head + "\r\n").utf8) + (body ?? [])
    }

    /// Adds a field whose value a caller made up.
    mutating func add(_ name: String, _ value: String) throws(BackendError) {
        guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw BackendError(.invalidArgument, "a value of \(name) holds a control character")
        }
        fields.append((name, value))
    }
}

/// The head of an answer.
struct AnswerHead {
    var status = 0
    var fields: [(name: String, value: String)] = []

    /// The value of a field, by its lower-case name.
    subscript(name: String) -> String? { fields.first { $0.name == name }?.value }

    var isSuccess: Bool { status >= 200 && status < 300 }
    var keepsConnection: Bool { self["connection"] != "close" }
}

/// One connection to the host; every wait ends with the call.
final class HostConnection {
    private enum Body {
        case length(UInt64)
        /// Bytes left of the chunk; nil before its size has been read.
        case chunks(left: UInt64?)
    }

    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var start = 0
    private var body = Body.length(0)

    init(socket path: String) throws(BackendError) {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let result = withUnixAddress(path) { connect(descriptor, $0, $1) }
        guard descriptor >= 0, result == 0 else {
            throw BackendError(.unavailable, "the host does not answer on \(path)", native: errno)
        }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit { close(descriptor) }

    /// Whether the host has neither closed it nor said anything that nobody asked for.
    var isQuiet: Bool {
        var byte: UInt8 = 0
        return start == buffer.count && recv(descriptor, &byte, 1, Int32(MSG_PEEK)) < 0 && errno == EAGAIN
    }

    // MARK: Sending

    /// Sends all of `bytes`; false if the host answers before it has taken them.
    func send(_ bytes: [UInt8], _ call: Call) throws(BackendError) -> Bool {
        try bytes.span.bytes.withUnsafeBytes { all throws(BackendError) in try send(all, call) }
    }

    func send(_ bytes: UnsafeRawBufferPointer, _ call: Call) throws(BackendError) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let events = try wait(for: POLLOUT | POLLIN, call)
            if events & (POLLIN | POLLHUP) != 0 { return false }
            let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
            let count = Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            // A connection that broke may still hold the answer that says why.
            guard count >= 0 || errno == EAGAIN || errno == EINTR else { return false }
            sent += max(0, count)
        }
        return true
    }

    /// Waits for something to happen on the socket, or for the call to end.
    private func wait(for events: Int32, _ call: Call) throws(BackendError) -> Int32 {
        let cancellation = call.cancellationDescriptor ?? -1
        while true {
            try call.check()
            var waiting = [
                pollfd(fd: descriptor, events: Int16(events), revents: 0),
                pollfd(fd: cancellation, events: Int16(POLLIN), revents: 0),
            ]
            // A short wait, since a deadline may pass.
            if poll(&waiting, 2, 100) > 0, waiting[0].revents != 0 { return Int32(waiting[0].revents) }
        }
    }

    // MARK: Receiving

    /// Reads the head of an answer; `100 Continue` is one of its own.
    func receiveHead(_ call: Call, hasBody: Bool) throws(BackendError) -> AnswerHead {
        var head = AnswerHead()
        let words = try line(call).split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw broken("an answer that is no HTTP")
        }
        head.status = status
        while true {
            let text = try line(call)
            if text.isEmpty { break }
            guard let colon = text.firstIndex(of: ":") else { throw broken("a field without a colon") }
            let value = text[text.index(after: colon)...].drop { $0 == " " }
            head.fields.append((text[..<colon].lowercased(), String(value)))
        }
        if !hasBody || status < 200 || status == 204 || status == 304 {
            body = .length(0)
        } else if head["transfer-encoding"] != nil {
            body = .chunks(left: nil)
        } else {
            guard let length = UInt64(head["content-length"] ?? "0") else { throw broken("no length") }
            body = .length(length)
        }
        return head
    }

    /// What is left of a body whose length was announced.
    var announced: UInt64? {
        if case .length(let length) = body { return length }
        return nil
    }

    /// Reads what is there of the body, and waits only where nothing is; 0 at its end.
    func receive(into target: UnsafeMutableRawBufferPointer, _ call: Call) throws(BackendError) -> Int {
        switch body {
        case .length(let left):
            guard left > 0 else { return 0 }
            let count = try take(into: target, most: left, call)
            body = .length(left - UInt64(count))
            return count
        case .chunks(left: nil):
            let text = try line(call)
            guard let size = UInt64(text.prefix { $0 != ";" }, radix: 16) else {
                throw broken("a chunk without a size")
            }
            if size == 0 {
                var trailer = try line(call)
                while !trailer.isEmpty { trailer = try line(call) }
                body = .length(0)
                return 0
            }
            body = .chunks(left: size)
            return try receive(into: target, call)
        case .chunks(let left?):
            let count = try take(into: target, most: left, call)
            if left == UInt64(count) {
                guard try line(call).isEmpty else { throw broken("a chunk without an end") }
                body = .chunks(left: nil)
            } else {
                body = .chunks(left: left - UInt64(count))
            }
            return count
        }
    }

    /// All of the body.
    func receiveAll(_ call: Call) throws(BackendError) -> [UInt8] {
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            var span = part.mutableSpan
            var room = span.mutableBytes
            let count = try room.withUnsafeMutableBytes { bytes throws(BackendError) in
                try receive(into: bytes, call)
            }
            if count == 0 { return all }
            all += part[..<count]
        }
    }

    private func take(
        into target: UnsafeMutableRawBufferPointer,
        most: UInt64,
        _ call: Call
    ) throws(BackendError) -> Int {
        if start == buffer.count { try fill(call) }
        let count = min(target.count, buffer.count - start, Int(clamping: most))
        target.copyBytes(from: buffer[start..<start + count])
        start += count
        return count
    }

    private func line(_ call: Call) throws(BackendError) -> String {
        while true {
            if let end = buffer[start...].firstIndex(of: 0x0A) {
                let text = buffer[start..<end].last == 0x0D ? buffer[start..<end - 1] : buffer[start..<end]
                start = end + 1
                return String(decoding: text, as: UTF8.self)
            }
            try fill(call)
        }
    }

    private func fill(_ call: Call) throws(BackendError) {
        buffer.removeFirst(start)
        start = 0
        var part = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            _ = try wait(for: POLLIN, call)
            let count = recv(descriptor, &part, part.count, 0)
            if count < 0 && (errno == EAGAIN || errno == EINTR) { continue }
            guard count > 0 else { throw broken("an answer that ends early") }
            buffer += part[..<count]
            return
        }
    }

    private func broken(_ what: String) -> BackendError { BackendError(.corrupt, "the host gave \(what)") }
}
