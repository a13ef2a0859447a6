// What a value must look like, and its one normal form.
import CofferJSON

/// A value that does not fit its key.
struct ValueProblem: Error, Hashable {
    let message: String
    let hint: String?
}

/// Checks text against an option and brings it into the form of the plugin ABI.
struct ValueRule {
    let option: OptionSchema

    init(_ option: OptionSchema) { self.option = option }

    /// What the option takes, in words.
    var expectation: String {
        switch option.type {
        case .string: "text"
        case .int: "a whole number\(range { "\($0)" })"
        case .bool: "true or false"
        case .size: "a size such as 5MiB\(range(ByteSize.text))"
        case .duration: "a duration such as 30s\(range(TimeSpan.text))"
        case .enum: alternatives(option.choices)
        case .path: "a path"
        case .url: "a URL such as https://host/"
        case .list: "a list of texts"
        case .map: "a mapping of texts"
        }
    }

    /// The normal form of `text`.
    ///
    /// A message shows the text only if it is no secret, and if it stands in the file as it is: what a reference
    /// stands for may be anything.
    func normalize(
        _ text: String,
        folder: String,
        home: String?,
        isReferenced: Bool
    ) -> Result<String, ValueProblem> {
        let isHidden = isReferenced || option.isSecret
        guard !text.utf8.contains(0) else { return .failure(problem(isHidden ? nil : "text with a NUL")) }
        let shown =
            option.isSecret
            ? nil : isReferenced ? "what its reference stands for" : SettingText.withoutPassword(text).quoted
        switch option.type {
        case .string: return .success(text)
        case .int: return int(text, shown)
        case .bool: return bool(text, shown)
        case .size: return quantity(ByteSize.parse(text), shown, "a whole number of bytes")
        case .duration: return quantity(TimeSpan.parse(text), shown, "a whole number of milliseconds")
        case .enum:
            if option.choices.contains(where: { $0.isSame(as: text) }) { return .success(text) }
            return .failure(problem(shown, hint: isHidden ? nil : suggestion(for: text, among: option.choices)))
        case .path: return path(text, shown, folder: folder, home: home)
        case .url: return Self.isURL(text) ? .success(text) : .failure(problem(shown))
        case .list: return .success("[\(JSONValue.string(text))]")
        case .map: return .failure(problem("text"))
        }
    }

    /// The finding that `found` is not what the option takes; nil shows nothing of the value.
    func problem(_ found: String?, hint: String? = nil) -> ValueProblem {
        let what = found.map { ", not \($0)" } ?? ""
        return ValueProblem(message: "\(option.name.quoted) takes \(expectation)\(what)", hint: hint)
    }

    private func range(_ text: (Int64) -> String) -> String {
        switch (option.minimum, option.maximum) {
        case (nil, nil): ""
        case (let low?, nil): ", at least \(text(low))"
        case (nil, let high?): ", at most \(text(high))"
        case (let low?, let high?): " from \(text(low)) to \(text(high))"
        }
    }

    private func isInRange(_ number: Int64) -> Bool {
        number >= option.minimum ?? .min && number <= option.maximum ?? .max
    }

    private func int(_ text: String, _ shown: String?) -> Result<String, ValueProblem> {
        let digits = text.trimmed
        let unsigned = digits.utf8.first == 0x2D ? digits.utf8.dropFirst() : digits.utf8[...]
        guard !unsigned.isEmpty, unsigned.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return .failure(problem(shown))
        }
        // YAML 1.1 reads 010 as eight, other readers as ten: nobody knows what was meant.
        guard unsigned.first != 0x30 || unsigned.count == 1 else {
            return .failure(problem(shown, hint: "write it without the leading zero"))
        }
        guard let number = Int64(digits), isInRange(number) else { return .failure(problem(shown)) }
        return .success("\(number)")
    }

    private func bool(_ text: String, _ shown: String?) -> Result<String, ValueProblem> {
        switch text.lowercasedASCII {
        case "true", "yes", "on": .success("true")
        case "false", "no", "off": .success("false")
        default: .failure(problem(shown))
        }
    }

    private func quantity(
        _ result: Result<Int64, QuantityProblem>,
        _ shown: String?,
        _ whole: String
    ) -> Result<String, ValueProblem> {
        switch result {
        case .success(let number) where isInRange(number): .success("\(number)")
        case .success, .failure(.malformed): .failure(problem(shown))
        case .failure(.noUnit): .failure(problem(shown, hint: "add a unit: ms, s, m, h or d"))
        case .failure(.fraction): .failure(problem(shown, hint: "it must be \(whole)"))
        case .failure(.tooLarge): .failure(problem(shown, hint: "it is too large"))
        case .failure(.ambiguous(let binary, let decimal)):
            .failure(problem(shown, hint: "write \(binary) or \(decimal)"))
        }
    }

    private func path(
        _ text: String,
        _ shown: String?,
        folder: String,
        home: String?
    ) -> Result<String, ValueProblem> {
        guard !text.isEmpty else { return .failure(problem(shown)) }
        guard text.utf8.starts(with: "~/".utf8) else { return .success(Path.absolute(text, in: folder)) }
        guard let home else { return .failure(problem(shown, hint: "the variable HOME is not set")) }
        return .success(Path.absolute(String(text.dropFirst(2)), in: home))
    }

    /// Whether `text` is an absolute URL: a scheme, `://`, and something after it without spaces.
    private static func isURL(_ text: String) -> Bool {
        guard let start = text.afterScheme else { return false }
        let scheme = text.utf8[..<start].dropLast(3)
        let rest = text.utf8[start...]
        guard let first = scheme.first, (0x41...0x5A).contains(first & 0xDF), let host = rest.first else {
            return false
        }
        let isSchemeByte: (UInt8) -> Bool = {
            (0x41...0x5A).contains($0 & 0xDF) || (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E].contains($0)
        }
        let isFile = scheme.elementsEqual("file".utf8)
        return scheme.allSatisfy(isSchemeByte) && rest.allSatisfy { $0 > 0x20 && $0 != 0x7F }
            && (isFile || (host != 0x2F && host != 0x3F && host != 0x23))
    }
}
