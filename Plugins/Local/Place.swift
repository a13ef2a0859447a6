// Where a key lies below the root: which keys a file system can hold, and what the path of one is.

import CofferPluginSDK

/// How keys become paths.
///
/// 1. Without sharding the path is the key.
/// 2. With it, inside each directory a file lies in `levels` folders named by a hash of its own name: `a/b` becomes
///    `a/.coffer~5e/b`. Directories stay where they are, so prefixes and order survive.
/// 3. `.coffer` at the root is the backend's own. `.coffer~…` is reserved too where files are sharded.
struct Layout: Sendable, Equatable {
    /// How many folders a file is spread over: 0, 1 or 2.
    var levels = 0

    /// The folder at the root that holds locks, unpublished files and sidecars.
    static let reserved = Array(".coffer".utf8)
    /// How the name of a folder of sharded files begins; two hexadecimal digits follow.
    static let shard = Array(".coffer~".utf8)

    /// The path of `key`, or why the file system cannot hold it.
    ///
    /// No I/O.
    func place(of key: [UInt8]) throws(BackendError) -> Place {
        if let reason = refusal(of: key) {
            throw BackendError(.invalidKey, "\(reason): \(String(decoding: key.prefix(200), as: UTF8.self))")
        }
        let slash = key.lastIndex(of: UInt8(ascii: "/"))
        var path: [UInt8] = []
        path.reserveCapacity(key.count + 1 + levels * (Self.shard.count + 3))
        var parent = 0
        if levels == 0 {
            path.append(contentsOf: key)
            parent = slash ?? 0
        } else {
            let nameStart = slash.map { $0 + 1 } ?? 0
            path.append(contentsOf: key[..<nameStart])
            path.append(contentsOf: folders(of: key[nameStart...]))
            parent = path.count - 1
            path.append(contentsOf: key[nameStart...])
        }
        path.append(0)
        return Place(key: key, path: path, parentLength: parent)
    }

    /// Whether `segment`, the name of a directory at the root or below, is the backend's own.
    func isReserved(_ segment: some Collection<UInt8>, atRoot: Bool) -> Bool {
        if atRoot && segment.count == Self.reserved.count && segment.elementsEqual(Self.reserved) { return true }
        return levels > 0 && segment.starts(with: Self.shard)
    }

    /// The folders that a file of this name lies in, each with a slash behind it.
    func folders(of name: some Collection<UInt8>) -> [UInt8] {
        guard levels > 0 else { return [] }
        let hash = hash(name)
        var folders: [UInt8] = []
        for level in 0..<levels {
            let byte = UInt8(truncatingIfNeeded: hash >> (8 * UInt64(level)))
            folders.append(contentsOf: Self.shard)
            folders.append(hexadecimal(byte >> 4))
            folders.append(hexadecimal(byte & 15))
            folders.append(UInt8(ascii: "/"))
        }
        return folders
    }

    private func refusal(of key: [UInt8]) -> String? {
        guard !key.isEmpty else { return "the key is empty" }
        guard key.count <= 1024 else { return "the key is longer than 1024 bytes" }
        var start = 0
        var ascii = true
        for index in 0...key.count {
            let byte = index < key.count ? key[index] : UInt8(ascii: "/")
            if byte == 0 { return "the key holds a NUL" }
            if byte >= 0x80 { ascii = false }
            guard byte == UInt8(ascii: "/") else { continue }
            let segment = key[start..<index]
            switch segment.count {
            case 0: return "the key has an empty segment"
            case 1 where segment[start] == UInt8(ascii: "."): return "the key has a dot segment"
            case 2 where segment[start] == UInt8(ascii: ".") && segment[start + 1] == UInt8(ascii: "."):
                return "the key has a dot segment"
            case 256...: return "the key has a segment of more than 255 bytes"
            default: break
            }
            if segment[start] == UInt8(ascii: ".") && isReserved(segment, atRoot: start == 0) {
                return "the name is reserved for the backend itself"
            }
            start = index + 1
        }
        if !ascii && String(validating: key, as: UTF8.self) == nil { return "the key is not UTF-8" }
        return nil
    }
}

/// One key's place below the root.
struct Place: Sendable {
    /// The key itself.
    let key: [UInt8]
    /// The path from the root, with a NUL behind it.
    let path: [UInt8]
    /// How many bytes of the path name the directory; 0 is the root.
    let parentLength: Int

    /// The path of the directory, without a NUL.
    var parent: ArraySlice<UInt8> { path[..<parentLength] }
    /// The name in the directory, with a NUL behind it.
    var name: [UInt8] { Array(path[(parentLength == 0 ? 0 : parentLength + 1)...]) }
    /// The key, for people.
    var words: String { String(decoding: key, as: UTF8.self) }
}

/// The hexadecimal digit of a value below 16.
func hexadecimal(_ digit: UInt8) -> UInt8 {
    digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
}
