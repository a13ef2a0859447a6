// Which keys a WebDAV server can hold, and where they are there.

import CofferPluginSDK
import CofferTransport

/// How keys become paths on the server, and back.
///
/// 1. The key `a/b` is the file `a/b` below the root, each byte percent-encoded that is not plain.
/// 2. A key that a server could take for another one, or that XML cannot hold, is refused before anything is sent.
/// 3. `.coffer` at the root is the backend's own: what is not published yet lies there.
struct Names: Sendable {
    /// The encoded path of the root, with slashes at both ends.
    let root: String
    private let decodedRoot: [UInt8]
    /// Whether the server lists no names that begin with a dot.
    private let hidesDots: Bool

    /// The folder at the root that holds what is not published yet.
    static let reserved = Array(".coffer".utf8)

    init(_ settings: Settings) {
        let folders = settings.root.map { percentEncoded($0) + "/" }.joined()
        root = settings.location.target + folders
        hidesDots = settings.hidesDots
        decodedRoot = percentDecoded(root.utf8) ?? Array(root.utf8)
    }

    /// The encoded path of a key that an object may have.
    func path(of key: ByteString) throws(BackendError) -> String {
        if let reason = refusal(of: key.bytes) {
            throw BackendError(.invalidKey, "\(reason): \(String(decoding: key.bytes.prefix(200), as: UTF8.self))")
        }
        return root + percentEncoded(key.bytes, keeping: "/")
    }

    /// The encoded path of a folder below the root, with a slash at the end.
    func folder(_ path: [UInt8]) -> String { root + percentEncoded(path, keeping: "/") }

    /// The encoded path of what an attempt gathers.
    func temporary(_ attempt: ByteString) -> String {
        root + percentEncoded(Self.reserved) + "/" + percentEncoded(attempt.bytes)
    }

    /// The last segment of what a server calls a member of a folder; nil for the folder itself, and for what is no member.
    func member(_ href: [UInt8], of folder: [UInt8]) -> [UInt8]? {
        let path = decodedRoot + folder
        guard href.count > path.count, href.starts(with: path) else { return nil }
        var name = href[path.count...]
        if name.last == UInt8(ascii: "/") { name.removeLast() }
        guard !name.isEmpty, !name.contains(UInt8(ascii: "/")),
            refusal(of: Array(name), isWhole: folder.isEmpty) == nil
        else { return nil }
        return Array(name)
    }

    private func refusal(of key: [UInt8], isWhole: Bool = true) -> String? {
        guard !key.isEmpty else { return "the key is empty" }
        guard key.count <= 1024 else { return "the key is longer than 1024 bytes" }
        guard !key.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return "the key holds a control character" }
        guard String(validating: key, as: UTF8.self) != nil else { return "the key is not UTF-8" }
        var isFirst = isWhole
        for segment in key.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            switch segment.count {
            case 0: return "the key has an empty segment"
            case 1 where segment.elementsEqual(".".utf8), 2 where segment.elementsEqual("..".utf8):
                return "the key has a dot segment"
            // Where mod_dav keeps its properties.
            case 4 where segment.elementsEqual(".DAV".utf8): return "the name is reserved for the server"
            case _ where hidesDots && segment.first == UInt8(ascii: ".") && !segment.elementsEqual(Self.reserved):
                return "the server lists no names that begin with a dot"
            case 256...: return "the key has a segment of more than 255 bytes"
            default: break
            }
            if isFirst && segment.elementsEqual(Self.reserved) { return "the name is reserved for the backend itself" }
            isFirst = false
        }
        return nil
    }
}
