import CofferSystem

/// Takes a `multipart/form-data` body apart as it streams (RFC 7578, RFC 2046 section 5.1), without any I/O.
///
///     preamble ──boundary──▶ head ──blank line──▶ content ──boundary──▶ head …
///                                                    └──last boundary──▶ end
///
/// Invariants:
/// 1. Bytes of a part come out in order and exactly once; no more than a boundary's length is ever held back.
/// 2. A body that does not reach ``isComplete`` was cut off.
/// 3. A byte moves once for each piece at most, however many parts the piece holds.
package struct MultipartParser: Sendable {
    /// What the next bytes turned out to be.
    package enum Event: Sendable, Hashable {
        /// A part begins.
        case part(Part)
        /// Bytes of the part.
        case bytes([UInt8])
        /// The part is complete.
        case end
    }

    /// The head of a part.
    package struct Part: Sendable, Hashable {
        /// The form field's name.
        package var name: String
        /// The file's name, where it is a file.
        package var filename: String?
        package var contentType: String?
    }

    /// What breaks the framing.
    package struct Malformed: Error, Sendable, Hashable {
        package let reason: String
    }

    private enum State { case preamble, head, content, end }

    private static let headLimit = 16_384

    private var state = State.preamble
    private var held: [UInt8]
    /// Where in ``held`` the bytes begin that are not done with.
    private var position = 0
    private let delimiter: [UInt8]

    /// Reads the boundary of a `Content-Type`; nil where it is another type or has none.
    package init?(contentType: String) {
        guard contentType.utf8.count > 30,
            contentType.prefix(19).lowercased().utf8.elementsEqual("multipart/form-data".utf8),
            let boundary = Self.parameter("boundary", of: contentType), (1...70).contains(boundary.utf8.count)
        else { return nil }
        delimiter = Array("\r\n--\(boundary)".utf8)
        // The first boundary has no line before it: this makes it look like the others.
        held = [0x0D, 0x0A]
    }

    /// Whether the last boundary was seen.
    package var isComplete: Bool { state == .end }

    /// Takes the next bytes and says what they are.
    package mutating func receive(_ bytes: RawSpan) throws(Malformed) -> [Event] {
        held.append(bytes)
        var events: [Event] = []
        while try step(&events) {}
        held.removeFirst(position)
        position = 0
        return events
    }

    /// Goes one step further; false where more bytes are needed.
    private mutating func step(_ events: inout [Event]) throws(Malformed) -> Bool {
        switch state {
        case .preamble, .content:
            guard let found = index(of: delimiter) else {
                let free = held.count - (delimiter.count - 1)
                if free > position {
                    if state == .content { events.append(.bytes(Array(held[position..<free]))) }
                    position = free
                }
                return false
            }
            // Two bytes behind the boundary tell whether it is the last one.
            let after = found + delimiter.count
            guard held.count >= after + 2 else { return false }
            if state == .content {
                if found > position { events.append(.bytes(Array(held[position..<found]))) }
                events.append(.end)
            }
            if held[after] == UInt8(ascii: "-"), held[after + 1] == UInt8(ascii: "-") {
                state = .end
            } else if held[after] == 0x0D, held[after + 1] == 0x0A {
                state = .head
            } else {
                throw Malformed(reason: "a boundary of the form is followed by something else")
            }
            position = after + 2
            return true
        case .head:
            let blank: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
            guard let end = index(of: blank) else {
                guard held.count - position <= Self.headLimit else {
                    throw Malformed(reason: "the head of a form's part is too long")
                }
                return false
            }
            events.append(.part(try Self.part(String(decoding: held[position..<end], as: UTF8.self))))
            position = end + blank.count
            state = .content
            return true
        case .end:
            // What follows the last boundary means nothing.
            position = held.count
            return false
        }
    }

    /// Where `pattern` begins among the bytes that are not done with.
    private func index(of pattern: [UInt8]) -> Int? {
        guard held.count - position >= pattern.count, let first = pattern.first else { return nil }
        var index = position
        let last = held.count - pattern.count
        while index <= last {
            guard let next = held[index...last].firstIndex(of: first) else { return nil }
            if held[next..<next + pattern.count].elementsEqual(pattern) { return next }
            index = next + 1
        }
        return nil
    }

    private static func part(_ head: String) throws(Malformed) -> Part {
        var disposition: String?
        var contentType: String?
        for line in head.split(separator: "\r\n") {
            guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else {
                throw Malformed(reason: "a line of a form's part has no colon")
            }
            let value = line[line.utf8.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            switch line[..<colon].lowercased() {
            case "content-disposition": disposition = String(value)
            case "content-type": contentType = String(value)
            default: break
            }
        }
        guard let disposition, let name = parameter("name", of: disposition) else {
            throw Malformed(reason: "a part of the form has no name")
        }
        return Part(name: name, filename: parameter("filename", of: disposition), contentType: contentType)
    }

    /// The value of `; name=value` or `; name="value"`, with the escapes of browsers (`%22`, `\"`) undone.
    private static func parameter(_ wanted: String, of field: String) -> String? {
        var rest = field[...]
        while let semicolon = rest.firstIndex(of: ";") {
            rest = rest[rest.index(after: semicolon)...].drop { $0 == " " || $0 == "\t" }
            guard let equals = rest.firstIndex(of: "=") else { return nil }
            let name = rest[..<equals].lowercased()
            rest = rest[rest.index(after: equals)...]
            var value = ""
            if rest.first == "\"" {
                rest = rest.dropFirst()
                while let character = rest.first, character != "\"" {
                    rest = rest.dropFirst()
                    if character == "\\", let escaped = rest.first {
                        value.append(escaped)
                        rest = rest.dropFirst()
                    } else {
                        value.append(character)
                    }
                }
            } else {
                value = String(rest.prefix { $0 != ";" && $0 != " " })
            }
            if name.utf8.elementsEqual(wanted.utf8) {
                return value.split(separator: "%22", omittingEmptySubsequences: false).joined(separator: "\"")
            }
        }
        return nil
    }
}
