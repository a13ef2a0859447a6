// Events of an XML document, piece by piece.

/// What a parser tells.
public enum XMLEvent: Sendable {
    /// An element begins.
    case begin(name: String, namespace: String, attributes: [(name: String, value: String)])
    /// It ends; `text` is what stood directly inside, in one piece.
    case end(name: String, namespace: String, text: String)
}

/// How much a document may hold; a document over a limit is refused, not cut.
public struct XMLLimits: Sendable {
    /// Elements inside elements.
    public var depth = 32
    /// Bytes of the whole document.
    public var bytes = 64 << 20
    /// Elements in all.
    public var elements = 2_000_000
    /// Bytes of text directly inside one element.
    public var text = 1 << 20
    /// Attributes of one element.
    public var attributes = 64

    /// The defaults.
    public init() {}
}

/// Why a document cannot be read.
public struct XMLError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where, from 1.
    public let line: Int
    /// What is wrong.
    public let reason: String

    /// Line and reason.
    public var description: String { "line \(line): \(reason)" }
}

/// Turns bytes into events as they come; memory does not grow with the document.
///
/// Document type declarations are refused, and so are entities of one's own and everything external.
public final class XMLParser {
    /// A parser; `onEvent` is called inside ``feed(_:)`` and ``finish()``, and may throw to stop.
    public init(limits: XMLLimits = XMLLimits(), onEvent: @escaping (XMLEvent) throws(XMLError) -> Void) {}

    /// Takes the next bytes.
    public func feed(_ bytes: RawSpan) throws(XMLError) {}

    /// Ends the document.
    public func finish() throws(XMLError) {}

    /// Reads a small document whole.
    public static func parse(_ bytes: [UInt8], limits: XMLLimits = XMLLimits()) throws(XMLError) -> XMLElement {
        throw XMLError(line: 1, reason: "no element found")
    }
}

/// Appends text to XML with `&`, `<`, `>` and both quotes escaped; control characters that XML cannot hold are nil.
public func xmlEscaped(_ text: String) -> String? { nil }
