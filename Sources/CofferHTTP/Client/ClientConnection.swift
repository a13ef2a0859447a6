package import CofferSystem
import Glibc
import Synchronization

/// A client's end of one connection: requests out, answers in, one at a time.
///
///     idle ──sendHead──▶ sending ──receiveHead──▶ receiving ──last byte──▶ idle
///       └──────────────────── failure, cancel, early answer ─────────────▶ closed
///
/// Everything blocks. One thread at a time may use it, but ``cancel()`` may come from any thread.
/// Unchecked because of that contract: `buffer` and what follows it are the using thread's.
package final class ClientConnection: @unchecked Sendable {
    private let socket: Descriptor
    private let isCancelled = Atomic<Bool>(false)
    private var buffer = [UInt8](repeating: 0, count: 16 << 10)
    private var unread = 0..<0
    private var framing = Framing.none
    /// Whether the whole request went out; without that, the connection cannot serve another.
    private var isRequestComplete = true
    private var keepsAlive = true

    /// Whether a byte of the current answer has come.
    package private(set) var hasAnswerBegun = false
    /// What came attached to the current answer's head.
    package private(set) var descriptor: Descriptor?

    private enum Framing {
        case none
        case remaining(Int64)
        case chunked(ChunkedDecoder)
        case untilClosed
    }

    /// Takes over a connected socket.
    package init(_ socket: Descriptor) { self.socket = socket }

    /// Ends whatever is going on; whoever waits in here gets ``ClientFailure/cancelled``.
    package func cancel() {
        isCancelled.store(true, ordering: .releasing)
        Socket.shutDown(socket.number)
    }

    /// Whether it may serve another request: the last answer was read to its end and the host still listens.
    package var isReusable: Bool {
        guard isRequestComplete, keepsAlive, unread.isEmpty, !isCancelled.load(ordering: .acquiring),
            case .none = framing
        else { return false }
        // Anything to read now is an end, or bytes that nobody asked for.
        return Socket.poll(socket.number, .readable, milliseconds: 0).isEmpty
    }

    // MARK: Sending

    /// Begins a request by sending `head`, and as much of a body as is known already.
    package func sendHead(
        _ head: [UInt8],
        _ body: [UInt8] = [],
        attaching descriptor: Descriptor? = nil
    ) throws(ClientFailure) {
        hasAnswerBegun = false
        self.descriptor = nil
        isRequestComplete = false
        framing = .none
        let failure = head.withUnsafeBytes { head in
            body.withUnsafeBytes { body in sendAll(head, body, attaching: descriptor) }
        }
        if let failure { throw failure }
    }

    /// Sends `bytes` of the body; false when the host answered meanwhile, and then ``receiveHead(method:)`` must follow.
    package func send(_ bytes: UnsafeRawBufferPointer) throws(ClientFailure) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let ready = Socket.poll(socket.number, [.readable, .writable], milliseconds: -1)
            if ready.contains(.readable) { return false }
            switch Socket.send(socket.number, rest) {
            case .moved(let count): rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            case .wouldBlock: continue
            // The answer that explains it may lie in our buffer.
            case .failed(EPIPE), .failed(ECONNRESET): return false
            case .failed(let number): throw failure(number)
            }
        }
        return true
    }

    /// Says that the whole request was sent.
    package func finishRequest() { isRequestComplete = true }

    private func sendAll(
        _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer,
        attaching descriptor: Descriptor?
    ) -> ClientFailure? {
        var first = first
        var second = second
        var attached = descriptor
        while !first.isEmpty || !second.isEmpty {
            switch Socket.send(socket.number, first, second, attaching: attached, waits: true) {
            case .moved(let count):
                attached = nil
                let ofFirst = min(count, first.count)
                first = UnsafeRawBufferPointer(rebasing: first[ofFirst...])
                second = UnsafeRawBufferPointer(rebasing: second[(count - ofFirst)...])
            case .wouldBlock: continue
            // A host that refuses early closes while we send: its answer, or its silence, tells more than the error.
            case .failed(EPIPE), .failed(ECONNRESET): return nil
            case .failed(let number): return failure(number)
            }
        }
        return nil
    }

    // MARK: Receiving

    /// The head of the answer to a request by `method`; interim answers are passed over.
    package func receiveHead(method: String) throws(ClientFailure) -> ResponseHead {
        while true {
            let bytes = try receiveHeadBytes()
            guard let head = ResponseHead(parsing: bytes) else { throw .malformed("the head of the answer") }
            if head.status >= 100 && head.status < 200 && head.status != 101 { continue }
            switch head.bodyLength(method: method) {
            case .exactly(0): framing = .none
            case .exactly(let length): framing = .remaining(length)
            case .chunked:
                framing = .chunked(ChunkedDecoder())
                if buffer.count < 64 << 10 { buffer += repeatElement(0, count: 48 << 10) }
            case .untilClosed:
                framing = .untilClosed
                keepsAlive = false
            case nil: throw .malformed("the framing of the answer")
            }
            if !head.keepsAlive { keepsAlive = false }
            return head
        }
    }

    /// Everything up to the empty line, which is taken too.
    private func receiveHeadBytes() throws(ClientFailure) -> ArraySlice<UInt8> {
        var scanned = 0
        while true {
            if let end = endOfHead(from: scanned) {
                let head = buffer[unread.lowerBound..<end.head]
                unread = end.next..<unread.upperBound
                return head
            }
            scanned = max(0, unread.count - 3)
            guard unread.count < 64 << 10 else { throw .malformed("a head of more than 64 KiB") }
            try fill()
        }
    }

    private func endOfHead(from offset: Int) -> (head: Int, next: Int)? {
        var index = unread.lowerBound + offset
        while index < unread.upperBound {
            guard let feed = buffer[index..<unread.upperBound].firstIndex(of: 0x0A) else { return nil }
            if feed + 1 < unread.upperBound, buffer[feed + 1] == 0x0A { return (feed, feed + 2) }
            if feed + 2 < unread.upperBound, buffer[feed + 1] == 0x0D, buffer[feed + 2] == 0x0A {
                return (feed, feed + 3)
            }
            index = feed + 1
        }
        return nil
    }

    /// Reads bytes of the answer's body into `target` and says how many; 0 only at its end.
    package func readBody(into target: UnsafeMutableRawBufferPointer) throws(ClientFailure) -> Int {
        while true {
            switch framing {
            case .none:
                return 0
            case .remaining(let left):
                let count = try take(into: target, limit: left)
                guard count > 0 else { throw .closedInAnswer }
                framing = Int64(count) == left ? .none : .remaining(left - Int64(count))
                return count
            case .untilClosed:
                let count = try take(into: target, limit: .max)
                if count == 0 { framing = .none }
                return count
            case .chunked(var decoder):
                if unread.isEmpty { try fill() }
                let count = try takeChunk(into: target, &decoder)
                if count > 0 { return count }
            }
        }
    }

    /// Bytes of the next chunk that are in the buffer; 0 where only framing was, or at the end of the body.
    private func takeChunk(
        into target: UnsafeMutableRawBufferPointer,
        _ decoder: inout ChunkedDecoder
    ) throws(ClientFailure) -> Int {
        // Never more of the input than fits the target, since each byte is given to the decoder once.
        let input = unread.prefix(target.count)
        var position = 0
        var count = 0
        let fault = buffer.withUnsafeBytes { bytes in
            let piece = UnsafeRawBufferPointer(rebasing: bytes[input])
            do throws(HTTPFault) {
                switch try decoder.next(piece, from: &position) {
                case .data(let range):
                    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: piece[range]))
                    count = range.count
                    framing = .chunked(decoder)
                case .needsMore: framing = .chunked(decoder)
                case .finished: framing = .none
                }
                return nil as HTTPFault?
            } catch {
                return error
            }
        }
        if let fault { throw .malformed("a chunk of the answer: \(fault.reason)") }
        unread = (unread.lowerBound + position)..<unread.upperBound
        return count
    }

    // MARK: Bytes

    /// Up to `limit` bytes, from the buffer or past it; 0 at the end of the connection.
    private func take(into target: UnsafeMutableRawBufferPointer, limit: Int64) throws(ClientFailure) -> Int {
        let wanted = Int(min(limit, Int64(target.count)))
        guard wanted > 0 else { return 0 }
        if unread.isEmpty {
            return try receive(into: UnsafeMutableRawBufferPointer(rebasing: target[..<wanted]))
        }
        let count = min(wanted, unread.count)
        buffer.withUnsafeBytes { bytes in
            target.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[unread.lowerBound..<unread.lowerBound + count])
            )
        }
        unread = (unread.lowerBound + count)..<unread.upperBound
        return count
    }

    /// Adds what comes to the buffer; an end is a failure here.
    private func fill() throws(ClientFailure) {
        if unread.isEmpty {
            unread = 0..<0
        } else if unread.upperBound == buffer.count {
            if unread.lowerBound > 0 {
                buffer.removeSubrange(..<unread.lowerBound)
                unread = 0..<unread.count
            }
            buffer.append(contentsOf: repeatElement(0, count: 16 << 10))
        }
        let start = unread.upperBound
        let outcome = buffer.withUnsafeMutableBytes { bytes in
            Result { () throws(ClientFailure) in
                try receive(into: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
            }
        }
        let count = try outcome.get()
        guard count > 0 else { throw hasAnswerBegun ? .closedInAnswer : .closedBeforeAnswer }
        unread = unread.lowerBound..<(start + count)
    }

    private func receive(into target: UnsafeMutableRawBufferPointer) throws(ClientFailure) -> Int {
        var attached: Descriptor?
        var isTruncated = false
        switch Socket.receive(
            socket.number,
            into: target,
            attached: &attached,
            isTruncated: &isTruncated,
            waits: true
        ) {
        case .moved(let count):
            guard !isCancelled.load(ordering: .acquiring) else { throw .cancelled }
            if count > 0 { hasAnswerBegun = true }
            // The first one is the answer's; any other closes as it goes.
            if descriptor == nil { descriptor = attached }
            return count
        case .wouldBlock: return try receive(into: target)
        case .failed(ECONNRESET): throw hasAnswerBegun ? .closedInAnswer : .closedBeforeAnswer
        case .failed(let number): throw failure(number)
        }
    }

    private func failure(_ number: Int32) -> ClientFailure {
        isCancelled.load(ordering: .acquiring) ? .cancelled : .system(SystemError("talk to the host", number: number))
    }
}
