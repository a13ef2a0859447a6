/// Percent-encoding (RFC 3986, section 2.1).
package enum PercentCoding {
    /// What stays as it is.
    package enum Set: Sendable {
        /// A whole key in a path: unreserved, sub-delimiters, `:`, `@` and the slash.
        case path
        /// A name or a value in a query, or one segment: unreserved only.
        case component
        /// A field's value: visible ASCII.
        case field
        /// An extended parameter (RFC 8187): its attribute characters.
        case attribute

        func contains(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: return true
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): return true
            case UInt8(ascii: "%"): return false
            default: break
            }
            switch self {
            case .path: return "/!$&'()*+,;=:@".utf8.contains(byte)
            case .component: return false
            case .field: return byte > 0x20 && byte < 0x7F
            case .attribute: return "!#$&+^`|".utf8.contains(byte)
            }
        }
    }

    /// `text` with everything outside `set` encoded.
    package static func encode(_ text: String, keeping set: Set) -> String {
        if text.utf8.allSatisfy({ set.contains($0) }) { return text }
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if set.contains(byte) {
                bytes.append(byte)
            } else {
                bytes.append(UInt8(ascii: "%"))
                bytes.append(upperDigit(byte >> 4))
                bytes.append(upperDigit(byte & 15))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `text` decoded exactly once; nil where an escape is malformed or the result is not UTF-8.
    ///
    /// `+` is a plus.
    package static func decode(_ text: ArraySlice<UInt8>) -> String? {
        var all: UInt8 = 0
        var isPlain = true
        for byte in text {
            all |= byte
            isPlain = isPlain && byte != UInt8(ascii: "%")
        }
        // ASCII is UTF-8, and most names are nothing else.
        if isPlain && all < 0x80 { return String(decoding: text, as: UTF8.self) }
        if isPlain { return String(validating: text, as: UTF8.self) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                index += 1
                continue
            }
            guard index + 2 < text.endIndex, let high = Hexadecimal.value(of: text[index + 1]),
                let low = Hexadecimal.value(of: text[index + 2])
            else { return nil }
            bytes.append(high << 4 | low)
            index += 3
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func upperDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }
}
