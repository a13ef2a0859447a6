// The file that AWS programs share: sections in brackets, a name and a value on each line.

/// Credentials by the names of their profiles.
package struct SharedCredentialsFile: Sendable {
    private let sections: [String: [String: String]]

    /// Reads a file's text; what is neither a section nor a setting is passed over, as other programs do.
    package init(_ text: String) {
        var sections: [String: [String: String]] = [:]
        var name: String?
        for line in text.utf8.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            // An indented line goes on with a nested setting, of which none is a credential.
            let isNested = line.first == 0x20 || line.first == 0x09
            let text = Self.trimmed(line)
            guard let first = text.first, first != UInt8(ascii: "#"), first != UInt8(ascii: ";") else { continue }
            if first == UInt8(ascii: "[") {
                let end = text.firstIndex(of: UInt8(ascii: "]")) ?? text.endIndex
                name = Self.sectionName(text[text.index(after: text.startIndex)..<end])
            } else if let name, !isNested, let equals = text.firstIndex(of: UInt8(ascii: "=")) {
                let key = String(decoding: Self.trimmed(text[..<equals]), as: UTF8.self).lowercased()
                let value = Self.trimmed(Self.withoutComment(text[text.index(after: equals)...]))
                sections[name, default: [:]][key] = String(decoding: value, as: UTF8.self)
            }
        }
        self.sections = sections
    }

    /// The credentials of a profile; nil if there is none of that name or it has no keys.
    package func credentials(profile: String) -> Credentials? {
        guard let section = sections[profile], let accessKey = section["aws_access_key_id"], !accessKey.isEmpty,
            let secretKey = section["aws_secret_access_key"], !secretKey.isEmpty
        else { return nil }
        let token = section["aws_session_token"] ?? section["aws_security_token"]
        return Credentials(
            accessKey: accessKey,
            secretKey: secretKey,
            sessionToken: token.flatMap { $0.isEmpty ? nil : $0 }
        )
    }

    /// In the file of settings the section of a profile is called `profile NAME`.
    private static func sectionName(_ text: Substring.UTF8View) -> String {
        let name = String(decoding: trimmed(text), as: UTF8.self)
        let word = "profile "
        guard name.utf8.starts(with: word.utf8) else { return name }
        return String(decoding: trimmed(name[...].utf8.dropFirst(word.utf8.count)), as: UTF8.self)
    }

    /// A comment behind a value has a blank before it.
    private static func withoutComment(_ text: Substring.UTF8View) -> Substring.UTF8View {
        var previous: UInt8 = 0
        for index in text.indices {
            let byte = text[index]
            if (byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";")) && (previous == 0x20 || previous == 0x09) {
                return text[..<index]
            }
            previous = byte
        }
        return text
    }

    private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        var text = text
        while let first = text.first, first == 0x20 || first == 0x09 { text = text.dropFirst() }
        while let last = text.last, last == 0x20 || last == 0x09 { text = text.dropLast() }
        return text
    }
}
