// The three streams of a backend: a read, a write, a listing.
//
// A stream has no affinity to a thread, but two calls on one stream never overlap: it needs no lock of its own.

/// One read.
public protocol ReadStream: AnyObject {
    /// Fills the front of `buffer` and answers how many bytes; 0 only at the end. Fewer bytes in all than promised is
    /// `corrupt`.
    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int

    /// Ends the read: always called, once, also after an error and before the end.
    func close()
}

/// One write: begin, append, then commit or not, then close.
public protocol WriteStream: AnyObject {
    /// Takes all of `bytes`, or throws; after that only `close` follows.
    func append(_ bytes: RawSpan, call: Call) throws(BackendError)

    /// Copies up to `length` bytes from a descriptor that stays the host's; answers how many were taken.
    ///
    /// Without an offset it is not seekable: read from where it is. `unsupported` before a byte is taken lets the host
    /// append instead.
    func ingest(descriptor: Int32, offset: UInt64?, length: UInt64, call: Call) throws(BackendError) -> UInt64

    /// Publishes, once; checks the conditions again; answers what a stat would answer now.
    ///
    /// `checksums` are those that the host computed while it streamed.
    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry

    /// Ends the write: always called, once. Without a successful commit nothing of it remains.
    func close()
}

extension WriteStream {
    /// Unsupported.
    public func ingest(
        descriptor: Int32,
        offset: UInt64?,
        length: UInt64,
        call: Call
    ) throws(BackendError) -> UInt64 {
        throw .unsupported("write_ingest")
    }
}

/// One listing.
public protocol ListStream: AnyObject {
    /// Sends up to `limit` entries, then says whether there are more. A page of nothing is allowed.
    func next(limit: Int, into sink: EntrySink, call: Call) throws(BackendError) -> ListPage

    /// Ends the listing: always called, once.
    func close()
}

/// How a page of a listing ended.
public enum ListPage: Sendable {
    /// There is nothing more.
    case end
    /// There may be more; the token, if any, reopens the listing after the last entry sent.
    case more(token: ByteString)
}

/// The answer to a read.
public struct ReadAnswer {
    /// Where the bytes come from.
    public enum Body {
        /// From the plugin, call by call.
        case stream(any ReadStream)
        /// From an open, close-on-exec descriptor that the host owns from now on; the answer starts at `offset` in it.
        case descriptor(Int32, flags: DescriptorFlags, offset: UInt64)
    }

    /// All that is known of the object; its size is that of the whole object.
    public var entry: Entry
    /// Which bytes of the object follow.
    public var range: Range<UInt64>
    /// Where they come from.
    public var body: Body

    /// The answer to a read.
    public init(entry: Entry, range: Range<UInt64>, body: Body) {
        self.entry = entry
        self.range = range
        self.body = body
    }
}

/// What holds for a descriptor given to the host.
public struct DescriptorFlags: OptionSet, Sendable, Hashable {
    /// The bits of the C header.
    public let rawValue: UInt32

    /// Flags by their bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// A regular file; else a pipe or a socket.
    public static let seekable = DescriptorFlags(rawValue: 1)
    /// Opened read-only, holds this object and nothing else: it may go to a client.
    public static let shareable = DescriptorFlags(rawValue: 2)
    /// Its bytes never change while it is open.
    public static let immutable = DescriptorFlags(rawValue: 4)
}
