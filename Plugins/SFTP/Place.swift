// Where a key lies below the root: which keys a server can hold, and what the path of one is.

import CofferPluginSDK

/// One key's place below the root: the path is the key.
///
/// `.coffer` at the root is the backend's own.
struct Place: Sendable {
    /// The folder at the root that holds what is not published yet.
    static let reserved = Array(".coffer".utf8)
    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")

    /// The key itself.
    let key: [UInt8]

    /// The place of a key, or why no server can be asked for it.
    ///
    /// No I/O.
    init(_ key: ByteString) throws(BackendError) {
        if let reason = Self.refusal(of: key.bytes) {
            throw BackendError(.invalidKey, "\(reason): \(String(decoding: key.bytes.prefix(200), as: UTF8.self))")
        }
        self.key = key.bytes
    }

    private static func refusal(of key: [UInt8]) -> String? {
        guard !key.isEmpty, key.count <= 1024 else { return "a key has 1 to 1024 bytes" }
        for (index, segment) in key.split(separator: slash, omittingEmptySubsequences: false).enumerated() {
            if segment.isEmpty { return "the key has an empty segment" }
            if segment.count > 255 { return "the key has a segment of more than 255 bytes" }
            if segment.count <= 2 && segment.allSatisfy({ $0 == dot }) { return "the key has a dot segment" }
            if segment.contains(0) { return "the key holds a NUL" }
            if index == 0 && segment.elementsEqual(reserved) { return "the name is reserved for the backend itself" }
        }
        return String(validating: key, as: UTF8.self) == nil ? "the key is not UTF-8" : nil
    }

    /// Its path on a server.
    func path(below root: [UInt8]) -> [UInt8] { root + [Self.slash] + key }

    /// The paths of the directories that lead to it, the outermost first; the root is not among them.
    func ancestors(below root: [UInt8]) -> [[UInt8]] {
        key.indices.filter { key[$0] == Self.slash }.map { root + [Self.slash] + key[..<$0] }
    }

    /// The path of the directory that it lies in.
    func parent(below root: [UInt8]) -> [UInt8] { ancestors(below: root).last ?? root }

    /// The key, for people.
    var words: String { String(decoding: key, as: UTF8.self) }
}
