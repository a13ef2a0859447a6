/// The members of a JSON object, in their order.
///
/// Names are compared as bytes: Swift holds the two Unicode forms of `é` for equal, JSON does not.
public struct JSONObject: Sendable, Hashable {
    /// A name and its value.
    public struct Member: Sendable, Hashable {
        /// The name.
        public var name: String
        /// The value.
        public var value: JSONValue

        /// Pairs a name with a value.
        public init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }

        /// Whether this member's name has exactly the bytes of `other`.
        public func isCalled(_ other: String) -> Bool { name.utf8.elementsEqual(other.utf8) }
    }

    /// The members; nobody checks here that names differ.
    public var members: [Member]

    /// Creates an object; without arguments, an empty one.
    public init(_ members: [Member] = []) { self.members = members }

    /// The value of `name`; setting nil removes it, setting another replaces it in its place or appends.
    public subscript(name: String) -> JSONValue? {
        get { members.first { $0.isCalled(name) }?.value }
        set {
            let index = members.firstIndex { $0.isCalled(name) }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    /// How many members there are.
    public var count: Int { members.count }
}

extension JSONObject: Sequence {
    /// Walks the members in their order.
    public func makeIterator() -> IndexingIterator<[Member]> { members.makeIterator() }
}
