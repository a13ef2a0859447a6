// One page of a listing, read as it comes: no tree of thousands of blobs is built.

package import CofferPluginSDK
package import CofferTransport
import CofferXML

/// One page of a listing.
package struct ListingDocument: Sendable {
    /// An object or a common prefix.
    package struct Item: Sendable {
        /// The name, or what names share.
        package var key: ByteString = .empty
        /// Whether it is what names share.
        package var isPrefix = false
        /// Bytes.
        package var size: Int64 = -1
        /// Unix nanoseconds.
        package var modified = Entry.unknownTime
        /// The entity tag without quotes.
        package var etag: ByteString = .empty
        /// What a head would tell; empty unless it was wanted.
        package var headers = HTTPHeaders()
    }

    /// What the page holds, in byte order.
    package var items: [Item] = []
    /// What continues the listing; nil at its end.
    package var next: String?

    /// Reads a page; with `wantsHeads` what describes each object too.
    package init(_ body: [UInt8], wantsHeads: Bool = false) throws(BackendError) {
        var reader = Reader(wantsHeads: wantsHeads)
        do throws(XMLError) {
            let parser = XMLParser { event throws(XMLError) in reader.take(event) }
            try parser.feed(body.span.bytes)
            try parser.finish()
        } catch {
            throw BackendError(.io, "the store's listing cannot be read: \(error)")
        }
        guard reader.isListing, !reader.isWrong else {
            throw BackendError(.io, "the store's listing is none, or its names are escaped wrongly")
        }
        items = reader.items
        next = reader.next
        if !zip(items, items.dropFirst()).allSatisfy({ $0.key < $1.key }) { items.sort { $0.key < $1.key } }
    }

    /// Keeps what is needed of the elements that went by.
    private struct Reader {
        let wantsHeads: Bool
        var items: [Item] = []
        var next: String?
        var isListing = false
        var isWrong = false
        private var path: [String] = []
        private var item = Item()
        private var isEncoded = false

        init(wantsHeads: Bool) { self.wantsHeads = wantsHeads }

        mutating func take(_ event: XMLEvent) {
            switch event {
            case .begin(let name, _, let attributes):
                if path.isEmpty { isListing = name == "EnumerationResults" }
                if path.count == 2 { item = Item() }
                if path.count == 3, name == "Name" {
                    isEncoded = attributes.contains { $0.name == "Encoded" && $0.value == "true" }
                }
                path.append(name)
            case .end(let name, _, let text):
                path.removeLast()
                end(name, text)
            }
        }

        private mutating func end(_ name: String, _ text: String) {
            switch path.count {
            case 1:
                if name == "NextMarker", !text.isEmpty { next = text }
            case 2:
                guard name == "Blob" || name == "BlobPrefix" else { return }
                item.isPrefix = name == "BlobPrefix"
                items.append(item)
            case 3:
                if name == "Name" { item.key = key(text) }
            case 4:
                // The names of metadata are anybody's.
                if path[3] == "Properties" { property(name, text) }
                if path[3] == "Metadata", wantsHeads { item.headers.add("x-ms-meta-\(name)", text) }
            default: break
            }
        }

        private mutating func property(_ name: String, _ text: String) {
            switch name {
            case "Content-Length": item.size = Int64(text) ?? -1
            case "Etag": item.etag = ByteString(unquoted(text))
            case "Last-Modified": item.modified = HTTPDate.parse(text) ?? Entry.unknownTime
            case "AccessTier", "AccessTierInferred":
                if wantsHeads {
                    item.headers[name == "AccessTier" ? "x-ms-access-tier" : "x-ms-access-tier-inferred"] = text
                }
                return
            default: break
            }
            if wantsHeads, !text.isEmpty { item.headers[name] = text }
        }

        private mutating func key(_ text: String) -> ByteString {
            guard isEncoded else { return ByteString(text) }
            guard let bytes = percentDecoded(text.utf8) else {
                isWrong = true
                return .empty
            }
            return ByteString(bytes)
        }
    }
}
