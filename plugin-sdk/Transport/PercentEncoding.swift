// Percent-encoding, and targets that may be shown.

/// Percent-encodes bytes for a path or a query: letters, digits, `-._~` and those of `keeping` stay, the rest becomes `%XX`.
///
/// This is the encoding that AWS signatures demand; with `keeping: "/"` it is that of a path.
public func percentEncoded(_ bytes: some Sequence<UInt8>, keeping: StaticString = "") -> String {
    let digits: StaticString = "0123456789ABCDEF"
    var result: [UInt8] = []
    result.reserveCapacity(bytes.underestimatedCount)
    keeping.withUTF8Buffer { keeping in
        digits.withUTF8Buffer { digits in
            for byte in bytes {
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: result.append(byte)
                case _ where keeping.contains(byte): result.append(byte)
                default:
                    result.append(0x25)
                    result.append(digits[Int(byte >> 4)])
                    result.append(digits[Int(byte & 15)])
                }
            }
        }
    }
    return String(decoding: result, as: UTF8.self)
}

/// Decodes `%XX`; nil where a percent sign is not followed by two digits.
public func percentDecoded(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    var bytes = text.makeIterator()
    while let byte = bytes.next() {
        guard byte == 0x25 else {
            result.append(byte)
            continue
        }
        guard let high = bytes.next().flatMap(hexadecimalValue), let low = bytes.next().flatMap(hexadecimalValue) else {
            return nil
        }
        result.append(high << 4 | low)
    }
    return result
}

/// Hides each value of the query in a target: signatures, keys and tokens travel there.
public func redactingQuery(of target: String) -> String {
    guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return target }
    let query = target.utf8[target.utf8.index(after: mark)...]
    let pairs = query.split(separator: UInt8(ascii: "&")).map { pair in
        guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { return String(Substring(pair)) }
        return String(Substring(pair[..<equals])) + "=..."
    }
    return String(target[..<mark]) + "?" + pairs.joined(separator: "&")
}

private func hexadecimalValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
}
