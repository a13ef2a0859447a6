// Writing text into XML.

/// Text as XML holds it: `&`, `<`, `>`, both quotes and line breaks escaped; nil where a character cannot stand in XML.
public func xmlEscaped(_ text: String) -> String? {
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": result += "&amp;".utf8
        case "<": result += "&lt;".utf8
        case ">": result += "&gt;".utf8
        case "\"": result += "&quot;".utf8
        case "'": result += "&apos;".utf8
        case "\t": result += "&#9;".utf8
        case "\n": result += "&#10;".utf8
        case "\r": result += "&#13;".utf8
        case "\0"..<" ", "\u{FFFE}", "\u{FFFF}": return nil
        default: result += UTF8.encode(scalar).map(Array.init) ?? []
        }
    }
    return String(decoding: result, as: UTF8.self)
}
