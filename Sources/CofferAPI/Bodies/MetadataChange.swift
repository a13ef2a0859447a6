import CofferJSON
package import CofferModel

/// What a change of metadata does; what is not named stays.
public struct MetadataChange: Sendable, Hashable {
    /// What becomes of one value.
    public enum Field: Sendable, Hashable {
        /// It stays.
        case keep
        /// It becomes this.
        case set(String)
        /// It goes.
        case clear
    }

    /// The media type.
    public var contentType: Field = .keep
    /// The coding of the stored bytes.
    public var contentEncoding: Field = .keep
    /// How a download presents itself.
    public var contentDisposition: Field = .keep
    /// The audience's language.
    public var contentLanguage: Field = .keep
    /// What caches may do.
    public var cacheControl: Field = .keep
    /// The caller's own names, each with its new value, or nil to remove it.
    public var user: [String: String?] = [:]

    /// Creates a change that changes nothing.
    public init() {}

    private static var members: [(name: String, path: WritableKeyPath<MetadataChange, Field>)] {
        [
            ("content_type", \.contentType), ("content_encoding", \.contentEncoding),
            ("content_disposition", \.contentDisposition), ("content_language", \.contentLanguage),
            ("cache_control", \.cacheControl),
        ]
    }

    /// The body of a PATCH: a value sets, null clears.
    package func encode() -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            for member in Self.members {
                switch self[keyPath: member.path] {
                case .keep: break
                case .set(let value): $0.member(member.name, value)
                case .clear: $0.member(member.name, JSONValue.null)
                }
            }
            if !user.isEmpty {
                $0.name("metadata")
                $0.object {
                    for (name, value) in user.sorted(by: { $0.key < $1.key }) { $0.member(name, value) }
                }
            }
        }
        return writer.bytes
    }

    /// Reads the body of a PATCH.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument`, naming the member.
    package init(parsing bytes: [UInt8]) throws(CofferError) {
        let body = try BodyReader(parsing: bytes)
        try body.allowOnly(Self.members.map(\.name) + ["metadata"])
        for member in Self.members {
            guard let value = body.object[member.name] else { continue }
            if value.isNull {
                self[keyPath: member.path] = .clear
            } else {
                let text = try body.string(member.name)
                try RequestFields.checkFieldValue(text, name: member.name)
                self[keyPath: member.path] = .set(text)
            }
        }
        guard let metadata = try body.optionalObject("metadata") else { return }
        for member in metadata.object {
            user[member.name] = .some(try metadata.optionalString(member.name))
        }
        try RequestFields.check(user.map { UserMetadata($0.key, $0.value ?? "") })
    }
}
