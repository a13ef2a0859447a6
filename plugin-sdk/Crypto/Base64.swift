/// `bytes` in Base64 (RFC 4648, section 4), with padding.
public func base64(_ bytes: some Collection<UInt8>) -> String {
    var result: [UInt8] = []
    result.reserveCapacity((bytes.count + 2) / 3 * 4)
    var group: UInt32 = 0
    var held = 0
    for byte in bytes {
        group = group << 8 | UInt32(byte)
        held += 1
        guard held == 3 else { continue }
        for shift in [18, 12, 6, 0] { result.append(base64Digit(group >> UInt32(shift) & 63)) }
        (group, held) = (0, 0)
    }
    if held > 0 {
        group <<= UInt32(8 * (3 - held))
        for index in 0..<4 {
            result.append(index <= held ? base64Digit(group >> UInt32(18 - 6 * index) & 63) : UInt8(ascii: "="))
        }
    }
    return String(decoding: result, as: UTF8.self)
}

private func base64Digit(_ value: UInt32) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: value)
    return switch value {
    case 0..<26: 0x41 + value
    case 26..<52: 0x61 + value - 26
    case 52..<62: 0x30 + value - 52
    case 62: UInt8(ascii: "+")
    default: UInt8(ascii: "/")
    }
}

/// The bytes that `text` writes in Base64 with padding; nil if it is anything else.
public func bytes(base64 text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 4) else { return nil }
    let padding = digits.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    guard padding <= 2 else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(digits.count / 4 * 3)
    var group: UInt32 = 0
    for (index, digit) in digits.enumerated() {
        if index >= digits.count - padding {
            group <<= 6
        } else {
            guard let value = base64Value(digit) else { return nil }
            group = group << 6 | value
        }
        guard index % 4 == 3 else { continue }
        for shift in [16, 8, 0] { result.append(UInt8(truncatingIfNeeded: group >> UInt32(shift))) }
        group = 0
    }
    // Bits that padding hides must be zero: one text for each value.
    guard result.suffix(padding).allSatisfy({ $0 == 0 }) else { return nil }
    result.removeLast(padding)
    return result
}

private func base64Value(_ digit: UInt8) -> UInt32? {
    switch digit {
    case 0x41...0x5A: UInt32(digit - 0x41)
    case 0x61...0x7A: UInt32(digit - 0x61) + 26
    case 0x30...0x39: UInt32(digit - 0x30) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
}
