// What the service takes as the name of a blob or of a container, and how every key becomes one.

package import CofferPluginSDK

/// Names as the service takes them.
///
/// It makes slashes of backslashes and drops dots at the end of a segment, so a few keys are kept under other names.
/// Each has one name and each name one key, and names are in the order of their keys:
/// 1. A backslash is `[` and U+10FFFD: that sorts behind all that begins with `[`, and before `]`.
/// 2. A slash behind a dot has `.` and U+10FFFD before it: that sorts behind all that goes on with a dot.
/// 3. A dot at the end, and blanks behind such a dot, have one blank more: that sorts before all that goes on.
/// 4. Keys that hold U+10FFFD, a private character, are refused, and so are control characters.
package enum BlobName {
    private static let mark: Unicode.Scalar = "\u{10FFFD}"
    /// The most segments of a name, and the most UTF-16 units.
    private static let (mostSegments, mostUnits) = (254, 1024)

    /// The name of a key; one that no name can stand for is `invalidKey`.
    package static func name(of key: ByteString) throws(BackendError) -> String {
        let text = key.string
        guard isPossible(text) else {
            throw BackendError(.invalidKey, "a name of Azure holds no control character and no U+10FFFD: \(key)")
        }
        guard key.bytes.count(where: { $0 == UInt8(ascii: "/") }) < mostSegments else {
            throw BackendError(.invalidKey, "a name of Azure has at most \(mostSegments) segments: \(key)")
        }
        let name = escaped(text)
        guard name.utf16.count <= mostUnits else {
            throw BackendError(.invalidKey, "a name of Azure has at most \(mostUnits) characters: \(key)")
        }
        return name
    }

    /// What the names of all keys with a prefix begin with; others may begin so too.
    package static func prefix(of prefix: String) -> String { escaped(prefix, isWhole: false) }

    /// The key of a name, or of a prefix that the service grouped.
    package static func key(of name: ByteString) -> ByteString {
        let dot = UInt8(ascii: ".")
        let isPlain = !name.bytes.contains(0xF4) && (name.bytes.last != 0x20 || !name.bytes.contains(dot))
        if isPlain { return name }
        var result = String.UnicodeScalarView()
        for scalar in name.string.unicodeScalars {
            guard scalar == mark, let last = result.last, last == "[" || last == "." else {
                result.append(scalar)
                continue
            }
            result.removeLast()
            if last == "[" { result.append("\\") }
        }
        if endsWithDot(result), result.last == " " { result.removeLast() }
        return ByteString(String(result))
    }

    /// Whether a key could hold this.
    package static func isPossible(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(isAllowed) }

    /// The front of a text up to what no key holds.
    package static func possibleFront(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(while: isAllowed)))
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 0x20 && !(0x7F..<0xA0).contains(scalar.value) && scalar != mark
    }

    private static func escaped(_ text: String, isWhole: Bool = true) -> String {
        let bytes = text.utf8
        guard bytes.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: ".") }) else { return text }
        var result = String.UnicodeScalarView()
        var last: Unicode.Scalar = "/"
        for scalar in text.unicodeScalars {
            if scalar == "\\" {
                result.append("[")
                result.append(mark)
            } else {
                if scalar == "/", last == "." {
                    result.append(".")
                    result.append(mark)
                }
                result.append(scalar)
            }
            last = scalar
        }
        if isWhole, endsWithDot(result) { result.append(" ") }
        return String(result)
    }

    /// Whether a dot is last, blanks apart.
    private static func endsWithDot(_ text: String.UnicodeScalarView) -> Bool {
        text.reversed().first { $0 != " " } == "."
    }

    /// Whether a container could have this name: 3 to 63 of `a-z`, `0-9` and single dashes inside; `$root` or `$web`.
    package static func isContainer(_ name: String) -> Bool {
        if name.utf8.elementsEqual("$root".utf8) || name.utf8.elementsEqual("$web".utf8) { return true }
        guard (3...63).contains(name.utf8.count) else { return false }
        let dash = UInt8(ascii: "-")
        var last = dash
        for byte in name.utf8 {
            switch byte {
            case 0x30...0x39, 0x61...0x7A: break
            case dash where last != dash: break
            default: return false
            }
            last = byte
        }
        return last != dash
    }
}
