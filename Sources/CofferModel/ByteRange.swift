/// Which bytes of an object are asked for (RFC 9110, section 14).
public enum ByteRange: Sendable, Hashable {
    /// All of them.
    case all
    /// From `offset` to the end.
    case from(Int64)
    /// `length` bytes from `offset`; what lies past the end is cut.
    case slice(offset: Int64, length: Int64)
    /// The last bytes.
    case suffix(Int64)

    /// The bytes of an object of `size` that this asks for.
    ///
    /// - Throws: ``CofferError`` with `range_invalid` where it starts at or past the end and asks for a part.
    public func resolved(size: Int64) throws(CofferError) -> Range<Int64> {
        switch self {
        case .all:
            return 0..<size
        case .from(let offset):
            guard offset >= 0 else { throw negative }
            guard offset < size || (offset == 0 && size == 0) else { throw pastEnd(size) }
            return offset..<size
        case .slice(let offset, let length):
            guard offset >= 0, length >= 0 else { throw negative }
            guard offset < size || (offset == 0 && size == 0) else { throw pastEnd(size) }
            return offset..<(length > size - offset ? size : offset + length)
        case .suffix(let length):
            guard length >= 0 else { throw negative }
            return max(0, size - length)..<size
        }
    }

    private var negative: CofferError { CofferError(.invalidArgument, "a range has no negative numbers") }
    private func pastEnd(_ size: Int64) -> CofferError {
        CofferError(.rangeInvalid, "the range starts past the end of \(size) bytes")
    }
}
