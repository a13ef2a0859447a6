// Arrays of bytes as raw spans, for rooms that may not touch memory by address.

extension [UInt8] {
    /// Lends the bytes at `range`.
    package func withBytes<Result, Failure: Error>(
        _ range: Range<Int>,
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(span.bytes.extracting(range))
    }

    /// Lends all the bytes for writing.
    package mutating func withMutableBytes<Result, Failure: Error>(
        _ body: (inout MutableRawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var elements = mutableSpan
        var bytes = elements.mutableBytes
        return try body(&bytes)
    }

    /// Copies `bytes` behind what is there.
    package mutating func append(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { append(contentsOf: $0) }
    }
}
