/// Fields to send, in their order: a name and its value.
package typealias FieldList = [(name: String, value: String)]

/// The fields of a received head: the values of all fields of a name, which is given in lower case.
package typealias FieldLookup = (_ name: String) -> [String]

/// The names of our own fields and media types.
package enum Wire {
    package static let json = "application/json"
    package static let ndjson = "application/x-ndjson"
    package static let generation = "Coffer-Generation"
    package static let storage = "Coffer-Storage"
    package static let backend = "Coffer-Backend"
    package static let key = "Coffer-Key"
    package static let version = "Coffer-Version"
    package static let created = "Coffer-Created"
    package static let modified = "Coffer-Modified"
    package static let checksum = "Coffer-Checksum"
    package static let metaPrefix = "Coffer-Meta-"
    package static let descriptor = "Coffer-Fd"
    package static let descriptorPreference = "coffer-fd"
    package static let idempotencyKey = "Idempotency-Key"

    /// Whether a listing is wanted as NDJSON: `Accept` names it.
    package static func wantsNDJSON(accept values: [String]) -> Bool {
        values.contains { value in
            value.split(separator: ",").contains { item in
                let type = item.split(separator: ";", omittingEmptySubsequences: false).first ?? ""
                return type.trimmed.lowercasedASCII == ndjson
            }
        }
    }

    /// Whether the client asks for a descriptor: `Prefer: coffer-fd` (RFC 7240).
    package static func wantsDescriptor(prefer values: [String]) -> Bool {
        values.contains { value in
            value.split(separator: ",").contains { item in
                let token = item.split(separator: ";", omittingEmptySubsequences: false).first ?? ""
                return token.trimmed.lowercasedASCII == descriptorPreference
            }
        }
    }
}

extension Substring {
    /// This without spaces and tabs at its ends.
    var trimmed: Substring {
        var text = self
        while let first = text.utf8.first, first == 0x20 || first == 0x09 { text.removeFirst() }
        while let last = text.utf8.last, last == 0x20 || last == 0x09 { text.removeLast() }
        return text
    }

    /// This with the letters A to Z in lower case.
    var lowercasedASCII: String { String(self).lowercasedASCII }
}

extension String {
    /// This with the letters A to Z in lower case.
    package var lowercasedASCII: String {
        var bytes = Array(utf8)
        for index in bytes.indices where bytes[index] >= 0x41 && bytes[index] <= 0x5A { bytes[index] |= 0x20 }
        return String(decoding: bytes, as: UTF8.self)
    }
}
