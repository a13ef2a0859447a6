import CofferSystem
import Synchronization

/// Answers.
extension Worker {
    /// How far bytes got.
    enum Written {
        case done
        /// The client takes nothing now.
        case blocked
        case failed
    }

    /// Up to here a file is read and sent with the head in one message instead of by sendfile.
    private static let smallFile: Int64 = 64 << 10
    /// Pieces of a stream, and of one whose client is slow.
    private static let piece = 256 << 10
    private static let slowPiece = 32 << 10
    /// Room for a chunk's size before it, so that a chunk goes out in one piece.
    private static let chunkPrefix = 8

    /// Sends an answer, and goes on to the next request if it can.
    func send(_ connection: Connection, _ response: HTTPResponse) -> Next {
        let exchange = connection.exchange
        let framing = ResponseFraming(
            status: response.status,
            bodyLength: response.body.length,
            isHead: exchange.isHead,
            isOld: exchange.isOld,
            keepsAlive: mayKeep(connection, response),
            isOmitted: response.body.isOmitted
        )
        connection.exchange.keepsAlive = framing.keepsAlive
        output.removeAll()
        ResponseHeadWriter.write(response, framing, isOld: exchange.isOld, date: &date, to: output)
        guard framing.sendsBody else {
            if case .stream(_, let source) = response.body { source.close() }
            return sendHead(connection, Transmission())
        }
        switch response.body {
        case .omitted: return sendHead(connection, Transmission())
        case .bytes(let body): return sendBytes(connection, body)
        case .passing(let descriptor): return sendHead(connection, Transmission(attached: descriptor))
        case .file(let file, let offset, let length) where length <= Self.smallFile:
            return sendSmallFile(connection, file, offset, Int(length))
        case .file(let file, let offset, let length):
            return sendHead(connection, Transmission(rest: .file(file, offset: offset, left: length)))
        case .stream(let length, let source):
            let rest = Transmission.Rest.stream(source, left: length, isChunked: framing.length == .chunked)
            // A stream that nobody knows the length of may be waiting for something to happen: its head goes first.
            guard length != nil else { return sendHead(connection, Transmission(rest: rest)) }
            return pump(connection, Transmission(rest: rest), head: output.count)
        }
    }

    private func mayKeep(_ connection: Connection, _ response: HTTPResponse) -> Bool {
        let exchange = connection.exchange
        guard exchange.keepsAlive, !server.isStopping.load(ordering: .relaxed) else { return false }
        if !exchange.body.isFinished {
            // Asked to wait for `100 Continue`, it may send the body all the same or not at all: nobody can tell.
            if exchange.owesContinue { return false }
            if let left = exchange.body.remaining, left - Int64(input.count) > server.configuration.drainLimit {
                return false
            }
        }
        guard !response.headers.isEmpty, let wish = response.headers["connection"] else { return true }
        return !wish.utf8.elementsEqual("close".utf8)
    }

    private func sendBytes(_ connection: Connection, _ body: [UInt8]) -> Next {
        var sent = 0
        let head = output.count
        let written = body.withUnsafeBytes { write(connection, output.bytes, $0, sent: &sent) }
        switch written {
        case .done: return finish(connection)
        case .failed: return lose(connection)
        case .blocked:
            guard sent >= head else {
                return stall(connection, Transmission(ready: rest(from: sent), rest: .bytes(body)))
            }
            return stall(connection, Transmission(ready: body, sent: sent - head))
        }
    }

    private func sendSmallFile(_ connection: Connection, _ file: Descriptor, _ offset: Int64, _ length: Int) -> Next {
        output.reserve(length)
        let room = UnsafeMutableRawBufferPointer(rebasing: output.room[..<length])
        // A file that is shorter than announced breaks the connection before a byte of it is sent.
        guard let got = try? file.read(into: room, at: offset), got == length else { return lose(connection) }
        output.advance(by: length)
        return sendHead(connection, Transmission())
    }

    /// Sends what is in the output, then the rest of the transmission.
    private func sendHead(_ connection: Connection, _ transmission: Transmission) -> Next {
        var transmission = transmission
        var sent = 0
        if case .file = transmission.rest { tune(connection) }
        switch write(connection, output.bytes, attaching: transmission.attached, sent: &sent) {
        case .done:
            transmission.attached = nil
            if case .none = transmission.rest { return finish(connection) }
            return sendRest(connection, transmission)
        case .failed: return abandon(connection, transmission)
        case .blocked:
            transmission.ready = rest(from: sent)
            if sent > 0 { transmission.attached = nil }
            return stall(connection, transmission)
        }
    }

    /// Goes on with an answer that was parked.
    func transmit(_ connection: Connection, _ transmission: Transmission) -> Next {
        var transmission = transmission
        if transmission.sent < transmission.ready.count {
            var sent = 0
            let attached = transmission.attached
            let written = transmission.ready.withUnsafeBytes { ready in
                let unsent = UnsafeRawBufferPointer(rebasing: ready[transmission.sent...])
                return write(connection, unsent, attaching: attached, sent: &sent)
            }
            transmission.sent += sent
            if sent > 0 { transmission.attached = nil }
            switch written {
            case .done: break
            case .failed: return abandon(connection, transmission)
            case .blocked: return stall(connection, transmission)
            }
        }
        transmission.ready = []
        transmission.sent = 0
        return sendRest(connection, transmission)
    }

    private func sendRest(_ connection: Connection, _ transmission: Transmission) -> Next {
        switch transmission.rest {
        case .none: return finish(connection)
        case .bytes(let body): return transmit(connection, Transmission(ready: body))
        case .file(let file, let offset, let left): return sendFile(connection, file, offset, left)
        case .stream:
            output.removeAll()
            return pump(connection, transmission, head: 0)
        }
    }

    private func sendFile(_ connection: Connection, _ file: Descriptor, _ offset: Int64, _ left: Int64) -> Next {
        var offset = offset
        var left = left
        while left > 0 {
            let transfer = Socket.sendFile(
                connection.socket.number,
                from: file.number,
                offset: &offset,
                length: Int(min(left, 1 << 20))
            )
            switch transfer {
            case .moved(0), .failed: return lose(connection)  // Shorter than announced, or the client is gone.
            case .moved(let count):
                left -= Int64(count)
                noteSent(connection, count)
            case .wouldBlock:
                guard connection.patience.wait(connection.socket.number, .writable) else {
                    return stall(connection, Transmission(rest: .file(file, offset: offset, left: left)))
                }
            }
        }
        return finish(connection)
    }

    /// Pulls a stream and sends it, piece by piece; `head` bytes of the output go before the first.
    private func pump(_ connection: Connection, _ transmission: Transmission, head: Int) -> Next {
        guard case .stream(let source, var left, let isChunked) = transmission.rest else { return finish(connection) }
        let size = connection.patience.isSpent ? Self.slowPiece : Self.piece
        var head = head
        while left != 0 {
            output.reserve(size + 32)
            if isChunked { output.advance(by: Self.chunkPrefix) }
            let room = UnsafeMutableRawBufferPointer(rebasing: output.room[..<Int(min(Int64(size), left ?? .max))])
            var span = room.mutableBytes
            guard let count = source.read(into: &span), count >= 0 && count <= room.count else {
                return abandon(connection, transmission)
            }
            var start = 0
            if count == 0 {
                guard left == nil else { return abandon(connection, transmission) }
                left = 0
                if isChunked {
                    output.removeAll()
                    output.append("0\r\n\r\n")
                }
            } else {
                output.advance(by: count)
                if isChunked { start = frameChunk(count) }
                left = left.map { $0 - Int64(count) }
            }
            var sent = 0
            let bytes = UnsafeRawBufferPointer(rebasing: output.bytes[start...])
            let written = write(connection, bytes, sent: &sent)
            let rest = Transmission.Rest.stream(source, left: left, isChunked: isChunked)
            switch written {
            case .done: break
            case .failed: return abandon(connection, Transmission(rest: rest))
            case .blocked:
                return stall(connection, Transmission(ready: self.rest(from: start + sent), rest: rest))
            }
            output.removeAll()
            head = 0
        }
        if head > 0 {  // An empty stream of a known length: only the head is to be sent.
            source.close()
            return sendHead(connection, Transmission())
        }
        source.close()
        return finish(connection)
    }

    /// Writes a chunk's size right before it and the line's end after it; says where the chunk starts.
    private func frameChunk(_ count: Int) -> Int {
        output.append("\r\n")
        var at = Self.chunkPrefix - 1
        output.base.storeBytes(of: 0x0A, toByteOffset: at, as: UInt8.self)
        at -= 1
        output.base.storeBytes(of: 0x0D, toByteOffset: at, as: UInt8.self)
        var rest = count
        while rest > 0 {
            at -= 1
            let digit = UInt8(rest & 15)
            output.base.storeBytes(of: digit < 10 ? 0x30 + digit : 0x57 + digit, toByteOffset: at, as: UInt8.self)
            rest >>= 4
        }
        return at
    }

    // MARK: - Steps

    /// Decides what comes after an answer that is sent.
    private func finish(_ connection: Connection) -> Next {
        endWork(connection)
        let exchange = connection.exchange
        if !exchange.body.isFinished && !exchange.owesContinue {
            if !exchange.keepsAlive { Socket.finishSending(connection.socket.number) }
            return discard(connection, left: server.configuration.drainLimit)
        }
        if exchange.keepsAlive { return .head }
        // Closing a Unix socket takes nothing from the peer as long as nothing of its own is unread.
        guard connection.peer == nil || !input.isEmpty || exchange.owesContinue else { return .closed }
        return part(connection, left: server.configuration.drainLimit)
    }

    private func abandon(_ connection: Connection, _ transmission: Transmission) -> Next {
        transmission.abandon()
        return lose(connection)
    }

    private func stall(_ connection: Connection, _ transmission: Transmission) -> Next {
        let deadline = MonotonicTime.now.advanced(milliseconds: server.configuration.bodyTimeout)
        return park(connection, .sending(transmission), until: deadline)
    }

    private func rest(from sent: Int) -> [UInt8] {
        [UInt8](UnsafeRawBufferPointer(rebasing: output.bytes[sent...]))
    }

    /// Sends two pieces, waiting for the client as long as its patience lasts.
    func write(
        _ connection: Connection,
        _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        attaching descriptor: Descriptor? = nil,
        sent: inout Int
    ) -> Written {
        var descriptor = descriptor
        let total = first.count + second.count
        while sent < total {
            let transfer: Transfer
            if sent < first.count {
                let unsent = UnsafeRawBufferPointer(rebasing: first[sent...])
                transfer = Socket.send(connection.socket.number, unsent, second, attaching: descriptor)
            } else {
                let unsent = UnsafeRawBufferPointer(rebasing: second[(sent - first.count)...])
                transfer = Socket.send(connection.socket.number, unsent)
            }
            switch transfer {
            case .moved(let count):
                sent += count
                descriptor = nil
                noteSent(connection, count)
            case .wouldBlock:
                guard connection.patience.wait(connection.socket.number, .writable) else { return .blocked }
            case .failed: return .failed
            }
        }
        return .done
    }

    private func noteSent(_ connection: Connection, _ count: Int) {
        connection.patience.note(moved: count)
        server.counters.sent.add(count, ordering: .relaxed)
    }

    /// Prepares the socket for sendfile, which cannot be told to return at once in any other way.
    private func tune(_ connection: Connection) {
        guard !connection.isTuned else { return }
        connection.isTuned = true
        Socket.setNonBlocking(connection.socket.number, true)
        Socket.setSendBuffer(connection.socket.number, bytes: 1 << 20)
    }
}

extension HTTPBody {
    /// How many bytes it has; nil where nobody knows.
    fileprivate var length: Int64? {
        switch self {
        case .bytes(let bytes): Int64(bytes.count)
        case .file(_, _, let length), .omitted(let length): length
        case .stream(let length, _): length
        case .passing: 0
        }
    }

    fileprivate var isOmitted: Bool {
        if case .omitted = self { return true }
        return false
    }
}
