// Header fields of requests and answers.

/// Header fields in order: names compare without regard to case, values are bytes that pass through as they are.
public struct HTTPHeaders: Sendable, Sequence, ExpressibleByDictionaryLiteral {
    /// One field.
    public struct Field: Sendable, Hashable {
        /// The name as it was written.
        public var name: String
        /// The value without blanks around it.
        public var value: String

        /// A field.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }

        /// Whether the field has this name, in whatever case.
        public func isCalled(_ other: String) -> Bool { isSameFieldName(name.utf8, other.utf8) }
    }

    private var fields: [Field] = []
    /// The lines of an answer as they came; cut into fields only where somebody changes or walks them.
    private var lines: HeadLines?

    /// No fields.
    public init() {}

    /// The fields of an answer's head: a status line, then lines.
    init(head: UnsafeRawBufferPointer) { lines = HeadLines(head) }

    /// The fields of a literal.
    public init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }

    /// Whether there is none.
    public var isEmpty: Bool { all.isEmpty }

    /// How many there are.
    public var count: Int { all.count }

    /// The first value of a name; setting replaces every field of that name, or removes them all.
    public subscript(name: String) -> String? {
        get {
            if let lines { return lines.value(of: name) }
            return fields.first { $0.isCalled(name) }?.value
        }
        set {
            cut()
            let first = fields.firstIndex { $0.isCalled(name) }
            guard let first, let newValue else {
                fields.removeAll { $0.isCalled(name) }
                if let newValue { fields.append(Field(name: name, value: newValue)) }
                return
            }
            fields[first].value = newValue
            for index in fields.indices.reversed() where index > first && fields[index].isCalled(name) {
                fields.remove(at: index)
            }
        }
    }

    /// Every value of a name, in order.
    public func values(_ name: String) -> [String] { all.filter { $0.isCalled(name) }.map(\.value) }

    /// Adds a field after the others, also where one of that name exists.
    public mutating func add(_ name: String, _ value: String) {
        cut()
        fields.append(Field(name: name, value: value))
    }

    /// Keeps the fields that `isWanted` says.
    public mutating func keep(where isWanted: (Field) -> Bool) {
        cut()
        fields.removeAll { !isWanted($0) }
    }

    /// Walks the fields in order.
    public func makeIterator() -> IndexingIterator<[Field]> { all.makeIterator() }

    private var all: [Field] { lines?.fields ?? fields }

    private mutating func cut() {
        guard let lines else { return }
        fields = lines.fields
        self.lines = nil
    }
}

/// The head of an answer as it came.
struct HeadLines: Sendable {
    private let bytes: [UInt8]

    init(_ head: UnsafeRawBufferPointer) { bytes = Array(head) }

    var fields: [HTTPHeaders.Field] {
        var result: [HTTPHeaders.Field] = []
        walk { name, value in
            result.append(.init(name: text(name), value: text(value)))
            return true
        }
        return result
    }

    func value(of wanted: String) -> String? {
        var found: String?
        let length = wanted.utf8.count
        walk { name, value in
            guard name.count == length, zip(bytes[name], wanted.utf8).allSatisfy({ lowercase($0) == lowercase($1) })
            else { return true }
            found = text(value)
            return false
        }
        return found
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// Gives each field's name and value until `visit` says no; a line that goes on the one before is part of its value.
    private func walk(_ visit: (Range<Int>, Range<Int>) -> Bool) {
        var at = lineEnd(0)
        while at < bytes.count {
            var end = lineEnd(at)
            while end < bytes.count, isBlank(bytes[end]) { end = lineEnd(end) }
            if let colon = bytes[at..<end].firstIndex(of: UInt8(ascii: ":")) {
                var (low, high) = (colon + 1, end)
                while low < high, isBlankOrBreak(bytes[low]) { low += 1 }
                while low < high, isBlankOrBreak(bytes[high - 1]) { high -= 1 }
                guard visit(at..<colon, low..<high) else { return }
            }
            at = end
        }
    }

    private func lineEnd(_ start: Int) -> Int {
        (bytes[start...].firstIndex(of: 0x0A) ?? bytes.count - 1) + 1
    }

    private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    private func isBlankOrBreak(_ byte: UInt8) -> Bool { isBlank(byte) || byte == 0x0A || byte == 0x0D }
}

/// Whether two names are the same but for the case of their ASCII letters.
func isSameFieldName(_ left: String.UTF8View, _ right: String.UTF8View) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).allSatisfy { lowercase($0) == lowercase($1) }
}

/// The lower case of an ASCII letter; any other byte as it is.
func lowercase(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
