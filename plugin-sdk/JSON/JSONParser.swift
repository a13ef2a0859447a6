extension JSONValue {
    /// Reads the one JSON text that `bytes` are (RFC 8259, strictly).
    ///
    /// Beyond the grammar it refuses what would be read differently elsewhere: a name given twice in one object,
    /// UTF-8 that is not valid, lone surrogates, a byte order mark, numbers past the range of a double, and more
    /// than `maximumDepth` arrays and objects inside each other.
    public init(parsing bytes: [UInt8], maximumDepth: Int = 64) throws(JSONError) {
        var parser = JSONParser(bytes: bytes, maximumDepth: maximumDepth)
        self = try parser.parse()
    }

    /// Reads the one JSON text that `text` is, as ``init(parsing:maximumDepth:)`` does.
    public init(parsing text: String, maximumDepth: Int = 64) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), maximumDepth: maximumDepth)
    }
}

/// Walks a JSON text once, from front to end.
private struct JSONParser {
    let bytes: [UInt8]
    let maximumDepth: Int
    var position = 0
    var depth = 0

    init(bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    mutating func parse() throws(JSONError) -> JSONValue {
        skipSpace()
        let value = try value()
        skipSpace()
        guard position == bytes.count else { throw error("something follows the value") }
        return value
    }

    // MARK: Values

    private mutating func value() throws(JSONError) -> JSONValue {
        guard let byte = peek else { throw error("the text ends where a value belongs") }
        switch byte {
        case UInt8(ascii: "{"): return .object(try object())
        case UInt8(ascii: "["): return .array(try array())
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), 0x30...0x39: return try number()
        default: throw error("no value starts like this")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let letters = Array(word.description.utf8)
        guard bytes[position...].starts(with: letters) else { throw error("no value starts like this") }
        position += letters.count
        return value
    }

    private mutating func enter() throws(JSONError) {
        guard depth < maximumDepth else { throw error("nested deeper than \(maximumDepth) levels") }
        depth += 1
        position += 1
        skipSpace()
    }

    private mutating func array() throws(JSONError) -> [JSONValue] {
        try enter()
        defer { depth -= 1 }
        var elements: [JSONValue] = []
        if take("]") { return elements }
        while true {
            elements.append(try value())
            skipSpace()
            if take("]") { return elements }
            guard take(",") else { throw error("a comma or ] belongs here") }
            skipSpace()
        }
    }

    private mutating func object() throws(JSONError) -> JSONObject {
        try enter()
        defer { depth -= 1 }
        var members: [JSONObject.Member] = []
        var names = NameSet()
        if take("}") { return JSONObject() }
        while true {
            guard peek == UInt8(ascii: "\"") else { throw error("a name in quotes belongs here") }
            let start = position
            let name = try string()
            guard names.insert(name, after: members) else {
                throw error("the name \"\(name)\" is there twice", at: start)
            }
            skipSpace()
            guard take(":") else { throw error("a colon belongs here") }
            skipSpace()
            members.append(JSONObject.Member(name: name, value: try value()))
            skipSpace()
            if take("}") { return JSONObject(members) }
            guard take(",") else { throw error("a comma or } belongs here") }
            skipSpace()
        }
    }

    // MARK: Numbers

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        let isNegative = take("-")
        guard let first = peek, isDigit(first) else { throw error("a digit belongs here") }
        let firstDigit = position
        skipDigits()
        guard first != UInt8(ascii: "0") || position == firstDigit + 1 else {
            throw error("a number has no leading zero", at: firstDigit)
        }
        var isWhole = true
        if take(".") {
            isWhole = false
            guard let byte = peek, isDigit(byte) else { throw error("a digit belongs here") }
            skipDigits()
        }
        if take("e") || take("E") {
            isWhole = false
            if !take("+") { _ = take("-") }
            guard let byte = peek, isDigit(byte) else { throw error("a digit belongs here") }
            skipDigits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let integer = Int64(text), integer != 0 || !isNegative { return .integer(integer) }
        guard let double = Double(text), double.isFinite else { throw error("the number is too large", at: start) }
        return .number(double)
    }

    private mutating func skipDigits() {
        while let byte = peek, isDigit(byte) { position += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        let opening = position
        position += 1
        let start = position
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        guard let stop = peek else { throw error("the string never ends", at: opening) }
        if stop == UInt8(ascii: "\"") {
            position += 1
            return try validated(bytes[start..<position - 1], at: start)
        }
        var collected = Array(bytes[start..<position])
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return try validated(collected[...], at: start)
            case UInt8(ascii: "\\"):
                try escape(into: &collected)
            case 0..<0x20:
                throw error("a control character in a string must be escaped")
            default:
                collected.append(byte)
                position += 1
            }
        }
        throw error("the string never ends", at: opening)
    }

    private func validated(_ text: ArraySlice<UInt8>, at start: Int) throws(JSONError) -> String {
        guard let string = String(validating: text, as: UTF8.self) else {
            throw error("the string is not valid UTF-8", at: start)
        }
        return string
    }

    private mutating func escape(into collected: inout [UInt8]) throws(JSONError) {
        let start = position
        guard position + 1 < bytes.count else { throw error("the string never ends") }
        let letter = bytes[position + 1]
        position += 2
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): collected.append(letter)
        case UInt8(ascii: "b"): collected.append(0x08)
        case UInt8(ascii: "f"): collected.append(0x0C)
        case UInt8(ascii: "n"): collected.append(0x0A)
        case UInt8(ascii: "r"): collected.append(0x0D)
        case UInt8(ascii: "t"): collected.append(0x09)
        case UInt8(ascii: "u"): collected.append(contentsOf: String(try unicodeEscape(at: start)).utf8)
        default: throw error("there is no such escape", at: start)
        }
    }

    private mutating func unicodeEscape(at start: Int) throws(JSONError) -> Character {
        var code = try fourHexDigits(at: start)
        if code >= 0xD800 && code < 0xDC00, bytes[position...].starts(with: [0x5C, 0x75]) {
            position += 2
            let low = try fourHexDigits(at: start)
            guard low >= 0xDC00 && low < 0xE000 else { throw error("half of a surrogate pair is missing", at: start) }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw error("half of a surrogate pair is missing", at: start) }
        return Character(scalar)
    }

    private mutating func fourHexDigits(at start: Int) throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw error("four hexadecimal digits belong here", at: start) }
        var code: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            switch byte {
            case 0x30...0x39: code = code << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: code = code << 4 | UInt32(byte - 0x41 + 10)
            case 0x61...0x66: code = code << 4 | UInt32(byte - 0x61 + 10)
            default: throw error("four hexadecimal digits belong here", at: start)
            }
        }
        position += 4
        return code
    }

    // MARK: Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func error(_ reason: String, at offset: Int? = nil) -> JSONError {
        var line = 1
        var column = 1
        for byte in bytes[..<(offset ?? position)] {
            if byte == 0x0A {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return JSONError(line: line, column: column, reason: reason)
    }
}

/// The names of one object so far; a set only once there are enough to pay for it.
private struct NameSet {
    private struct Name: Hashable {
        let text: String
        static func == (left: Name, right: Name) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }
        func hash(into hasher: inout Hasher) {
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }

    private var names: Set<Name> = []

    /// Adds `name` to those of `members` and says whether it was new.
    mutating func insert(_ name: String, after members: [JSONObject.Member]) -> Bool {
        guard members.count >= 16 else { return !members.contains { $0.isCalled(name) } }
        if names.isEmpty { names = Set(members.map { Name(text: $0.name) }) }
        return names.insert(Name(text: name)).inserted
    }
}
