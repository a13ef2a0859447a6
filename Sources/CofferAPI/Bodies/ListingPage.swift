import CofferJSON
package import CofferModel

/// One page of a listing: objects and common prefixes, each in byte order.
public struct ListingPage: Sendable, Hashable {
    /// The objects, of which a listing knows no metadata of the caller's own.
    public var objects: [StoredObject]
    /// What several keys have in common up to the delimiter, that included.
    public var prefixes: [String]
    /// What continues the listing; nil on the last page.
    public var cursor: String?

    /// Creates a page; without arguments, an empty one.
    public init(objects: [StoredObject] = [], prefixes: [String] = [], cursor: String? = nil) {
        self.objects = objects
        self.prefixes = prefixes
        self.cursor = cursor
    }

    /// Writes the entries of `batch` as a page, without making values of them.
    package static func encode(_ batch: borrowing ListBatch, as line: ObjectLine, cursor: String?) -> [UInt8] {
        var bytes = Array(#"{"objects":["#.utf8)
        var isFirst = true
        for record in batch.records where !record.isPrefix {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            line.append(record, of: batch, to: &bytes)
        }
        bytes.append(contentsOf: #"],"prefixes":["#.utf8)
        isFirst = true
        for record in batch.records where record.isPrefix {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            bytes.appendJSONString(batch.bytes, record.key)
        }
        bytes.append(contentsOf: #"],"cursor":"#.utf8)
        bytes.append(contentsOf: (cursor.map { JSONValue.string($0) } ?? .null).bytes())
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// Reads a page.
    package init(parsing bytes: [UInt8]) throws(CofferError) {
        let body = try BodyReader(parsing: bytes)
        self.init()
        for reader in try body.objects("objects") { objects.append(try StoredObject(reader)) }
        prefixes = try body.strings("prefixes")
        cursor = try body.optionalString("cursor")
    }
}

/// One entry of a listing.
public enum ListEntry: Sendable, Hashable {
    /// An object.
    case object(StoredObject)
    /// What several keys have in common up to the delimiter, that included.
    case prefix(String)

    /// The key, or the prefix.
    public var text: String {
        switch self {
        case .object(let object): object.key.text
        case .prefix(let prefix): prefix
        }
    }

    /// Reads a line of NDJSON; a line that tells a problem is thrown.
    package init(line: [UInt8]) throws(CofferError) {
        let body = try BodyReader(parsing: line)
        if let problem = body.value("problem") { throw Problem.decode(problem) }
        if let prefix = try body.optionalString("prefix") {
            self = .prefix(prefix)
        } else {
            self = .object(try StoredObject(body))
        }
    }

    /// The last line of a listing that failed on its way; the connection breaks after it.
    package static func problemLine(_ error: CofferError) -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.name("problem")
            Problem.write(error, to: &$0)
        }
        return writer.bytes + [0x0A]
    }
}
