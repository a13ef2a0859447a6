// A document of the collection `files`: what is known of one version of one object.

import CofferPluginSDK
import GridFSModel

/// A document of the collection `files`.
///
/// The fields of GridFS stand where every driver looks for them: `_id`, `length`, `chunkSize`, `uploadDate`, `filename`,
/// `metadata`, and `contentType` at the top, where pymongo and Flask-FS have it. What has no place there lies in one
/// further field, `coffer`, which other programs pass over.
struct StoredFile {
    /// Names the chunks; of any type, since other programs choose their own.
    let id: Value
    let key: ByteString
    let length: UInt64
    let chunkSize: UInt64
    /// Milliseconds since 1970; the newest version of a name is the object.
    let uploaded: Int64
    private let own: Document
    private let document: Document

    /// Reads a document; nil if it is no file that can be read.
    init?(_ document: Document) {
        guard let id = document["_id"], let length = document["length"]?.integer, length >= 0,
            let chunkSize = document["chunkSize"]?.integer, chunkSize > 0 || length == 0,
            case .date(let uploaded)? = document["uploadDate"]
        else { return nil }
        self.id = id
        self.length = UInt64(length)
        self.chunkSize = UInt64(max(1, chunkSize))
        self.uploaded = uploaded
        self.document = document
        own = document["coffer"]?.fields ?? .empty
        key = ByteString(document["filename"]?.text ?? [])
    }

    /// Marks each state of the document, where it has changed since it was published.
    var revision: Value? { own["revision"] }

    /// The token: a version's own identifier is never used again.
    var etag: ByteString {
        switch revision ?? id {
        case .objectID(let id): ByteString(id.hexadecimal)
        case let other: ByteString(Document.make { $0.append("", other) }.bytes.dropFirst(4).hexadecimal)
        }
    }

    /// Unix nanoseconds of the last change: as the caller set it, else when it was uploaded.
    var modified: Int64 { own["modified"]?.integer ?? uploadedNanoseconds }

    var uploadedNanoseconds: Int64 {
        let (time, overflow) = uploaded.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? Entry.unknownTime : time
    }

    /// All that is known of the object.
    func entry() -> Entry {
        let known = Description(file: document, own: own)
        return Entry(
            key,
            size: Int64(length),
            modified: modified,
            created: uploadedNanoseconds,
            etag: etag,
            properties: known.properties,
            metadata: known.metadata,
            checksums: known.checksums
        )
    }

    /// What a copy takes along, raw.
    func fields(_ names: [String]) -> [(name: String, value: Value)] {
        names.compactMap { name in document[name].map { (name, $0) } }
    }

    /// The own field, without what belongs to one document alone.
    var keptOwn: Document {
        Document.make { writer in
            for (name, value) in own where !Self.private.contains(where: { name.elementsEqual($0.utf8) }) {
                writer.append(name, value)
            }
        }
    }

    /// The document with other fields; null removes one.
    func changed(_ fields: [(path: String, value: Value)]) -> StoredFile? {
        StoredFile(
            .make { writer in
                for (name, value) in document
                where !fields.contains(where: { $0.path.utf8.elementsEqual(name) }) {
                    writer.append(name, value)
                }
                for (path, value) in fields where value != .null { writer.append(path, value) }
            }
        )
    }

    private static let `private` = ["revision", "hidden", "attempt"]
}
