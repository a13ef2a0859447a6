// What uploads in parts bring and answer.

/// Arguments of `beginPart`.
public struct PartRequest: Sendable {
    /// The upload's id.
    public var upload: ByteString
    /// The part's number, from 1.
    public var number: Int
    /// The exact number of bytes, or nil; the kit fails a commit of another number.
    public var size: UInt64?

    /// A request for a part of an upload.
    public init(upload: ByteString, number: Int, size: UInt64? = nil) {
        self.upload = upload
        self.number = number
        self.size = size
    }
}

/// A part as `completeUpload` names it.
public struct UploadPart: Sendable, Hashable {
    /// Its number, from 1.
    public var number: Int
    /// The tag that its commit answered.
    public var etag: ByteString
    /// How many bytes it has; nil if the caller does not know.
    public var size: UInt64?

    /// A part.
    public init(number: Int, etag: ByteString, size: UInt64? = nil) {
        self.number = number
        self.etag = etag
        self.size = size
    }
}

/// Arguments of `listUploads`.
public struct UploadListRequest: Sendable {
    /// What keys start with; bytes, not segments.
    public var prefix: ByteString
    /// Only what began before this moment, in Unix nanoseconds.
    public var before: Int64

    /// A request for the uploads of keys.
    public init(prefix: ByteString = .empty, before: Int64 = .max) {
        self.prefix = prefix
        self.before = before
    }
}

extension EntrySink {
    /// Sends a part of an upload.
    public func sendPart(number: Int, etag: ByteString, size: UInt64) throws(BackendError) {
        try sendObject(key: ByteString(String(number)), size: Int64(clamping: size), etag: etag)
    }

    /// Sends a pending upload.
    public func sendUpload(key: ByteString, id: ByteString, begun: Int64) throws(BackendError) {
        try send(Entry(key, modified: begun, version: id))
    }
}
