// JSON by hand: this room needs a few lines of it.

/// Writes one JSON text, with line breaks for people.
struct JSONWriter {
    private(set) var text = ""
    private var depth = 0
    private var isFirst = true

    /// `value` as a JSON string.
    static func quoted(_ value: String) -> String {
        var result = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    mutating func object(_ key: String? = nil, _ body: (inout JSONWriter) -> Void) { nest(key, "{", "}", body) }

    mutating func array(_ key: String? = nil, _ body: (inout JSONWriter) -> Void) { nest(key, "[", "]", body) }

    mutating func field(_ key: String? = nil, _ value: String?) { raw(key, value.map(Self.quoted) ?? "null") }

    mutating func field(_ key: String? = nil, _ value: Bool) { raw(key, value ? "true" : "false") }

    mutating func field(_ key: String? = nil, _ value: Int?) { raw(key, value.map { "\($0)" } ?? "null") }

    private mutating func raw(_ key: String?, _ value: String) {
        separate(key)
        text += value
    }

    private mutating func nest(_ key: String?, _ open: String, _ close: String, _ body: (inout JSONWriter) -> Void) {
        separate(key)
        text += open
        depth += 1
        isFirst = true
        body(&self)
        depth -= 1
        if !isFirst { text += "\n" + String(repeating: "  ", count: depth) }
        text += close
        isFirst = false
    }

    private mutating func separate(_ key: String?) {
        if depth > 0 { text += (isFirst ? "\n" : ",\n") + String(repeating: "  ", count: depth) }
        isFirst = false
        if let key { text += "\(Self.quoted(key)): " }
    }
}
