import CofferModel

/// Which object somebody means: `storage:key`, or a bare key of the default storage.
struct Address: Hashable {
    /// Nil for the default storage.
    var storage: String?
    var key: String

    /// Reads `word`: what stands before the first colon is the storage, nothing before it the default one.
    init(_ word: String) {
        guard let colon = word.utf8.firstIndex(of: UInt8(ascii: ":")) else {
            key = word
            return
        }
        let name = String(word[..<colon])
        storage = name.isEmpty ? nil : name
        key = String(word[word.utf8.index(after: colon)...])
    }

    /// Whether this names a place for several objects instead of one.
    var isFolder: Bool { key.isEmpty || key.utf8.last == UInt8(ascii: "/") }

    /// The address of `name` in this folder.
    func appending(_ name: String) -> Address {
        var address = self
        address.key += name
        return address
    }

    /// What follows the last slash of the key.
    var lastSegment: String {
        let last = key.utf8.split(separator: UInt8(ascii: "/")).last
        return last.map { String(Substring($0)) } ?? ""
    }
}

/// An object in a storage whose name is known.
struct Place: Hashable, CustomStringConvertible {
    let storage: String
    let key: Key

    var description: String { "\(storage):\(key.text)" }
}
