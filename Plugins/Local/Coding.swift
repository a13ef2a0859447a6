// Bytes of records and sidecars: little-endian numbers, texts led by their LEB128 length.

/// Appends values.
struct Encoder {
    var bytes: [UInt8] = []

    /// A number in so many bytes.
    mutating func number(_ value: UInt64, bytes count: Int) {
        for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))) }
    }

    /// A text and its length.
    mutating func text(_ text: [UInt8]) {
        var count = text.count
        while count >= 0x80 {
            bytes.append(UInt8(count & 0x7f) | 0x80)
            count >>= 7
        }
        bytes.append(UInt8(count))
        bytes.append(contentsOf: text)
    }
}

/// Takes values off; nil where the bytes end too early.
struct Decoder {
    private let bytes: UnsafeRawBufferPointer
    private var at = 0

    /// Reads from borrowed bytes.
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The next byte.
    mutating func byte() -> UInt8? {
        guard at < bytes.count else { return nil }
        at += 1
        return bytes[at - 1]
    }

    /// The next `count` bytes.
    mutating func take(_ count: Int) -> [UInt8]? {
        guard count >= 0, count <= bytes.count - at else { return nil }
        at += count
        return Array(bytes[(at - count)..<at])
    }

    /// A number in so many bytes.
    mutating func number(bytes count: Int) -> UInt64? {
        guard count <= bytes.count - at else { return nil }
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(bytes[at + index]) << (8 * UInt64(index)) }
        at += count
        return value
    }

    /// A text.
    mutating func text() -> [UInt8]? {
        var count = 0
        var shift = 0
        while let next = byte(), shift < 35 {
            count |= Int(next & 0x7f) << shift
            if next < 0x80 { return take(count) }
            shift += 7
        }
        return nil
    }
}
