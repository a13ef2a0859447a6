// The values of the options that an instance was opened with.

/// The values of the options that an instance was opened with: defaults included, types checked by the host.
///
/// A getter throws `config`, naming the option, if a value is not what was declared: not every caller is our host.
public struct Options: Sendable {
    private let values: Properties

    /// Options by their names.
    public init(_ values: Properties) { self.values = values }

    /// Every name that has a value.
    public var names: [String] { values.map(\.name) }

    /// The text of an option, or nil.
    public func string(_ name: String) -> String? { values[name] }

    /// The text of an option that must have one.
    public func required(_ name: String) throws(BackendError) -> String {
        guard let text = values[name], !text.isEmpty else { throw Self.wrong(name, "is missing") }
        return text
    }

    /// A whole number: integers, sizes in bytes, durations in milliseconds.
    public func integer(_ name: String) throws(BackendError) -> Int64? {
        guard let text = values[name] else { return nil }
        guard let number = Int64(text) else { throw Self.wrong(name, "is not a number") }
        return number
    }

    /// Bytes.
    public func size(_ name: String) throws(BackendError) -> UInt64? {
        guard let text = values[name] else { return nil }
        guard let number = UInt64(text) else { throw Self.wrong(name, "is not a size") }
        return number
    }

    /// Milliseconds.
    public func milliseconds(_ name: String) throws(BackendError) -> UInt64? {
        guard let text = values[name] else { return nil }
        guard let number = UInt64(text) else { throw Self.wrong(name, "is not a duration") }
        return number
    }

    /// `true` or `false`.
    public func boolean(_ name: String) throws(BackendError) -> Bool? {
        switch values[name] {
        case nil: return nil
        case "true": return true
        case "false": return false
        default: throw Self.wrong(name, "is neither true nor false")
        }
    }

    /// A list of strings; absent is empty.
    public func list(_ name: String) throws(BackendError) -> [String] {
        guard let text = values[name] else { return [] }
        var reader = JSONTextReader(text)
        guard let list = reader.list() else { throw Self.wrong(name, "is not a list of strings") }
        return list
    }

    /// A map of strings; absent is empty.
    public func map(_ name: String) throws(BackendError) -> [(name: String, value: String)] {
        guard let text = values[name] else { return [] }
        var reader = JSONTextReader(text)
        guard let map = reader.map() else { throw Self.wrong(name, "is not a map of strings") }
        return map
    }

    /// The error for a wrong option: `option NAME WHY`.
    public static func wrong(_ name: String, _ why: String) -> BackendError {
        BackendError(.config, "option \(name) \(why)")
    }
}

/// Reads the two shapes of JSON that an option can have: a list of strings, a map of strings.
struct JSONTextReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func list() -> [String]? {
        var result: [String] = []
        guard take(0x5B) else { return nil }
        if take(0x5D) { return isAtEnd() ? result : nil }
        repeat {
            guard let item = string() else { return nil }
            result.append(item)
        } while take(0x2C)
        return take(0x5D) && isAtEnd() ? result : nil
    }

    mutating func map() -> [(name: String, value: String)]? {
        var result: [(name: String, value: String)] = []
        guard take(0x7B) else { return nil }
        if take(0x7D) { return isAtEnd() ? result : nil }
        repeat {
            guard let name = string(), take(0x3A), let value = string() else { return nil }
            result.append((name, value))
        } while take(0x2C)
        return take(0x7D) && isAtEnd() ? result : nil
    }

    private mutating func skipBlanks() {
        while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
    }

    private mutating func isAtEnd() -> Bool {
        skipBlanks()
        return at == bytes.count
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipBlanks()
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    private mutating func string() -> String? {
        guard take(0x22) else { return nil }
        var text: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case 0x22: return String(validating: text, as: UTF8.self)
            case 0x5C:
                guard escape(into: &text) else { return nil }
            case 0..<0x20: return nil
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func escape(into text: inout [UInt8]) -> Bool {
        guard at < bytes.count else { return false }
        let byte = bytes[at]
        at += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: text.append(byte)
        case 0x62: text.append(0x08)
        case 0x66: text.append(0x0C)
        case 0x6E: text.append(0x0A)
        case 0x72: text.append(0x0D)
        case 0x74: text.append(0x09)
        case 0x75:
            guard let scalar = unicodeEscape() else { return false }
            text.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: return false
        }
        return true
    }

    private mutating func unicodeEscape() -> Unicode.Scalar? {
        guard let first = hexadecimal() else { return nil }
        guard first >= 0xD800 && first < 0xDC00 else { return Unicode.Scalar(first) }
        guard at + 1 < bytes.count, bytes[at] == 0x5C, bytes[at + 1] == 0x75 else { return nil }
        at += 2
        guard let second = hexadecimal(), second >= 0xDC00 && second < 0xE000 else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private mutating func hexadecimal() -> UInt32? {
        guard at + 4 <= bytes.count else { return nil }
        defer { at += 4 }
        var value: UInt32 = 0
        for byte in bytes[at..<at + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
