import CofferJSON

/// One option of a plugin: its name, what it takes, and what becomes of it.
public struct PluginOption: Sendable, Hashable {
    /// What an option takes; the raw value is the word in manifests.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case string, int, bool, size, duration
        /// One of ``PluginOption/choices``.
        case choice = "enum"
        case path, url, list, map
    }

    /// The name, or `*` for any name that is not declared.
    public var name: String
    /// What it takes.
    public var kind: Kind
    /// Whether it must be given.
    public var isRequired = false
    /// Whether its value must never be shown.
    public var isSecret = false
    /// Whether it may change while a store is open.
    public var isLive = false
    /// What it is where it is not given, in the form that an operator would write.
    public var defaultValue: String?
    /// The words that a ``Kind/choice`` takes.
    public var choices: [String] = []
    /// One sentence about it.
    public var documentation = ""
    /// The smallest and the largest value of a number; both 0 for any.
    public var minimum: Int64 = 0
    /// See ``minimum``.
    public var maximum: Int64 = 0
    /// An older name that is still taken.
    public var deprecatedAlias: String?

    /// Creates an option that takes any value.
    public init(_ name: String, _ kind: Kind) {
        self.name = name
        self.kind = kind
    }

    /// Whether it stands for any name that is not declared.
    public var isOpen: Bool { name == "*" }

    /// A value that does not fit its option, with the reason.
    public struct Misfit: Error, Sendable, Hashable {
        /// The reason, beginning with the name: lower case, no full stop, without the value if it is a secret.
        public var reason: String
    }

    /// `text` as the plugin wants it: sizes in bytes, durations in milliseconds, everything else as it is.
    ///
    /// - Throws: ``Misfit`` with the reason.
    public func normalized(_ text: String) throws(Misfit) -> String {
        switch kind {
        case .string: return text
        case .int: return String(try inRange(Int64(text), text, "a whole number"))
        case .size: return String(try inRange(PluginOption.size(text), text, "a size such as 8MiB"))
        case .duration: return String(try inRange(PluginOption.duration(text), text, "a duration such as 30s"))
        case .bool where text == "true" || text == "false": return text
        case .bool: throw misfit(text, "true or false")
        case .choice where choices.contains(text): return text
        case .choice: throw misfit(text, "one of \(choices.joined(separator: ", "))")
        case .path where text.hasPrefix("/"): return text
        case .path: throw misfit(text, "an absolute path")
        case .url where PluginOption.isAbsoluteURL(text): return text
        case .url: throw misfit(text, "an absolute URL")
        case .list:
            // The reason of the parser would quote the value.
            guard let value = try? JSONValue(parsing: text), let elements = value.arrayValue,
                elements.allSatisfy({ $0.stringValue != nil })
            else { throw misfit(text, "a list of strings") }
            return text
        case .map:
            guard let value = try? JSONValue(parsing: text), let members = value.objectValue,
                members.allSatisfy({ $0.value.stringValue != nil })
            else { throw misfit(text, "a map of strings") }
            return text
        }
    }

    private func inRange(_ value: Int64?, _ text: String, _ expected: String) throws(Misfit) -> Int64 {
        guard let value else { throw misfit(text, expected) }
        guard minimum != 0 || maximum != 0 else { return value }
        guard value >= minimum else { throw Misfit(reason: "\(name) is less than \(minimum)") }
        guard value <= maximum else { throw Misfit(reason: "\(name) is more than \(maximum)") }
        return value
    }

    private func misfit(_ text: String, _ expected: String) -> Misfit {
        Misfit(reason: isSecret ? "\(name) is not \(expected)" : "\(name) is \"\(text)\", which is not \(expected)")
    }
}

extension PluginOption {
    private static let sizeUnits: [String: Int64] = [
        "": 1, "B": 1, "kB": 1000, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000,
        "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
    ]
    private static let durationUnits: [String: Int64] = [
        "": 1, "ms": 1, "s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000,
    ]

    /// Bytes of a size such as `8MiB`.
    static func size(_ text: String) -> Int64? { scaled(text, sizeUnits) }

    /// Milliseconds of a duration such as `30s`; a bare number counts milliseconds, as the ABI has it.
    static func duration(_ text: String) -> Int64? { scaled(text, durationUnits) }

    private static func scaled(_ text: String, _ units: [String: Int64]) -> Int64? {
        let digits = text.prefix { $0 >= "0" && $0 <= "9" }
        guard let count = Int64(digits), let unit = units[String(text[digits.endIndex...])] else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit)
        return overflow ? nil : product
    }

    private static func isAbsoluteURL(_ text: String) -> Bool {
        guard let colon = text.firstIndex(of: ":"), text[colon...].utf8.count > 1 else { return false }
        let scheme = text[..<colon].utf8
        guard let first = scheme.first, first | 0x20 >= 0x61, first | 0x20 <= 0x7A else { return false }
        return scheme.allSatisfy {
            ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2B || $0 == 0x2D
                || $0 == 0x2E
        }
    }
}
