/// Writes a JSON text straight into bytes.
///
/// Commas and colons come by themselves; that arrays and objects are closed in order, and that an object gets names,
/// is the caller's word.
///
///     var writer = JSONWriter()
///     writer.object { $0.member("size", 5); $0.member("etag", nil as String?) }
public struct JSONWriter: Sendable {
    /// What was written so far; taking bytes away from the front, between two texts, is allowed.
    public var bytes: [UInt8] = []
    private let isIndented: Bool
    private var level = 0
    private var needsComma = false

    /// Creates a writer; `isIndented` puts each member on a line of its own.
    public init(isIndented: Bool = false) { self.isIndented = isIndented }

    // MARK: Structure

    /// Opens an object.
    public mutating func beginObject() { open(UInt8(ascii: "{")) }
    /// Closes the object.
    public mutating func endObject() { close(UInt8(ascii: "}")) }
    /// Opens an array.
    public mutating func beginArray() { open(UInt8(ascii: "[")) }
    /// Closes the array.
    public mutating func endArray() { close(UInt8(ascii: "]")) }

    /// Writes an object whose members `body` gives.
    public mutating func object(_ body: (inout JSONWriter) -> Void) {
        beginObject()
        body(&self)
        endObject()
    }

    /// Writes an array whose elements `body` gives.
    public mutating func array(_ body: (inout JSONWriter) -> Void) {
        beginArray()
        body(&self)
        endArray()
    }

    /// Writes a member's name; its value must follow.
    public mutating func name(_ name: String) {
        separate()
        appendQuoted(name)
        bytes.append(UInt8(ascii: ":"))
        if isIndented { bytes.append(0x20) }
        needsComma = false
    }

    /// Forgets that something was written, so that the next text stands alone (a line of NDJSON).
    public mutating func startNext() { needsComma = false }

    // MARK: Values

    /// Writes `null`.
    public mutating func null() { scalar([0x6E, 0x75, 0x6C, 0x6C]) }

    /// Writes a truth value.
    public mutating func value(_ value: Bool) {
        scalar(value ? [0x74, 0x72, 0x75, 0x65] : [0x66, 0x61, 0x6C, 0x73, 0x65])
    }

    /// Writes a whole number.
    public mutating func value(_ value: Int64) {
        separate()
        bytes.appendDecimal(value)
        needsComma = true
    }

    /// Writes a number; JSON has no infinity and no NaN, they become `null`.
    public mutating func value(_ value: Double) {
        guard value.isFinite else { return null() }
        scalar(Array(value.description.utf8))
    }

    /// Writes a string.
    public mutating func value(_ value: String) {
        separate()
        appendQuoted(value)
        needsComma = true
    }

    /// Writes the UTF-8 at `range` of `text` as a string; what is not valid becomes U+FFFD.
    public mutating func value(utf8 text: [UInt8], _ range: Range<Int>) {
        separate()
        bytes.appendJSONString(text, range)
        needsComma = true
    }

    /// Writes any value.
    public mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let truth): self.value(truth)
        case .integer(let integer): self.value(integer)
        case .number(let double): self.value(double)
        case .string(let text): self.value(text)
        case .array(let elements):
            array { writer in
                for element in elements { writer.value(element) }
            }
        case .object(let members):
            object { writer in
                for member in members {
                    writer.name(member.name)
                    writer.value(member.value)
                }
            }
        }
    }

    /// Writes bytes that are a JSON value already.
    public mutating func value(json: [UInt8]) { scalar(json) }

    // MARK: Members

    /// Writes a member that is a string, or `null`.
    public mutating func member(_ name: String, _ value: String?) {
        self.name(name)
        if let value { self.value(value) } else { null() }
    }

    /// Writes a member that is a whole number, or `null`.
    public mutating func member(_ name: String, _ value: Int64?) {
        self.name(name)
        if let value { self.value(value) } else { null() }
    }

    /// Writes a member that is a truth value.
    public mutating func member(_ name: String, _ value: Bool) {
        self.name(name)
        self.value(value)
    }

    /// Writes a member of any kind.
    public mutating func member(_ name: String, _ value: JSONValue) {
        self.name(name)
        self.value(value)
    }

    // MARK: Bytes

    /// Appends one byte as it is, outside the grammar.
    public mutating func raw(_ byte: UInt8) { bytes.append(byte) }
    /// Appends bytes as they are, outside the grammar.
    public mutating func raw(_ more: [UInt8]) { bytes.append(contentsOf: more) }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        level += 1
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        level -= 1
        if isIndented && needsComma { newLine() }
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func scalar(_ text: [UInt8]) {
        separate()
        bytes.append(contentsOf: text)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        // A value that follows its name stays on the name's line.
        if isIndented && level > 0 && bytes.last != 0x20 { newLine() }
    }

    private mutating func newLine() {
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: 2 * level))
    }

    private mutating func appendQuoted(_ text: String) {
        let utf8 = Array(text.utf8)
        bytes.appendJSONString(utf8, 0..<utf8.count)
    }
}
