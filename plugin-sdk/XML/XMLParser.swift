// Events of an XML document, piece by piece, over expat.

import CExpat
import Glibc

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

    /// An error; `XMLParser` fills in the line where it is 0.
    public init(line: Int = 0, reason: String) {
        self.line = line
        self.reason = reason
    }

    /// Line and reason.
    public var description: String { "line \(line): \(reason)" }
}

/// Turns bytes into events as they come; memory does not grow with the document.
///
/// Document type declarations are refused, and with them entities of a document's own and everything external.
public final class XMLParser {
    private let parser: XML_Parser?
    private let limits: XMLLimits
    private let onEvent: (XMLEvent) throws(XMLError) -> Void
    private var texts: [[UInt8]] = []
    private var elements = 0
    private var bytes = 0
    private var failure: XMLError?

    /// A parser; `onEvent` is called inside ``feed(_:)`` and ``finish()``, and may throw to stop.
    public init(limits: XMLLimits = XMLLimits(), onEvent: @escaping (XMLEvent) throws(XMLError) -> Void) {
        self.limits = limits
        self.onEvent = onEvent
        // A blank separates namespace and name: no namespace of a store's document holds one.
        parser = XML_ParserCreateNS(nil, 0x20)
        XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
        XML_SetElementHandler(
            parser,
            { context, name, attributes in XMLParser.of(context)?.begin(name, attributes) },
            { context, name in XMLParser.of(context)?.end(name) }
        )
        XML_SetCharacterDataHandler(parser) { context, text, count in XMLParser.of(context)?.append(text, count) }
        XML_SetStartDoctypeDeclHandler(parser) { context, _, _, _, _ in
            XMLParser.of(context)?.stop("a document type declaration is refused")
        }
    }

    deinit { XML_ParserFree(parser) }

    private static func of(_ context: UnsafeMutableRawPointer?) -> XMLParser? {
        context.map { Unmanaged<XMLParser>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Takes the next bytes.
    public func feed(_ bytes: RawSpan) throws(XMLError) {
        self.bytes += bytes.byteCount
        guard self.bytes <= limits.bytes else {
            throw XMLError(line: line, reason: "longer than \(limits.bytes) bytes")
        }
        let status = bytes.withUnsafeBytes { buffer in
            buffer.isEmpty
                ? XML_STATUS_OK
                : XML_Parse(parser, buffer.bindMemory(to: CChar.self).baseAddress, Int32(buffer.count), 0)
        }
        try check(status)
    }

    /// Ends the document.
    public func finish() throws(XMLError) { try check(XML_Parse(parser, nil, 0, 1)) }

    /// Reads a small document as a tree; a long listing is better fed to a parser.
    public static func parse(_ bytes: [UInt8], limits: XMLLimits = XMLLimits()) throws(XMLError) -> XMLElement {
        try XMLElement(parsing: bytes, limits: limits)
    }

    private func check(_ status: XML_Status) throws(XMLError) {
        if let failure { throw failure }
        guard status != XML_STATUS_OK else { return }
        guard parser != nil else { throw XMLError(line: 1, reason: "no memory for a parser") }
        let words = XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) } ?? "cannot be read"
        throw XMLError(line: line, reason: words)
    }

    private var line: Int { parser.map { Int(XML_GetCurrentLineNumber($0)) } ?? 1 }

    // MARK: expat's calls

    private func begin(
        _ name: UnsafePointer<CChar>?,
        _ attributes: UnsafeMutablePointer<UnsafePointer<CChar>?>?
    ) {
        guard failure == nil, let name else { return }
        elements += 1
        guard texts.count < limits.depth else { return stop("more than \(limits.depth) elements inside each other") }
        guard elements <= limits.elements else { return stop("more than \(limits.elements) elements") }
        var pairs: [(name: String, value: String)] = []
        var next = attributes
        while let name = next?[0], let value = next?[1] {
            guard pairs.count < limits.attributes else { return stop("more than \(limits.attributes) attributes") }
            pairs.append((String(cString: name), String(cString: value)))
            next = next.map { $0 + 2 }
        }
        texts.append([])
        let (namespace, local) = Self.split(name)
        tell(.begin(name: local, namespace: namespace, attributes: pairs))
    }

    private func end(_ name: UnsafePointer<CChar>?) {
        guard failure == nil, let name, let text = texts.popLast() else { return }
        let (namespace, local) = Self.split(name)
        tell(.end(name: local, namespace: namespace, text: String(decoding: text, as: UTF8.self)))
    }

    private func append(_ text: UnsafePointer<CChar>?, _ count: Int32) {
        guard failure == nil, let text, !texts.isEmpty else { return }
        let last = texts.count - 1
        guard texts[last].count + Int(count) <= limits.text else {
            return stop("more than \(limits.text) bytes of text in one element")
        }
        UnsafeRawBufferPointer(start: text, count: Int(count)).withMemoryRebound(to: UInt8.self) {
            texts[last].append(contentsOf: $0)
        }
    }

    private func tell(_ event: XMLEvent) {
        do throws(XMLError) {
            try onEvent(event)
        } catch {
            failure = error.line == 0 ? XMLError(line: line, reason: error.reason) : error
            XML_StopParser(parser, 0)
        }
    }

    private func stop(_ reason: String) {
        guard failure == nil else { return }
        failure = XMLError(line: line, reason: reason)
        XML_StopParser(parser, 0)
    }

    private static func split(_ name: UnsafePointer<CChar>) -> (namespace: String, local: String) {
        let text = UnsafeRawBufferPointer(start: name, count: strlen(name))
        guard let blank = text.firstIndex(of: 0x20) else { return ("", String(decoding: text, as: UTF8.self)) }
        return (
            String(decoding: text[..<blank], as: UTF8.self), String(decoding: text[(blank + 1)...], as: UTF8.self)
        )
    }
}
