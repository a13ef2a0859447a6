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

    init(parsing bytes: [UInt8], limits: XMLLimits = XMLLimits()) throws(XMLError) {
        let builder = TreeBuilder()
        let parser = XMLParser(limits: limits) { (event) throws(XMLError) in builder.take(event) }
        try parser.feed(bytes.span.bytes)
        try parser.finish()
        guard let root = builder.root else { throw XMLError(line: 1, reason: "no element found") }
        self = root
    }

    fileprivate init(
        name: String,
        namespace: String,
        attributes: [(name: String, value: String)],
        text: String,
        children: [XMLElement]
    ) {
        self.name = name
        self.namespace = namespace
        self.attributes = attributes
        self.text = text
        self.children = children
    }
}

/// Gathers the events of a document into a tree.
private final class TreeBuilder {
    private struct Open {
        var attributes: [(name: String, value: String)]
        var children: [XMLElement] = []
    }

    private var open: [Open] = []
    private(set) var root: XMLElement?

    func take(_ event: XMLEvent) {
        switch event {
        case .begin(_, _, let attributes): open.append(Open(attributes: attributes))
        case .end(let name, let namespace, let text):
            guard let ended = open.popLast() else { return }
            let element = XMLElement(
                name: name,
                namespace: namespace,
                attributes: ended.attributes,
                text: text,
                children: ended.children
            )
            if open.isEmpty { root = element } else { open[open.count - 1].children.append(element) }
        }
    }
}
