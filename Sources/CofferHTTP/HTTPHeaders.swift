/// The fields of a head or of trailers, in their order.
package struct HTTPHeaders: Sendable, Hashable {
    private var fields: [Field] = []

    /// A name and its value.
    package struct Field: Sendable, Hashable {
        package var name: String
        package var value: String
    }

    package init() {}

    /// The value of the first field called `name`, which is given in lower case.
    package subscript(name: String) -> String? {
        for field in fields where field.name.utf8.count == name.utf8.count && field.isCalled(name) {
            return field.value
        }
        return nil
    }

    /// The values of all fields called `name`, which is given in lower case.
    package func all(_ name: String) -> [String] {
        fields.filter { $0.isCalled(name) }.map(\.value)
    }

    /// Appends a field.
    package mutating func add(_ name: String, _ value: String) { fields.append(Field(name: name, value: value)) }
}

extension HTTPHeaders: Sequence {
    package func makeIterator() -> IndexingIterator<[Field]> { fields.makeIterator() }
}

extension HTTPHeaders.Field {
    /// Whether this is the field `lowercased`, whatever case it was sent in.
    fileprivate func isCalled(_ lowercased: String) -> Bool {
        name.utf8.elementsEqual(lowercased.utf8) { sent, wanted in
            (sent >= 0x41 && sent <= 0x5A ? sent | 0x20 : sent) == wanted
        }
    }
}
