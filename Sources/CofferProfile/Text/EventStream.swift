// libyaml's events as Swift values: the one place of this room that touches pointers.

import CYAML

/// One step through a YAML text.
struct TextEvent {
    enum Kind {
        case scalar(String, isQuoted: Bool)
        case listStart, listEnd, mappingStart, mappingEnd
        case alias(String)
        case documentStart, end
    }

    let kind: Kind
    let anchor: String?
    /// The tag as written; nil for none.
    let tag: String?
    let line: Int
    let column: Int
}

/// What is wrong with a text, and where in it.
struct TextProblem: Error {
    let message: String
    let line: Int
    let column: Int
}

/// A YAML text, event by event.
///
/// Owns libyaml's parser; the bytes are kept alive and unmoved beside it until `deinit`.
struct EventStream: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    /// Starts on `text`, which must be UTF-8.
    init(_ text: [UInt8]) throws(TextProblem) {
        bytes = .allocate(capacity: text.count)
        _ = bytes.initialize(fromContentsOf: text)
        parser = .allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            bytes.deallocate()
            throw TextProblem(message: "no memory for the parser", line: 1, column: 1)
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        bytes.deallocate()
    }

    /// The next event; `.end` after the last.
    mutating func next() throws(TextProblem) -> TextEvent {
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else { throw problem() }
            defer { yaml_event_delete(&event) }
            if let event = Self.convert(event) { return event }
        }
    }

    /// Copies what `event` says; nil if it says nothing of interest.
    private static func convert(_ event: yaml_event_t) -> TextEvent? {
        let kind: TextEvent.Kind
        var anchor: UnsafeMutablePointer<yaml_char_t>?
        var tag: UnsafeMutablePointer<yaml_char_t>?
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            kind = .scalar(text, isQuoted: scalar.style != YAML_PLAIN_SCALAR_STYLE)
            (anchor, tag) = (scalar.anchor, scalar.tag)
        case YAML_SEQUENCE_START_EVENT:
            kind = .listStart
            (anchor, tag) = (event.data.sequence_start.anchor, event.data.sequence_start.tag)
        case YAML_MAPPING_START_EVENT:
            kind = .mappingStart
            (anchor, tag) = (event.data.mapping_start.anchor, event.data.mapping_start.tag)
        case YAML_SEQUENCE_END_EVENT: kind = .listEnd
        case YAML_MAPPING_END_EVENT: kind = .mappingEnd
        case YAML_ALIAS_EVENT: kind = .alias(text(event.data.alias.anchor) ?? "")
        case YAML_DOCUMENT_START_EVENT: kind = .documentStart
        case YAML_STREAM_END_EVENT: kind = .end
        default: return nil
        }
        return TextEvent(
            kind: kind,
            anchor: text(anchor),
            tag: text(tag),
            line: event.start_mark.line + 1,
            column: event.start_mark.column + 1
        )
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(decoding: UnsafeBufferPointer(start: $0, count: length(of: $0)), as: UTF8.self) }
    }

    private static func length(of pointer: UnsafeMutablePointer<yaml_char_t>) -> Int {
        var count = 0
        while pointer[count] != 0 { count += 1 }
        return count
    }

    /// What libyaml complains about; its messages name no content.
    private func problem() -> TextProblem {
        let parser = self.parser.pointee
        let message = parser.problem.map { String(cString: $0) } ?? "cannot be read"
        if parser.error == YAML_READER_ERROR {
            return TextProblem(message: message, line: parser.mark.line + 1, column: parser.mark.column + 1)
        }
        let mark = parser.problem_mark
        return TextProblem(message: message, line: mark.line + 1, column: mark.column + 1)
    }
}
