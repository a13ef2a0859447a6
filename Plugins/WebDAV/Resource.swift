// What a server tells of files and folders.

import CofferPluginSDK
import CofferTransport
import CofferXML

/// A file or a folder, as a server tells of it.
struct Resource: Sendable {
    /// The path that the server names, decoded.
    var href: [UInt8] = []
    var isFolder = false
    var size: Int64 = -1
    var modified = Entry.unknownTime
    var created = Entry.unknownTime
    /// The entity tag without its quotes and its mark of weakness.
    var tag = ByteString.empty
    /// What is kept beside the bytes.
    var document: String?

    /// The opaque part of a tag: servers call the same tag weak while a file is young.
    static func token(_ tag: String?) -> ByteString {
        guard let tag else { return .empty }
        var bytes = Substring(tag).utf8[...]
        if bytes.starts(with: "W/".utf8) { bytes = bytes.dropFirst(2) }
        if bytes.count >= 2, bytes.first == 0x22, bytes.last == 0x22 { bytes = bytes.dropFirst().dropLast() }
        return ByteString(Array(bytes))
    }

    func entry(_ key: ByteString) throws(BackendError) -> Entry {
        var entry = Entry(key, size: size, modified: modified, created: created, etag: tag)
        if let document { try Document(document).apply(to: &entry) }
        return entry
    }
}

/// Reads the answer to a PROPFIND as it comes.
final class Multistatus {
    /// What is asked for.
    static func question(withDocument: Bool) -> [UInt8] {
        let own = withDocument ? "<c:\(Document.name) xmlns:c=\"\(Document.namespace)\"/>" : ""
        return Array(
            """
            <?xml version="1.0" encoding="utf-8"?>
            <D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:getcontentlength/><D:getlastmodified/>\
            <D:getetag/><D:creationdate/>\(own)</D:prop></D:propfind>
            """.utf8
        )
    }

    /// What was told so far.
    private(set) var resources: [Resource] = []
    private var resource = Resource()
    private var found = Resource()
    private var isGood = true

    func take(_ event: XMLEvent) {
        switch event {
        case .begin("response", _, _): resource = Resource()
        case .begin("propstat", _, _):
            found = Resource()
            isGood = true
        case .begin("collection", "DAV:", _): found.isFolder = true
        case .begin: break
        case .end(let name, let namespace, let text): end(name, namespace, text)
        }
    }

    private func end(_ name: String, _ namespace: String, _ text: String) {
        if namespace == Document.namespace, name == Document.name { found.document = text }
        guard namespace == "DAV:" else { return }
        switch name {
        case "href" where resource.href.isEmpty: resource.href = Self.path(text)
        case "getcontentlength": found.size = Int64(text.filter { $0 != " " }) ?? -1
        case "getlastmodified": found.modified = HTTPDate.parse(text) ?? Entry.unknownTime
        case "creationdate": found.created = HTTPDate.parseISO8601(text) ?? Entry.unknownTime
        case "getetag": found.tag = Resource.token(text)
        case "status": isGood = text.split(separator: " ").dropFirst().first?.first == "2"
        case "propstat" where isGood:
            let href = resource.href
            let before = resource
            resource = found
            resource.href = href
            // Properties may come in several groups.
            if before.size >= 0, resource.size < 0 { resource.size = before.size }
            if before.isFolder { resource.isFolder = true }
        case "response" where !resource.href.isEmpty: resources.append(resource)
        default: break
        }
    }

    /// The decoded path of a reference, which may be a whole URL.
    private static func path(_ reference: String) -> [UInt8] {
        var text = Substring(reference.split { $0 == " " || $0 == "\n" || $0 == "\t" || $0 == "\r" }.first ?? "").utf8[
            ...
        ]
        if text.first != UInt8(ascii: "/"), let colon = text.firstIndex(of: UInt8(ascii: ":")),
            text[colon...].starts(with: "://".utf8)
        {
            let host = text[colon...].dropFirst(3)
            text = host[(host.firstIndex(of: UInt8(ascii: "/")) ?? host.endIndex)...]
        }
        return percentDecoded(text) ?? Array(text)
    }
}
