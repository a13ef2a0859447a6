// Which keys an FTP server can hold, and what they are called there.

import CofferPluginSDK

/// How keys become names on the server, and back.
///
/// 1. The key `a/b` is the file `a/b` below the root. A key that could be two names, or that commands or listings could
///    mistake, is refused before anything is sent.
/// 2. `.coffer` at the root is the backend's own: what is not published yet lies there.
struct Names: Sendable {
    /// Whether names on the server are Latin-1; else UTF-8.
    let isLatin1: Bool

    /// The directory at the root that holds what is not published yet.
    static let reserved = Array(".coffer".utf8)

    /// The name of a key below the root, without a slash before it.
    func name(of key: [UInt8]) throws(BackendError) -> [UInt8] {
        guard let reason = refusal(of: key) else { return try encoded(key) }
        throw BackendError(.invalidKey, "\(reason): \(String(decoding: key.prefix(200), as: UTF8.self))")
    }

    private func refusal(of key: [UInt8]) -> String? {
        guard !key.isEmpty else { return "the key is empty" }
        guard key.count <= 1024 else { return "the key is longer than 1024 bytes" }
        guard !key.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return "the key holds a control character" }
        for segment in key.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            switch segment.count {
            case 0: return "the key has an empty segment"
            case 1 where segment.elementsEqual(".".utf8), 2 where segment.elementsEqual("..".utf8):
                return "the key has a dot segment"
            case 256...: return "the key has a segment of more than 255 bytes"
            default: break
            }
        }
        if isReserved(key[..<(key.firstIndex(of: UInt8(ascii: "/")) ?? key.endIndex)]) {
            return "the name is reserved for the backend itself"
        }
        return nil
    }

    /// Whether a name at the root is the backend's own.
    func isReserved(_ name: ArraySlice<UInt8>) -> Bool { name.elementsEqual(Self.reserved) }

    private func encoded(_ key: [UInt8]) throws(BackendError) -> [UInt8] {
        guard isLatin1, key.contains(where: { $0 >= 0x80 }) else { return key }
        var name: [UInt8] = []
        for scalar in String(decoding: key, as: UTF8.self).unicodeScalars {
            guard scalar.value < 0xFF, scalar.value < 0x80 || scalar.value >= 0xA0 else {
                throw BackendError(.invalidKey, "the key holds a character that Latin-1 has not")
            }
            name.append(UInt8(scalar.value))
        }
        return name
    }

    /// The part of a key that a name in a directory stands for; nil if no key can hold it.
    func segment(of name: ArraySlice<UInt8>) -> [UInt8]? {
        guard !name.isEmpty, !name.elementsEqual(".".utf8), !name.elementsEqual("..".utf8),
            !name.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "/") })
        else { return nil }
        guard name.contains(where: { $0 >= 0x80 }) else { return Array(name) }
        guard isLatin1 else { return String(validating: name, as: UTF8.self) == nil ? nil : Array(name) }
        var key: [UInt8] = []
        for byte in name {
            if byte < 0x80 { key.append(byte) } else { key += [0xC0 | byte >> 6, 0x80 | byte & 0x3F] }
        }
        return key
    }
}
