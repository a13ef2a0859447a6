// How keys become paths in Dropbox, and back.

package import CofferPluginSDK

/// How keys become paths, so that no two keys are one path, though Dropbox folds case and Unicode forms.
///
/// 1. A segment of a key is one name. What Dropbox keeps apart from everything else stays as it is; all else is escaped,
///    and the form of a name never changes under Dropbox's rules:
///    - `^a` to `^z` is a capital letter of ASCII, `^^` is `^`;
///    - `^` and three decimal digits is one byte of UTF-8.
/// 2. A name that no key has in this form stands for no object: ``segment(of:)`` answers nil.
/// 3. What stays as it is depends on no version of Unicode but 4.1, so that a key has one path for ever.
package struct Names: Sendable {
    /// The path of the folder that holds all objects: empty, or with a slash at its front.
    package let root: String
    /// How many names the root has.
    package let depth: Int

    private static let mark = UInt8(ascii: "^")
    private static let slash = UInt8(ascii: "/")
    /// Files that Dropbox refuses to keep, whoever writes them.
    private static let refused = [
        "desktop.ini", "thumbs.db", ".ds_store", ".dropbox", ".dropbox.attr", ".dropbox.cache",
    ]
    .map { Array($0.utf8) }

    /// Names below a folder.
    package init(root folders: [String]) {
        root = folders.map { "/" + $0 }.joined()
        depth = folders.count
    }

    /// The path of an object.
    package func path(of key: ByteString) throws(BackendError) -> String {
        guard (1...1024).contains(key.count) else { throw Self.invalid(key, "has no 1 to 1024 bytes") }
        return root + "/" + String(decoding: try Self.names(of: key, key.bytes[...]), as: UTF8.self)
    }

    /// The path of the folder that holds the keys below `folder`, which is empty or ends with a slash; nil where no key is.
    package func path(ofFolder folder: [UInt8]) -> String? {
        guard !folder.isEmpty else { return root }
        // What no key can begin with holds nothing.
        guard let names = try? Self.names(of: ByteString(folder), folder.dropLast()) else { return nil }
        return root + "/" + String(decoding: names, as: UTF8.self)
    }

    private static func names(of key: ByteString, _ bytes: ArraySlice<UInt8>) throws(BackendError) -> [UInt8] {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw invalid(key, "is not UTF-8") }
        var path: [UInt8] = []
        for segment in text.utf8.split(separator: slash, omittingEmptySubsequences: false) {
            if !path.isEmpty { path.append(slash) }
            let segment = Substring(segment)
            guard !segment.isEmpty else { throw invalid(key, "has an empty segment") }
            guard !segment.utf8.elementsEqual(".".utf8), !segment.utf8.elementsEqual("..".utf8) else {
                throw invalid(key, "has a dot segment")
            }
            guard !segment.utf8.contains(0) else { throw invalid(key, "holds a NUL") }
            let name = name(of: segment.unicodeScalars)
            guard String(decoding: name, as: UTF8.self).utf16.count <= 255 else {
                throw invalid(key, "has a segment of more than 255 characters as Dropbox would keep it")
            }
            path += name
        }
        return path
    }

    private static func invalid(_ key: ByteString, _ why: String) -> BackendError {
        BackendError(.invalidKey, "the key \(why): \(String(decoding: key.bytes.prefix(200), as: UTF8.self))")
    }

    /// The name of a segment that is neither empty nor dots.
    static func name(of scalars: Substring.UnicodeScalarView) -> [UInt8] {
        var name: [UInt8] = []
        var index = scalars.startIndex
        while index < scalars.endIndex {
            let scalar = scalars[index]
            let isFirst = index == scalars.startIndex
            index = scalars.index(after: index)
            let isLast = index == scalars.endIndex
            switch scalar {
            case "^": name += [mark, mark]
            case "A"..."Z": name += [mark, UInt8(truncatingIfNeeded: scalar.value) | 0x20]
            case " " where isFirst || isLast, "." where isLast: escape(scalar, into: &name)
            default:
                if isKept(scalar) { name += Array(String(scalar).utf8) } else { escape(scalar, into: &name) }
            }
        }
        if refused.contains(name) {
            var escaped: [UInt8] = []
            escape(Unicode.Scalar(name[0]), into: &escaped)
            name.replaceSubrange(0..<1, with: escaped)
        }
        return name
    }

    private static func escape(_ scalar: Unicode.Scalar, into name: inout [UInt8]) {
        for byte in String(scalar).utf8 {
            name += [mark, 0x30 + byte / 100, 0x30 + byte / 10 % 10, 0x30 + byte % 10]
        }
    }

    /// Whether Dropbox keeps a character as it is, beside whatever else.
    private static func isKept(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x80 else { return scalar.value >= 0x20 && scalar.value != 0x7F && scalar != "\\" }
        // Dropbox refused names beyond the first plane for long.
        guard scalar.value < 0xFFFE, !(0x1100...0x11FF).contains(scalar.value) else { return false }
        let facts = scalar.properties
        // The case rules of Dropbox are those of Unicode 4.1.
        guard let age = facts.age, age.major < 4 || (age.major == 4 && age.minor <= 1) else { return false }
        switch facts.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .nonspacingMark, .spacingMark, .enclosingMark,
            .spaceSeparator, .lineSeparator, .paragraphSeparator:
            return false
        default: break
        }
        // A character with these properties is the same in lower case and in the composed form, whatever is beside it.
        return !facts.changesWhenLowercased && !facts.isFullCompositionExclusion
            && facts.canonicalCombiningClass == .notReordered
    }

    /// The segment that has this name, as Dropbox tells it in lower case; nil where no key has it.
    package static func segment(of name: some Collection<UInt8>) -> [UInt8]? {
        var segment: [UInt8] = []
        var rest = Array(name)[...]
        while let byte = rest.popFirst() {
            guard byte == mark else {
                segment.append(byte)
                continue
            }
            switch rest.first {
            case mark: segment.append(mark)
            case let letter? where (0x61...0x7A).contains(letter): segment.append(letter & 0xDF)
            default:
                let digits = rest.prefix(3)
                guard digits.count == 3, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
                guard let value = UInt8(exactly: digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }) else { return nil }
                segment.append(value)
                rest.removeFirst(2)
            }
            rest.removeFirst()
        }
        guard !segment.isEmpty, !segment.contains(slash), let text = String(validating: segment, as: UTF8.self),
            Self.name(of: text[...].unicodeScalars).elementsEqual(name)
        else { return nil }
        return segment
    }
}
