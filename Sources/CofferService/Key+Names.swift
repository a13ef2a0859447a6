// Keys taken apart and made: extensions, names beside a taken one, names that nobody else has.
import CofferModel

extension Key {
    /// Where the last segment starts, and where its extension's dot is; nil without an extension.
    private var nameParts: (name: String.Index, dot: String.Index?) {
        let bytes = text.utf8
        let name = bytes.lastIndex(of: UInt8(ascii: "/")).map { bytes.index(after: $0) } ?? bytes.startIndex
        guard let dot = bytes[name...].lastIndex(of: UInt8(ascii: ".")), dot > name,
            bytes.index(after: dot) < bytes.endIndex
        else { return (name, nil) }
        return (name, dot)
    }

    /// The extension in lower case, without its dot; nil where there is none.
    var suffix: String? {
        nameParts.dot.map { text[text.utf8.index(after: $0)...].lowercased() }
    }

    /// The key up to and with its last slash; empty at the top.
    var folder: String { String(text[..<nameParts.name]) }

    /// The same folder and extension, with `_ending` behind the name.
    func numbered(_ ending: String) -> Key {
        let dot = nameParts.dot ?? text.endIndex
        return Key("\(text[..<dot])_\(ending)\(text[dot...])")
    }

    /// Whether a segment is `.` or `..`.
    var hasDotSegments: Bool {
        text.split(separator: "/", omittingEmptySubsequences: false).contains { $0 == "." || $0 == ".." }
    }
}

/// Names that nobody else has.
enum UniqueName {
    /// A random UUID (RFC 9562, version 4).
    static func uuid() -> String {
        let high = UInt64.random(in: 0 ... .max) & ~0xF000 | 0x4000
        let low = UInt64.random(in: 0 ... .max) & ~(0b11 << 62) | (0b10 << 62)
        let digits = Array((hex(high) + hex(low)).utf8)
        var text: [UInt8] = []
        for (index, digit) in digits.enumerated() {
            if index == 8 || index == 12 || index == 16 || index == 20 { text.append(UInt8(ascii: "-")) }
            text.append(digit)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Thirty-two random hexadecimal digits.
    static func attempt() -> String { hex(.random(in: 0 ... .max)) + hex(.random(in: 0 ... .max)) }

    /// Seven random letters and digits.
    static func short() -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
        return String(decoding: (0..<7).map { _ in alphabet[Int.random(in: 0..<36)] }, as: UTF8.self)
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
