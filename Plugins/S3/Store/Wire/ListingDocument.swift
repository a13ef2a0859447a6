// One page of a listing, read as it comes: no tree of a thousand keys is built.

package import CofferPluginSDK
import CofferTransport
import CofferXML

/// One page of a listing.
package struct ListingDocument: Sendable {
    /// An object or a common prefix.
    package struct Item: Sendable {
        /// The key, or what keys share.
        package var key: ByteString = .empty
        /// Whether it is what keys share.
        package var isPrefix = false
        /// Bytes.
        package var size: Int64 = -1
        /// Unix nanoseconds, in whole seconds as a head tells them.
        package var modified = Entry.unknownTime
        /// The entity tag without quotes.
        package var etag: ByteString = .empty
    }

    /// What the page holds, in byte order.
    package var items: [Item] = []
    /// What continues the listing; nil at its end.
    package var next: String?

    /// Reads a page.
    package init(_ body: [UInt8]) throws(BackendError) {
        var reader = Reader()
        do throws(XMLError) {
            let parser = XMLParser { event throws(XMLError) in reader.take(event) }
            try parser.feed(body.span.bytes)
            try parser.finish()
        } catch {
            throw BackendError(.io, "the store's listing cannot be read: \(error)")
        }
        guard reader.isListing, !reader.isWrong else {
            throw BackendError(.io, "the store's listing is none, or its keys are escaped wrongly")
        }
        items = reader.items
        next = reader.isTruncated ? reader.next : nil
        // Objects and prefixes come apart; together they are in order.
        if reader.hasPrefixes { items.sort { $0.key < $1.key } }
    }

    /// Keeps what is needed of the elements that went by.
    private struct Reader {
        var items: [Item] = []
        var next: String?
        var isTruncated = false
        var isListing = false
        var hasPrefixes = false
        var isWrong = false
        private var isEscaped = false
        private var depth = 0
        private var item = Item()

        mutating func take(_ event: XMLEvent) {
            switch event {
            case .begin(let name, _, _):
                depth += 1
                if depth == 1 { isListing = name == "ListBucketResult" }
                if depth == 2 { item = Item() }
            case .end(let name, _, let text):
                depth -= 1
                if depth == 1 { endOfTop(name, text) } else if depth == 2 { endOfField(name, text) }
            }
        }

        private mutating func endOfTop(_ name: String, _ text: String) {
            switch name {
            case "Contents": items.append(item)
            case "CommonPrefixes":
                item.isPrefix = true
                hasPrefixes = true
                items.append(item)
            case "EncodingType":
                // Some say so only behind the keys.
                if !isEscaped && text == "url" {
                    isEscaped = true
                    for index in items.indices { items[index].key = unescaped(items[index].key.bytes) }
                }
            case "IsTruncated": isTruncated = text == "true"
            case "NextContinuationToken": next = text
            default: break
            }
        }

        private mutating func endOfField(_ name: String, _ text: String) {
            switch name {
            case "Key", "Prefix": item.key = isEscaped ? unescaped(Array(text.utf8)) : ByteString(text)
            case "Size": item.size = Int64(text) ?? -1
            case "ETag": item.etag = ByteString(unquoted(text))
            case "LastModified":
                guard let time = HTTPDate.parseISO8601(text) else { break }
                item.modified = wholeSeconds(time)
            default: break
            }
        }

        private mutating func unescaped(_ key: [UInt8]) -> ByteString {
            // A plus is a blank: keys are escaped as forms are, and a real plus comes as an escape.
            guard let bytes = percentDecoded(key.map { $0 == UInt8(ascii: "+") ? 0x20 : $0 }) else {
                isWrong = true
                return .empty
            }
            return ByteString(bytes)
        }
    }
}

/// Time in whole seconds, as heads have it: what a listing says more would not agree with them.
package func wholeSeconds(_ nanoseconds: Int64) -> Int64 { nanoseconds - nanoseconds % 1_000_000_000 }

/// An entity tag without its quotes.
package func unquoted(_ tag: String) -> String {
    var bytes = tag.utf8[...]
    if bytes.starts(with: "W/".utf8) { bytes = bytes.dropFirst(2) }
    if bytes.count >= 2, bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\"") {
        bytes = bytes.dropFirst().dropLast()
    }
    return String(decoding: bytes, as: UTF8.self)
}
