// A read of an object that survives a broken connection.

public import CofferPluginSDK

/// A read of bytes of one version of an object, which goes on where a broken connection left it.
///
/// What it promises:
/// 1. The bytes are those of the range asked for, also from a server that answers a range with the whole object.
/// 2. All bytes are of one version: a resumption carries `If-Match` with a strong entity tag, and its answer must name the
///    same tag, size and, without a tag, the same `Last-Modified`; else `changed`.
/// 3. Fewer bytes than promised are an error, never a short success.
public final class RangedRead {
    /// How a read began.
    public enum Opening {
        /// Bytes follow.
        case reading(RangedRead)
        /// The server refused; 416 to a range that starts past the end too.
        case refused(HTTPAnswer)
    }

    /// Status and fields of the first answer.
    public let head: HTTPHead
    /// The bytes of the object that follow.
    public let range: Range<UInt64>
    /// The size of the whole object.
    public let size: UInt64

    init(head: HTTPHead, range: Range<UInt64>, size: UInt64) {
        self.head = head
        self.range = range
        self.size = size
    }

    /// Fills the front of `buffer`, and answers how many bytes; 0 only at the end of the range.
    public func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        throw .unsupported("read")
    }

    /// Ends it, also in the midst.
    public func close() {}
}
