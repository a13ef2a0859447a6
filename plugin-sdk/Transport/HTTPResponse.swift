// An answer whose body the caller pulls.

public import CofferPluginSDK

/// An answer whose body the caller pulls: what is not asked for stays in the network, so a slow caller slows the server.
///
/// One call at a time. Ends with ``close()``, at the latest when the last reference goes; a body read to its end gives its
/// connection back to the pool by itself.
public final class HTTPResponse {
    /// Status and fields.
    public let head: HTTPHead
    /// The bytes of the body, where the head names them.
    public let length: UInt64?
    private let exchange: Exchange

    init(head: HTTPHead, length: UInt64?, exchange: Exchange) {
        self.head = head
        self.length = length
        self.exchange = exchange
    }

    /// Fills the front of `buffer`, and answers how many bytes; 0 only at the end of the whole body.
    ///
    /// Fewer bytes than the head named are `corrupt`, a broken connection `unavailable`, a silent one `timeout`.
    public func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        try read(into: &buffer, most: .max, call)
    }

    /// The same, but never more than `most` bytes.
    func read(into buffer: inout MutableRawSpan, most: UInt64, _ call: Call) throws(BackendError) -> Int {
        try buffer.withUnsafeMutableBytes { (bytes) throws(BackendError) in
            let front = bytes.prefix(Int(clamping: most))
            return try exchange.read(into: UnsafeMutableRawBufferPointer(rebasing: front), call)
        }
    }

    /// The rest of the body; more than `limit` bytes are an error.
    public func readAll(limit: Int, call: Call) throws(BackendError) -> [UInt8] {
        try exchange.readAll(limit: limit, expecting: length, call)
    }

    /// Ends it, also in the midst of the body.
    public func close() { exchange.end() }
}
