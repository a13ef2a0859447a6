// What metadata may be: refused before any byte is written, and alike on every backend.
import CofferModel

extension Metadata {
    /// The most that names and values of user metadata may take, in bytes.
    static let userLimit: Int64 = 8 << 10

    /// Refuses what no backend should be asked to keep.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument`, naming the field.
    func check(limit: Int64?) throws(CofferError) {
        for (name, value) in [
            ("content_type", contentType), ("content_encoding", contentEncoding),
            ("content_disposition", contentDisposition), ("content_language", contentLanguage),
            ("cache_control", cacheControl),
        ] {
            guard let value else { continue }
            try Self.checkText(value, of: name)
            guard value.utf8.count <= 1024 else {
                throw CofferError(.invalidArgument, "\(name) has \(value.utf8.count) bytes, the limit is 1024")
            }
        }
        var names: Set<String> = []
        var size: Int64 = 0
        for pair in user {
            try Self.checkName(pair.name)
            guard names.insert(pair.name.lowercased()).inserted else {
                throw CofferError(.invalidArgument, "user metadata has \(pair.name) twice")
            }
            try Self.checkText(pair.value, of: "user metadata \(pair.name)")
            size += Int64(pair.name.utf8.count + pair.value.utf8.count)
        }
        let limit = min(limit ?? .max, Self.userLimit)
        guard size <= limit else {
            throw CofferError(.invalidArgument, "user metadata has \(size) bytes, the limit is \(limit)")
        }
    }

    /// With lower-case names in order, as ``Metadata/user`` promises.
    var normalized: Metadata {
        guard !user.isEmpty else { return self }
        var result = self
        result.user = user.map { UserMetadata($0.name.lowercased(), $0.value) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return result
    }

    private static func checkName(_ name: String) throws(CofferError) {
        guard !name.isEmpty else { throw CofferError(.invalidArgument, "user metadata has an empty name") }
        guard name.utf8.allSatisfy(isNameByte) else {
            throw CofferError(
                .invalidArgument,
                "user metadata has a name with other than letters, digits, hyphen, underscore and dot"
            )
        }
        guard !name.lowercased().hasPrefix("coffer-") else {
            throw CofferError(
                .invalidArgument,
                "user metadata \(name): names that begin with coffer- are the host's own"
            )
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }

    private static func checkText(_ text: String, of name: String) throws(CofferError) {
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw CofferError(.invalidArgument, "\(name) has a control character")
        }
    }
}
