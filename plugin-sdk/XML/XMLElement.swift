// A small tree of elements, for answers that are small.

/// An element with its attributes, its text and its children.
public struct XMLElement: Sendable {
    /// The local name.
    public let name: String
    /// The namespace, or empty.
    public let namespace: String
    /// The attributes in order; a name with a namespace is `namespace name`, with a blank between.
    public let attributes: [(name: String, value: String)]
    /// The text directly inside, in one piece.
    public let text: String
    /// The elements directly inside.
    public let children: [XMLElement]

    /// The first child of a local name.
    public subscript(name: String) -> XMLElement? { children.first { $0.name.utf8.elementsEqual(name.utf8) } }

    /// Every child of a local name.
    public func all(_ name: String) -> [XMLElement] { children.filter { $0.name.utf8.elementsEqual(name.utf8) } }

    /// The value of an attribute, or nil.
    public func attribute(_ name: String) -> String? {
        attributes.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }
}
