/// Bytes as base64 (RFC 4648, section 4), padded.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        append(bytes, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends what ``encode(_:)`` writes.
    static func append(_ bytes: [UInt8], to text: inout [UInt8]) {
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            var bits = UInt32(bytes[index]) << 16
            if left > 1 { bits |= UInt32(bytes[index + 1]) << 8 }
            if left > 2 { bits |= UInt32(bytes[index + 2]) }
            text.append(alphabet[Int(bits >> 18)])
            text.append(alphabet[Int(bits >> 12 & 63)])
            text.append(left > 1 ? alphabet[Int(bits >> 6 & 63)] : UInt8(ascii: "="))
            text.append(left > 2 ? alphabet[Int(bits & 63)] : UInt8(ascii: "="))
            index += 3
        }
    }

    /// Appends as base64 the `length` bytes that `text` means as hexadecimal; false, and nothing, where it means others.
    static func append(hexadecimal text: String, length: Int, to bytes: inout [UInt8]) -> Bool {
        let digits = text.utf8.span
        guard digits.count == 2 * length else { return false }
        var place = bytes.count
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "="), count: (length + 2) / 3 * 4))
        var bits: UInt32 = 0
        var count = 0
        let letters = alphabet.span
        let values = Hexadecimal.values.span
        var unknown: UInt8 = 0
        var target = bytes.mutableSpan
        for index in 0..<digits.count {
            let value = values[Int(digits[index])]
            unknown |= value
            bits = bits << 4 | UInt32(value)
            count += 4
            // A place as soon as its six bits are known.
            guard count >= 6 else { continue }
            count -= 6
            target[place] = letters[Int(bits >> UInt32(count) & 63)]
            place += 1
        }
        if count > 0 { target[place] = letters[Int(bits << UInt32(6 - count) & 63)] }
        if unknown < 16 { return true }
        bytes.removeLast((length + 2) / 3 * 4)
        return false
    }

    /// The bytes that `text` means; nil where it is not base64.
    ///
    /// Padding may be missing, stray bits may not be set.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        var padding = 0
        for character in text {
            if character == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard padding == 0, let sextet = sextet(character) else { return nil }
            bits = bits << 6 | UInt32(sextet)
            count += 1
            if count % 4 == 0 {
                bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
                bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
                bytes.append(UInt8(truncatingIfNeeded: bits))
                bits = 0
            }
        }
        guard padding == 0 || (padding <= 2 && (count + padding) % 4 == 0) else { return nil }
        switch count % 4 {
        case 0: return bytes
        case 2 where bits & 15 == 0: bytes.append(UInt8(truncatingIfNeeded: bits >> 4))
        case 3 where bits & 3 == 0:
            bytes.append(UInt8(truncatingIfNeeded: bits >> 10))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 2))
        default: return nil
        }
        return bytes
    }

    private static func sextet(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - 0x41
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - 0x61 + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - 0x30 + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

/// Bytes as hexadecimal.
package enum Hexadecimal {
    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(2 * bytes.count)
        for byte in bytes {
            text.append(digit(byte >> 4))
            text.append(digit(byte & 15))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes that `text` means; nil where it is not hexadecimal.
    package static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count / 2)
        var characters = text.utf8.makeIterator()
        while let first = characters.next() {
            guard let second = characters.next(), let high = value(of: first), let low = value(of: second) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    /// The value of a hexadecimal digit; nil where `character` is none.
    package static func value(of character: UInt8) -> UInt8? {
        switch character {
        case 0x30...0x39: character - 0x30
        case 0x41...0x46: character - 0x41 + 10
        case 0x61...0x66: character - 0x61 + 10
        default: nil
        }
    }

    /// The value of each byte as a digit, and 0xFF for what is none.
    fileprivate static let values = (UInt8.min...UInt8.max).map { value(of: $0) ?? 0xFF }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}
