// The client of all HTTP measurements: it sends bytes that are ready and reads no more of an answer than its length.
import CofferSystem
import Glibc

/// A blocking connection that does as little as a client can, so that what is measured is the server.
final class PlainConnection {
    let socket: Descriptor
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)

    init(_ path: String) throws { socket = try Socket.connect(path: path) }

    deinit { buffer.deallocate() }

    /// Sends `request` and reads its answer, which has `total` bytes where that is known; says how many it had.
    @discardableResult
    func exchange(_ request: [UInt8], total: Int? = nil) throws -> Int {
        try send(request)
        return try receiveAnswer(total: total)
    }

    func send(_ request: [UInt8], attaching file: Descriptor? = nil) throws {
        var sent = 0
        while sent < request.count {
            let transfer = request.withUnsafeBytes {
                Socket.send(
                    socket.number,
                    UnsafeRawBufferPointer(rebasing: $0[sent...]),
                    attaching: sent == 0 ? file : nil,
                    waits: true
                )
            }
            guard case .moved(let count) = transfer else { throw Trouble("the server went away") }
            sent += count
        }
    }

    /// Reads an answer; with `total` no byte of its head is looked at but its status.
    func receiveAnswer(total: Int? = nil) throws -> Int {
        var total = total
        var got = 0
        var filled = 0
        while got < total ?? .max {
            let count = recv(socket.number, buffer.baseAddress.map { $0 + filled }, buffer.count - filled, 0)
            guard count > 0 else { throw Trouble("the server broke off") }
            got += count
            if got == count || total == nil {
                filled += count
                if got == count { try checkStatus() }
                if total == nil { total = Answer.length(UnsafeRawBufferPointer(rebasing: buffer[..<filled])) }
            }
            // What follows the head is only counted, and overwrites itself.
            if total != nil { filled = 0 }
        }
        return got
    }

    private func checkStatus() throws {
        guard buffer[9] == UInt8(ascii: "2") else {
            throw Trouble("the server answered \(String(decoding: buffer[..<min(buffer.count, 400)], as: UTF8.self))")
        }
    }

    /// Reads an answer in chunks to its end, and says how many bytes came; `body` sees each piece.
    func receiveChunked(_ body: (UnsafeRawBufferPointer) -> Void) throws -> Int {
        var total = 0
        var tail: [UInt8] = []
        while !tail.elementsEqual("\r\n0\r\n\r\n".utf8) {
            let count = recv(socket.number, buffer.baseAddress, buffer.count, 0)
            guard count > 0 else { throw Trouble("the server broke off") }
            if total == 0 { try checkStatus() }
            total += count
            body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            tail = (tail + buffer[max(0, count - 7)..<count]).suffix(7)
        }
        return total
    }

    /// Reads the head of an answer without a body, and what came attached to it.
    func receiveDescriptor() throws -> Descriptor {
        var attached: Descriptor?
        var isTruncated = false
        let transfer = Socket.receive(
            socket.number,
            into: buffer,
            attached: &attached,
            isTruncated: &isTruncated,
            waits: true
        )
        guard case .moved(let count) = transfer, count > 0 else { throw Trouble("the server broke off") }
        try checkStatus()
        guard let attached else { throw Trouble("no descriptor came") }
        return attached
    }
}

/// Requests as bytes.
enum Request {
    static func get(_ target: String, _ fields: String...) -> [UInt8] {
        bytes("GET", target, fields, [])
    }

    static func put(_ target: String, _ fields: [String] = [], body: [UInt8]) -> [UInt8] {
        bytes("PUT", target, fields + ["Content-Length: \(body.count)"], body)
    }

    static func post(_ target: String, _ fields: [String] = [], body: String = "") -> [UInt8] {
        bytes("POST", target, fields + ["Content-Length: \(body.utf8.count)"], Array(body.utf8))
    }

    private static func bytes(_ method: String, _ target: String, _ fields: [String], _ body: [UInt8]) -> [UInt8] {
        let lines = ["\(method) \(target) HTTP/1.1", "Host: bench"] + fields + ["", ""]
        return Array(lines.joined(separator: "\r\n").utf8) + body
    }
}

/// Answers as bytes.
enum Answer {
    /// How long the answer is that `bytes` begin, head and body; nil while its head is not complete.
    static func length(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard let end = place(of: "\r\n\r\n", in: bytes) else { return nil }
        let head = UnsafeRawBufferPointer(rebasing: bytes[..<end])
        guard var at = place(of: "ontent-Length: ", in: head) else { return end }
        var length = 0
        while bytes[at] >= 0x30, bytes[at] <= 0x39 {
            length = length * 10 + Int(bytes[at] - 0x30)
            at += 1
        }
        return end + length
    }

    /// Where `bytes` go on behind the first `word`.
    private static func place(of word: StaticString, in bytes: UnsafeRawBufferPointer) -> Int? {
        let length = word.utf8CodeUnitCount
        guard let base = bytes.baseAddress, bytes.count >= length else { return nil }
        for start in 0...bytes.count - length where memcmp(base + start, word.utf8Start, length) == 0 {
            return start + length
        }
        return nil
    }
}
