// What the service takes as the name of a blob or of a container.

package import CofferPluginSDK

/// Names as the service takes them.
package enum BlobName {
    /// The most segments of a name.
    private static let mostSegments = 254

    /// Refuses keys that the service would refuse, or take for another name.
    ///
    /// It makes slashes of backslashes, drops dots at the end of a segment, and refuses control characters.
    package static func check(_ key: ByteString) throws(BackendError) {
        guard isPossible(key.string) else {
            throw BackendError(
                .invalidKey,
                "a name of Azure has no backslash, no control character and no dot at the end of a segment: \(key)"
            )
        }
        guard key.bytes.count(where: { $0 == UInt8(ascii: "/") }) < mostSegments else {
            throw BackendError(.invalidKey, "a name of Azure has at most \(mostSegments) segments: \(key)")
        }
    }

    /// Whether the service could keep a name; with `isPrefix` whether a name could begin so.
    package static func isPossible(_ name: String, isPrefix: Bool = false) -> Bool {
        guard name.unicodeScalars.allSatisfy(isAllowed) else { return false }
        var last: UInt8 = 0
        for byte in name.utf8 {
            if byte == UInt8(ascii: "/") && last == UInt8(ascii: ".") { return false }
            last = byte
        }
        return isPrefix || last != UInt8(ascii: ".")
    }

    /// The front of a name up to what no name holds.
    package static func possibleFront(_ name: String) -> String {
        String(String.UnicodeScalarView(name.unicodeScalars.prefix(while: isAllowed)))
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 0x20 && !(0x7F..<0xA0).contains(scalar.value) && scalar != "\\"
    }

    /// Whether a container could have this name: 3 to 63 of `a-z`, `0-9` and single dashes inside; or `$root` and `$web`.
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
