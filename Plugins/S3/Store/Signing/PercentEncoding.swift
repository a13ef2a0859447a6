// How S3 writes bytes in a URL: everything but unreserved characters is escaped, in capitals.

/// Escapes and unescapes bytes of URLs.
package enum PercentEncoding {
    /// Appends `bytes` escaped; a slash stays one where `keepsSlashes`.
    package static func append(_ bytes: some Sequence<UInt8>, to target: inout [UInt8], keepsSlashes: Bool = false) {
        for byte in bytes {
            if isUnreserved(byte) || (keepsSlashes && byte == UInt8(ascii: "/")) {
                target.append(byte)
            } else {
                target.append(UInt8(ascii: "%"))
                target.append(digit(byte >> 4))
                target.append(digit(byte & 15))
            }
        }
    }

    /// `bytes` escaped.
    package static func encode(_ bytes: some Sequence<UInt8>, keepsSlashes: Bool = false) -> String {
        var result: [UInt8] = []
        append(bytes, to: &result, keepsSlashes: keepsSlashes)
        return String(decoding: result, as: UTF8.self)
    }

    /// The bytes that `text` escapes; nil if an escape is cut short or has other digits.
    ///
    /// A plus is a blank only where the server escapes as forms do, which is told by `plusIsBlank`.
    package static func decode(_ text: some Sequence<UInt8>, plusIsBlank: Bool = false) -> [UInt8]? {
        var result: [UInt8] = []
        var iterator = text.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(value), let low = iterator.next().flatMap(value) else {
                    return nil
                }
                result.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsBlank: result.append(0x20)
            default: result.append(byte)
            }
        }
        return result
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x37
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }
}
