// A document of BSON, written.

/// Writes a document of BSON, field by field.
package struct DocumentWriter: Sendable {
    private var bytes: [UInt8] = [0, 0, 0, 0]

    /// A document without fields so far.
    package init() {}

    /// The document, whole.
    package consuming func finish() -> Document {
        bytes.append(0)
        Self.patch(&bytes, at: 0, UInt32(bytes.count))
        return Document(unchecked: bytes)
    }

    package mutating func append(_ name: String, _ value: Value) { append(Array(name.utf8), value) }
    package mutating func append(_ name: String, _ text: String) { append(name, .string(Array(text.utf8))) }
    package mutating func append(_ name: String, _ number: Int) { append(name, .int64(Int64(number))) }
    package mutating func append(_ name: String, _ number: Int32) { append(name, .int32(number)) }
    package mutating func append(_ name: String, _ flag: Bool) { append(name, .boolean(flag)) }
    package mutating func append(_ name: String, _ document: Document) { append(name, .document(document)) }
    package mutating func append(_ name: String, _ id: ObjectID) { append(name, .objectID(id)) }

    /// Adds a document that the closure fills.
    package mutating func append(_ name: String, _ body: (inout DocumentWriter) -> Void) {
        append(name, .document(Document.make(body)))
    }

    /// Adds an array.
    package mutating func append(_ name: String, array elements: some Sequence<Value>) {
        var inner = DocumentWriter()
        for (index, element) in elements.enumerated() { inner.append(String(index), element) }
        append(name, .array(inner.finish()))
    }

    /// Adds a field; a name has no zero in it, which the caller knows.
    package mutating func append(_ name: [UInt8], _ value: Value) {
        bytes.append(value.type)
        bytes.append(contentsOf: name)
        bytes.append(0)
        switch value {
        case .double(let number): put(number.bitPattern)
        case .string(let text):
            put(UInt32(text.count + 1))
            bytes.append(contentsOf: text)
            bytes.append(0)
        case .document(let inner), .array(let inner): bytes.append(contentsOf: inner.bytes)
        case .binary(let subtype, let content):
            put(UInt32(content.count))
            bytes.append(subtype)
            bytes.append(contentsOf: content)
        case .objectID(let id): bytes.append(contentsOf: id.bytes)
        case .boolean(let flag): bytes.append(flag ? 1 : 0)
        case .date(let time): put(UInt64(bitPattern: time))
        case .null: break
        case .int32(let number): put(UInt32(bitPattern: number))
        case .int64(let number): put(UInt64(bitPattern: number))
        case .other(_, let content): bytes.append(contentsOf: content)
        }
    }

    private mutating func put<Number: FixedWidthInteger>(_ number: Number) {
        for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> Number(shift)))
        }
    }

    private static func patch(_ bytes: inout [UInt8], at offset: Int, _ number: UInt32) {
        for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: number >> UInt32(8 * index)) }
    }
}

extension Document {
    /// Makes a document in one expression.
    package static func make(_ body: (inout DocumentWriter) -> Void) -> Document {
        var writer = DocumentWriter()
        body(&writer)
        return writer.finish()
    }
}
