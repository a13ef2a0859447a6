/// Takes chunks apart (RFC 9112, section 7.1), without any I/O.
///
///     size ──CRLF──▶ data ──last byte──▶ CRLF ──▶ size …
///       └──"0" CRLF──▶ trailers ──empty line──▶ finished
///
/// It may be given the input in pieces of any size; each byte is looked at once.
package struct ChunkedDecoder: Sendable {
    /// What comes next in the input.
    package enum Step: Sendable, Hashable {
        /// Bytes of the body, as a range of the input.
        case data(Range<Int>)
        /// All input is used up and the body is not at its end.
        case needsMore
        /// The body is complete; the trailers are those of ``ChunkedDecoder/trailers``.
        case finished
    }

    private enum State: Sendable {
        case size(UInt64, digits: Int)
        case afterSize(UInt64)
        case extra(UInt64)
        case sizeEnd(UInt64)
        case data(UInt64)
        case dataCR
        case dataLF
        case trailers
        case finished
    }

    private let trailerLimit: Int
    private let extraLimit: Int
    private var state = State.size(0, digits: 0)
    private var extra = 0
    private var trailerText: [UInt8] = []
    private var trailerLine = 0
    /// The fields after the last chunk, once it is finished.
    package private(set) var trailers = HTTPHeaders()

    /// `trailerLimit` bounds the bytes of all trailers, `extraLimit` those beside each chunk's size.
    package init(trailerLimit: Int = 16 << 10, extraLimit: Int = 4 << 10) {
        self.trailerLimit = trailerLimit
        self.extraLimit = extraLimit
    }

    /// Looks at the input from `position`, which moves on.
    package mutating func next(
        _ input: UnsafeRawBufferPointer,
        from position: inout Int
    ) throws(HTTPFault) -> Step {
        while position < input.count {
            switch state {
            case .data(let left):
                let count = Int(min(left, UInt64(input.count - position)))
                let range = position..<position + count
                position += count
                state = left == UInt64(count) ? .dataCR : .data(left - UInt64(count))
                return .data(range)
            case .finished:
                return .finished
            case .trailers:
                if try takeTrailer(input[position]) { state = .finished }
            default:
                try takeFraming(input[position])
            }
            position += 1
        }
        if case .finished = state { return .finished }
        return .needsMore
    }

    private mutating func takeFraming(_ byte: UInt8) throws(HTTPFault) {
        switch (state, byte) {
        case (.size(let size, let digits), _) where Self.digit(byte) != nil:
            guard digits < 15 else { throw HTTPFault(400, "a chunk's size is too large") }
            state = .size(size << 4 | UInt64(Self.digit(byte) ?? 0), digits: digits + 1)
        case (.size(let size, 1...), 0x0D), (.afterSize(let size), 0x0D), (.extra(let size), 0x0D):
            state = .sizeEnd(size)
        case (.size(let size, 1...), 0x3B), (.afterSize(let size), 0x3B):
            try countExtra()
            state = .extra(size)
        case (.size(let size, 1...), 0x20), (.size(let size, 1...), 0x09), (.afterSize(let size), 0x20),
            (.afterSize(let size), 0x09):
            try countExtra()
            state = .afterSize(size)
        case (.extra, _) where ByteClass.table[Int(byte)] & ByteClass.value.rawValue != 0:
            try countExtra()
        case (.sizeEnd(let size), 0x0A):
            extra = 0
            state = size == 0 ? .trailers : .data(size)
        case (.dataCR, 0x0D): state = .dataLF
        case (.dataLF, 0x0A): state = .size(0, digits: 0)
        case (.dataCR, _), (.dataLF, _): throw HTTPFault(400, "a chunk longer than its size")
        default: throw HTTPFault(400, "a chunk's size that is not a number")
        }
    }

    private mutating func countExtra() throws(HTTPFault) {
        extra += 1
        guard extra <= extraLimit else { throw HTTPFault(400, "too much beside a chunk's size") }
    }

    /// Takes a byte of the trailers; true once they are complete.
    private mutating func takeTrailer(_ byte: UInt8) throws(HTTPFault) -> Bool {
        guard trailerText.count < trailerLimit else { throw HTTPFault(431, "the trailers are too large") }
        trailerText.append(byte)
        guard byte == 0x0A else { return false }
        guard trailerText.count >= 2, trailerText[trailerText.count - 2] == 0x0D else {
            throw HTTPFault(400, "bare LF in trailers")
        }
        let isEmpty = trailerText.count - trailerLine == 2
        trailerLine = trailerText.count
        guard isEmpty else { return false }
        if trailerText.count > 2 { trailers = try readTrailers() }
        return true
    }

    private func readTrailers() throws(HTTPFault) -> HTTPHeaders {
        let result = trailerText.withUnsafeBufferPointer { text -> Result<[HTTPHeaders.Slot], HTTPFault> in
            guard let base = text.baseAddress else { return .success([]) }
            do throws(HTTPFault) {
                var fields = FieldParser(base, from: 0, to: text.count)
                while let (name, _) = try fields.next(limit: 64, origin: 0) {
                    // These would change the framing or the route after the fact (RFC 9110, section 6.5.1).
                    if name.isWord("content-length") || name.isWord("transfer-encoding") || name.isWord("host") {
                        throw HTTPFault(400, "a trailer that must not be one")
                    }
                }
                return .success(fields.slots)
            } catch {
                return .failure(error)
            }
        }
        return HTTPHeaders(text: trailerText, slots: try result.get())
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
