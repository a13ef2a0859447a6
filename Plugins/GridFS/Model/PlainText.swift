// Values that other programs put into metadata, as text.

extension Value {
    /// The value as text: a string as it is, a number in decimal, anything composed as JSON.
    package var plainText: [UInt8] {
        switch self {
        case .string(let text): text
        case .null: []
        default: json
        }
    }

    /// The value as JSON; types that JSON lacks become strings.
    private var json: [UInt8] {
        switch self {
        case .double(let number): Array((number.isFinite ? "\(number)" : "null").utf8)
        case .string(let text): Self.quoted(text)
        case .document(let fields):
            [0x7B] + fields.map { Self.quoted($0.name) + [0x3A] + $0.value.json }.joined(separator: [0x2C]) + [0x7D]
        case .array(let elements): [0x5B] + elements.map(\.value.json).joined(separator: [0x2C]) + [0x5D]
        case .binary(_, let bytes): Self.quoted(bytes.hexadecimal)
        case .objectID(let id): Self.quoted(id.hexadecimal)
        case .boolean(let flag): Array((flag ? "true" : "false").utf8)
        case .date(let time): Array("\(time)".utf8)
        case .null: Array("null".utf8)
        case .int32(let number): Array("\(number)".utf8)
        case .int64(let number): Array("\(number)".utf8)
        case .other(_, let bytes): Self.quoted(bytes.hexadecimal)
        }
    }

    private static func quoted(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [0x22]
        for byte in text {
            switch byte {
            case 0x22, 0x5C: result += [0x5C, byte]
            case 0..<0x20: result += Array("\\u00".utf8) + [byte].hexadecimal
            default: result.append(byte)
            }
        }
        return result + [0x22]
    }
}
