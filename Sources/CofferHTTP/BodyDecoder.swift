/// What is left of a request's body, without any I/O.
package struct BodyDecoder: Sendable {
    private enum Framing: Sendable {
        case exactly(Int64)
        case chunked(ChunkedDecoder)
    }

    private var framing: Framing
    /// Whether the last byte has been taken.
    package private(set) var isFinished: Bool

    package init(_ length: HTTPRequest.BodyLength) {
        switch length {
        case .none:
            framing = .exactly(0)
            isFinished = true
        case .exactly(let count):
            framing = .exactly(count)
            isFinished = count == 0
        case .chunked:
            framing = .chunked(ChunkedDecoder())
            isFinished = false
        }
    }

    /// How many bytes are to come; nil where nobody knows.
    package var remaining: Int64? {
        if case .exactly(let left) = framing { return left }
        return isFinished ? 0 : nil
    }

    /// What came after the last byte.
    package var trailers: HTTPHeaders {
        if case .chunked(let decoder) = framing { return decoder.trailers }
        return HTTPHeaders()
    }

    /// The next bytes of the body, as a range of the input; nil when it is used up or the body is finished.
    package mutating func next(
        _ input: UnsafeRawBufferPointer,
        from position: inout Int
    ) throws(HTTPFault) -> Range<Int>? {
        guard !isFinished else { return nil }
        switch framing {
        case .exactly(let left):
            let count = Int(min(left, Int64(input.count - position)))
            guard count > 0 else { return nil }
            framing = .exactly(left - Int64(count))
            isFinished = left == Int64(count)
            position += count
            return position - count..<position
        case .chunked(var decoder):
            framing = .exactly(0)  // So that the decoder's trailers have one owner and are not copied.
            defer { framing = .chunked(decoder) }
            switch try decoder.next(input, from: &position) {
            case .data(let range): return range
            case .needsMore: return nil
            case .finished:
                isFinished = true
                return nil
            }
        }
    }
}
