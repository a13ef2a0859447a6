// A page of a listing.

import CofferCrypto
import CofferJSON
package import CofferPluginSDK
import CofferTransport

/// A page of the objects of a container.
package struct ListingDocument: Sendable {
    /// One line: an object or a common prefix.
    package struct Item: Sendable {
        /// The key or the prefix.
        package let key: ByteString
        /// Whether it is a prefix.
        package let isPrefix: Bool
        /// The size; of a manifest that the store shows as such, the size of the document.
        package var size: Int64 = -1
        package var modified = Entry.unknownTime
        package var etag = ByteString.empty
        /// Whether size and tag are those of a manifest, not of the object.
        package var isManifest = false
    }

    /// The lines in order.
    package let items: [Item]

    private static let nothing = hex(Digest.of([], .md5))

    /// Reads a page in JSON.
    package init(_ body: [UInt8]) throws(BackendError) {
        let lines: [JSONValue]
        do throws(JSONError) {
            lines = body.isEmpty ? [] : try JSONValue(parsing: body).arrayValue ?? []
        } catch {
            throw BackendError(.io, "the store's listing cannot be read")
        }
        var items: [Item] = []
        items.reserveCapacity(lines.count)
        for line in lines {
            if let prefix = line["subdir"]?.stringValue {
                items.append(Item(key: ByteString(prefix), isPrefix: true))
                continue
            }
            guard let name = line["name"]?.stringValue else {
                throw BackendError(.io, "the store's listing has a line without a name")
            }
            var item = Item(key: ByteString(name), isPrefix: false)
            item.size = line["bytes"]?.integerValue ?? -1
            item.modified = line["last_modified"]?.stringValue.flatMap { Self.second($0) } ?? Entry.unknownTime
            let tag = line["slo_etag"]?.stringValue ?? line["hash"]?.stringValue ?? ""
            item.etag = ByteString(unquoted(tag))
            // radosgw lists a manifest with its own size and the digest of nothing.
            item.isManifest = item.size > 0 && item.etag.bytes.elementsEqual(Self.nothing.utf8)
            items.append(item)
        }
        self.items = items
    }

    /// The time as the head of the object has it, in whole seconds: Swift rounds up, radosgw, which writes a zone, down.
    private static func second(_ text: String) -> Int64? {
        let hasZone = text.utf8.last == UInt8(ascii: "Z")
        guard let time = HTTPDate.parseISO8601(hasZone ? text : text + "Z") else { return nil }
        let second: Int64 = 1_000_000_000
        return (hasZone ? time : time + second - 1) / second * second
    }
}
