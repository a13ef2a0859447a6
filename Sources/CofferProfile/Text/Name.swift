// What a storage or a profile may be called.

/// The names of storages and profiles.
enum Name {
    /// Whether `name` fits into a URL, a path and `storage:key` as it is.
    static func isValid(_ name: String) -> Bool {
        let bytes = name.utf8
        let isAlphanumeric: (UInt8) -> Bool = { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) }
        guard let first = bytes.first, isAlphanumeric(first), bytes.count <= 64 else { return false }
        return bytes.allSatisfy { isAlphanumeric($0) || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F }
    }

    static func problem(_ what: String, _ name: String) -> String {
        "\(name.quoted) is no name for a \(what), expected 1 to 64 letters, digits, \"-\", \"_\" or \".\", the first a letter or digit"
    }
}
