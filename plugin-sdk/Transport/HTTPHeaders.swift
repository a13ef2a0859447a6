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

    /// No fields.
    public init() {}

    /// The fields of a literal.
    public init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }

    /// Whether there is none.
    public var isEmpty: Bool { fields.isEmpty }

    /// How many there are.
    public var count: Int { fields.count }

    /// The first value of a name; setting replaces every field of that name, or removes them all.
    public subscript(name: String) -> String? {
        get { fields.first { $0.isCalled(name) }?.value }
        set {
            guard let newValue else {
                fields.removeAll { $0.isCalled(name) }
                return
            }
            guard let index = fields.firstIndex(where: { $0.isCalled(name) }) else {
                fields.append(Field(name: name, value: newValue))
                return
            }
            fields[index].value = newValue
            var position = 0
            fields.removeAll { field in
                defer { position += 1 }
                return position > index && field.isCalled(name)
            }
        }
    }

    /// Every value of a name, in order.
    public func values(_ name: String) -> [String] { fields.filter { $0.isCalled(name) }.map(\.value) }

    /// Adds a field after the others, also where one of that name exists.
    public mutating func add(_ name: String, _ value: String) { fields.append(Field(name: name, value: value)) }

    /// Keeps the fields that `isWanted` says.
    public mutating func keep(where isWanted: (Field) -> Bool) { fields.removeAll { !isWanted($0) } }

    /// Walks the fields in order.
    public func makeIterator() -> IndexingIterator<[Field]> { fields.makeIterator() }
}

/// Whether two names are the same but for the case of their ASCII letters.
func isSameFieldName(_ left: String.UTF8View, _ right: String.UTF8View) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).allSatisfy { lowercase($0) == lowercase($1) }
}

/// The lower case of an ASCII letter; any other byte as it is.
func lowercase(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
