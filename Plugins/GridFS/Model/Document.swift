// A document of BSON, read.

/// A document of BSON, which is checked as it is read: what a server sends is not believed.
package struct Document: Sendable, Hashable, Sequence {
    /// The bytes, with their length in front and a zero at the end.
    package let bytes: [UInt8]

    /// A document without fields.
    package static let empty = Document(unchecked: [5, 0, 0, 0, 0])

    /// How deep documents lie in each other at most, as MongoDB has it.
    private static let deepest = 100

    init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// Takes bytes; nil if they are no document.
    package init?(_ bytes: some Collection<UInt8>) {
        self.init(Array(bytes), depth: 0)
    }

    private init?(_ bytes: [UInt8], depth: Int) {
        guard depth < Self.deepest, Self.isWhole(bytes, depth: depth) else { return nil }
        self.init(unchecked: bytes)
    }

    /// The value of the first field of this name.
    package subscript(name: String) -> Value? {
        first { $0.name.elementsEqual(name.utf8) }?.value
    }

    package func makeIterator() -> Iterator { Iterator(bytes) }

    /// Walks the fields in order.
    package struct Iterator: IteratorProtocol {
        private var cursor: Cursor

        init(_ bytes: [UInt8]) { cursor = Cursor(bytes) }

        package mutating func next() -> (name: [UInt8], value: Value)? { cursor.next() }
    }

    private static func isWhole(_ bytes: [UInt8], depth: Int) -> Bool {
        guard bytes.count >= 5, Cursor.length(bytes, at: 0) == bytes.count, bytes.last == 0 else { return false }
        var cursor = Cursor(bytes)
        while let field = cursor.next() {
            switch field.value {
            case .document(let inner), .array(let inner):
                guard Document(inner.bytes, depth: depth + 1) != nil else { return false }
            default: break
            }
        }
        return cursor.isAtEnd
    }
}

/// Reads one field after another; stops at the end, or where the bytes make no sense.
private struct Cursor {
    private let bytes: [UInt8]
    private var at = 4

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Whether all was read, and made sense.
    var isAtEnd: Bool { at == bytes.count - 1 }

    static func length(_ bytes: [UInt8], at offset: Int) -> Int? {
        guard offset + 4 <= bytes.count else { return nil }
        let value = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[offset + $1]) << (8 * $1) }
        return Int(exactly: Int32(bitPattern: value)).flatMap { $0 >= 0 ? $0 : nil }
    }

    mutating func next() -> (name: [UInt8], value: Value)? {
        let end = bytes.count - 1
        guard at < end else { return nil }
        let type = bytes[at]
        guard let stop = bytes[(at + 1)..<end].firstIndex(of: 0) else { return nil }
        let name = Array(bytes[(at + 1)..<stop])
        guard let (value, next) = value(of: type, from: stop + 1), next <= end else { return nil }
        at = next
        return (name, value)
    }

    /// The value that starts at an offset, and where it ends.
    private func value(of type: UInt8, from start: Int) -> (Value, Int)? {
        switch type {
        case 0x01: return number(start).map { (.double(Double(bitPattern: $0)), start + 8) }
        case 0x02: return string(start).map { (.string(Array($0.0)), $0.1) }
        case 0x03, 0x04:
            guard let length = Self.length(bytes, at: start), length >= 5, start + length < bytes.count else {
                return nil
            }
            let inner = Document(unchecked: Array(bytes[start..<start + length]))
            return (type == 0x03 ? .document(inner) : .array(inner), start + length)
        case 0x05:
            guard let length = Self.length(bytes, at: start), start + 5 + length < bytes.count else { return nil }
            let end = start + 5 + length
            return (.binary(subtype: bytes[start + 4], Array(bytes[start + 5..<end])), end)
        case 0x07:
            guard start + 12 < bytes.count, let id = ObjectID(bytes[start..<start + 12]) else { return nil }
            return (.objectID(id), start + 12)
        case 0x08: return start + 1 < bytes.count ? (.boolean(bytes[start] != 0), start + 1) : nil
        case 0x09: return number(start).map { (.date(Int64(bitPattern: $0)), start + 8) }
        case 0x0A: return (.null, start)
        case 0x10:
            return Self.word(bytes, start).map { (.int32(Int32(bitPattern: $0)), start + 4) }
        case 0x12: return number(start).map { (.int64(Int64(bitPattern: $0)), start + 8) }
        default:
            guard let end = end(ofOther: type, from: start), end < bytes.count else { return nil }
            return (.other(type: type, Array(bytes[start..<end])), end)
        }
    }

    /// Where a value of a rarer type ends.
    private func end(ofOther type: UInt8, from start: Int) -> Int? {
        switch type {
        case 0x06, 0x7F, 0xFF: start  // undefined, greatest, least
        case 0x0B:  // a regular expression: two strings that end in a zero
            bytes[start...].firstIndex(of: 0).flatMap { bytes[($0 + 1)...].firstIndex(of: 0) }.map { $0 + 1 }
        case 0x0C: string(start).map { $0.1 + 12 }  // a pointer
        case 0x0D, 0x0E: string(start)?.1  // code, a symbol
        case 0x0F: Self.length(bytes, at: start).map { start + $0 }  // code with its scope
        case 0x11: start + 8  // a timestamp
        case 0x13: start + 16  // a decimal
        default: nil
        }
    }

    private func string(_ start: Int) -> (ArraySlice<UInt8>, Int)? {
        guard let length = Self.length(bytes, at: start), length >= 1, start + 4 + length < bytes.count else {
            return nil
        }
        let end = start + 4 + length
        return bytes[end - 1] == 0 ? (bytes[(start + 4)..<(end - 1)], end) : nil
    }

    private static func word(_ bytes: [UInt8], _ start: Int) -> UInt32? {
        guard start + 4 < bytes.count else { return nil }
        return (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << (8 * $1) }
    }

    private func number(_ start: Int) -> UInt64? {
        guard start + 8 < bytes.count else { return nil }
        return (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << (8 * $1) }
    }
}
