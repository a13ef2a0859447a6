// What a store of directories must tell, so that its keys can be listed in byte order.

public import CofferPluginSDK

/// A store whose keys are paths, and which can say what one directory holds, in any order.
public protocol DirectoryTree: AnyObject {
    /// Hands over what the directory at `path` holds: `path` is empty for the root, and ends with a slash otherwise.
    ///
    /// Files and directories that are keys, or lead to keys, and nothing else. A directory that is gone, or is none, holds
    /// nothing. A name may come twice, so that a directory can be read again from its beginning where a connection broke.
    /// What `body` throws goes through, and nothing more is wanted then.
    func readDirectory(
        _ path: [UInt8],
        call: Call,
        _ body: (DirectoryItem) throws(BackendError) -> Void
    ) throws(BackendError)

    /// Fills in what reading a directory does not tell; called with some objects at once, before they are sent.
    func complete(_ objects: inout [ListedObject], call: Call) throws(BackendError)
}

extension DirectoryTree {
    /// Reading a directory tells all there is.
    public func complete(_ objects: inout [ListedObject], call: Call) throws(BackendError) {}
}

/// An object of a listing.
public struct ListedObject {
    /// Its key.
    public let key: [UInt8]
    /// Bytes; -1 unknown.
    public var size: Int64
    /// Unix nanoseconds of the last change; `Entry.unknownTime` if unknown.
    public var modified: Int64
    /// The token that conditions compare; empty if unknown.
    public var etag: ByteString
}

/// What a directory holds under one name.
public struct DirectoryItem {
    /// The name, without a slash.
    public var name: ArraySlice<UInt8>
    /// Whether it is a directory.
    public var isDirectory: Bool
    /// Bytes; -1 unknown.
    public var size: Int64
    /// Unix nanoseconds of the last change; `Entry.unknownTime` if unknown.
    public var modified: Int64
    /// The token that conditions compare, of at most 255 bytes; empty if unknown.
    public var etag: ByteString

    /// What a directory holds under one name.
    public init(
        _ name: ArraySlice<UInt8>,
        isDirectory: Bool,
        size: Int64 = -1,
        modified: Int64 = Entry.unknownTime,
        etag: ByteString = .empty
    ) {
        self.name = name
        self.isDirectory = isDirectory
        self.size = size
        self.modified = modified
        self.etag = etag
    }
}
