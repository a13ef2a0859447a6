// What Dropbox tells of a file.

package import CofferJSON
import CofferPluginSDK
import CofferTransport

/// What Dropbox tells of a file.
package struct FileFacts: Sendable {
    /// The revision: another one with every change.
    package let revision: String
    /// Bytes.
    package let size: UInt64
    /// The time that its writer gave it, or that of its writing; in Unix nanoseconds.
    package let modified: Int64
    /// The digest of its bytes; nil where Dropbox tells none.
    package let hash: String?

    /// Reads the metadata of a file; nil where it is no file, or something is missing.
    package init?(_ metadata: JSONValue) {
        if let tag = metadata[".tag"]?.stringValue, !tag.utf8.elementsEqual("file".utf8) { return nil }
        guard let revision = metadata["rev"]?.stringValue, let bytes = metadata["size"]?.integerValue,
            let size = UInt64(exactly: bytes)
        else { return nil }
        self.revision = revision
        self.size = size
        let time = metadata["client_modified"]?.stringValue ?? metadata["server_modified"]?.stringValue
        modified = time.flatMap { HTTPDate.parseISO8601($0) } ?? Entry.unknownTime
        hash = metadata["content_hash"]?.stringValue
    }

    /// The token of this version.
    var etag: ByteString { ByteString(revision) }

    /// The path of this revision, and of no other.
    var pinnedPath: String { "rev:\(revision)" }

    /// What is told to the host.
    func entry(_ key: ByteString) -> Entry {
        Entry(key, size: Int64(clamping: size), modified: modified, etag: etag)
    }
}
