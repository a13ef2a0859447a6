// The hot end of writing JSON: bytes appended to bytes, without a String in between.

extension [UInt8] {
    /// Appends `value` in decimal.
    public mutating func appendDecimal(_ value: Int64) {
        if value >= 0 && value < 10 { return append(UInt8(0x30 + value)) }
        var digits: InlineArray<20, UInt8> = .init(repeating: 0)
        var first = 20
        var rest = value.magnitude
        repeat {
            first -= 1
            digits[first] = UInt8(0x30 + rest % 10)
            rest /= 10
        } while rest > 0
        if value < 0 { append(UInt8(ascii: "-")) }
        for index in first..<20 { append(digits[index]) }
    }

    /// Appends the UTF-8 at `range` of `text` as a JSON string, quotes included; what is not valid becomes U+FFFD.
    public mutating func appendJSONString(_ text: [UInt8], _ range: Range<Int>) {
        append(UInt8(ascii: "\""))
        // Without branches, so that it goes by many bytes a step.
        let span = text.span.extracting(range)
        var special: UInt8 = 0
        var all: UInt8 = 0
        for index in 0..<span.count {
            let byte = span[index]
            special |= byte < 0x20 ? 1 : 0
            special |= byte == UInt8(ascii: "\"") ? 1 : 0
            special |= byte == UInt8(ascii: "\\") ? 1 : 0
            all |= byte
        }
        let isASCII = all < 0x80
        if special == 0 && isASCII {
            append(contentsOf: text[range])
        } else if !isASCII && String(validating: text[range], as: UTF8.self) == nil {
            let repaired = Array(String(decoding: text[range], as: UTF8.self).utf8)
            appendEscaped(repaired, 0..<repaired.count)
        } else {
            appendEscaped(text, range)
        }
        append(UInt8(ascii: "\""))
    }

    /// Appends runs of plain bytes as they are and escapes what lies between them.
    private mutating func appendEscaped(_ text: [UInt8], _ range: Range<Int>) {
        var start = range.lowerBound
        for index in range {
            let byte = text[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            append(contentsOf: text[start..<index])
            start = index + 1
            append(UInt8(ascii: "\\"))
            switch byte {
            case 0x08: append(UInt8(ascii: "b"))
            case 0x09: append(UInt8(ascii: "t"))
            case 0x0A: append(UInt8(ascii: "n"))
            case 0x0C: append(UInt8(ascii: "f"))
            case 0x0D: append(UInt8(ascii: "r"))
            case 0..<0x20: append(contentsOf: [0x75, 0x30, 0x30, 0x30 + byte >> 4, hexDigit(byte & 15)])
            default: append(byte)
            }
        }
        append(contentsOf: text[start..<range.upperBound])
    }

    private func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}
