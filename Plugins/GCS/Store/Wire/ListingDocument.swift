// A page of a listing, as the store writes it.

import CofferJSON
package import CofferPluginSDK

/// A page of a listing.
package struct ListingDocument: Sendable {
    /// An object or what keys share, in the order of their names.
    package struct Item: Sendable {
        package var key: ByteString
        /// nil is a common prefix.
        package var entry: Entry?
    }

    package var items: [Item]
    /// What continues the listing; nil at its end.
    package var next: String?

    /// Reads a page; one that is not described holds names, sizes, times and versions alone.
    package init(_ body: [UInt8], isDescribed: Bool = true) throws(BackendError) {
        let document: JSONValue
        do throws(JSONError) {
            document = try JSONValue(parsing: body)
        } catch {
            throw BackendError(.io, "the store's listing is no JSON: \(error)")
        }
        guard case .object = document else { throw BackendError(.io, "the store's listing is none") }
        next = document["nextPageToken"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
        items = []
        let objects = document["items"]?.arrayValue ?? []
        items.reserveCapacity(objects.count)
        for value in objects {
            let entry = isDescribed ? ObjectResource(value)?.entry : Self.entry(value)
            guard let entry else { throw BackendError(.io, "the store lists an object without a name") }
            items.append(Item(key: entry.key, entry: entry))
        }
        let prefixes = document["prefixes"]?.arrayValue ?? []
        for value in prefixes {
            guard let prefix = value.stringValue else {
                throw BackendError(.io, "the store lists a prefix without a name")
            }
            items.append(Item(key: ByteString(prefix), entry: nil))
        }
        // Objects and prefixes come in two rows, each in order.
        if !prefixes.isEmpty { items.sort { $0.key < $1.key } }
    }

    /// What a plain listing tells of an object.
    private static func entry(_ value: JSONValue) -> Entry? {
        guard let name = value["name"]?.stringValue else { return nil }
        return Entry(
            ByteString(name),
            size: value["size"].flatMap(ObjectResource.number) ?? -1,
            modified: ObjectResource.time(value["updated"]) ?? Entry.unknownTime,
            etag: ObjectResource.version(value)?.tag ?? .empty
        )
    }
}
