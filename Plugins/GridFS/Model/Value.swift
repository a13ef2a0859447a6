// A value of BSON, as far as a files document needs it.

/// A value of BSON.
///
/// What this room has no use for stays as its bytes, so that an identifier of any type, and metadata that another
/// program wrote, come through unchanged.
package enum Value: Sendable, Hashable {
    case double(Double)
    case string([UInt8])
    case document(Document)
    case array(Document)
    case binary(subtype: UInt8, [UInt8])
    case objectID(ObjectID)
    case boolean(Bool)
    /// Milliseconds since 1970.
    case date(Int64)
    case null
    case int32(Int32)
    case int64(Int64)
    /// Any other type, by its number and its bytes.
    case other(type: UInt8, [UInt8])

    /// The number of the type in BSON.
    package var type: UInt8 {
        switch self {
        case .double: 0x01
        case .string: 0x02
        case .document: 0x03
        case .array: 0x04
        case .binary: 0x05
        case .objectID: 0x07
        case .boolean: 0x08
        case .date: 0x09
        case .null: 0x0A
        case .int32: 0x10
        case .int64: 0x12
        case .other(let type, _): type
        }
    }

    /// A whole number, whatever the type that holds it.
    package var integer: Int64? {
        switch self {
        case .int32(let number): Int64(number)
        case .int64(let number): number
        case .double(let number): Int64(exactly: number)
        default: nil
        }
    }

    /// The bytes of a string.
    package var text: [UInt8]? {
        if case .string(let bytes) = self { bytes } else { nil }
    }

    /// The fields of a document.
    package var fields: Document? {
        if case .document(let document) = self { document } else { nil }
    }

    /// The elements of an array.
    package var elements: [Value]? {
        if case .array(let array) = self { array.map(\.value) } else { nil }
    }
}

/// Twelve bytes that nobody else has.
package struct ObjectID: Sendable, Hashable {
    package let bytes: [UInt8]

    /// Takes twelve bytes.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 12 else { return nil }
        self.bytes = Array(bytes)
    }

    /// Twenty-four digits.
    package var hexadecimal: [UInt8] { bytes.hexadecimal }
}

extension Collection<UInt8> {
    /// Two digits for each byte.
    package var hexadecimal: [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}
