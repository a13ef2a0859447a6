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

    init(head: HTTPHead, length: UInt64?) {
        self.head = head
        self.length = length
    }

    /// Fills the front of `buffer`, and answers how many bytes; 0 only at the end of the whole body.
    ///
    /// Fewer bytes than the head named are `corrupt`, a broken connection `unavailable`, a silent one `timeout`.
    public func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        throw .unsupported("read")
    }

    /// The rest of the body; more than `limit` bytes are `tooLarge`.
    public func readAll(limit: Int, call: Call) throws(BackendError) -> [UInt8] { throw .unsupported("read") }

    /// Ends it, also in the midst of the body.
    public func close() {}
}
