// `${env:NAME}`, `${env:NAME:-default}`, `${file:/path}` and `$$` inside values.

package import CofferModel

/// What a reference stands for cannot be had.
struct ReferenceProblem: Error, Hashable {
    let message: String
    let hint: String?
}

/// Puts in what references stand for; each variable and file is read once.
final class References {
    /// A text after its references were put in.
    struct Expansion {
        let text: String
        /// Whether the text held a reference, so that it may hold what nobody should see.
        let isReferenced: Bool
    }

    /// The bytes a referenced file may have.
    static let fileLimit = 64 << 10

    private let sources: ConfigurationSources
    private var variables: [Word: String?] = [:]
    private var contents: [Word: Result<String, FileFailure>] = [:]
    private(set) var files: [String] = []

    init(_ sources: ConfigurationSources) { self.sources = sources }

    /// Whether `text` holds a reference.
    static func occur(in text: String) -> Bool { start(in: text.utf8) }

    /// Whether a reference starts among `bytes`.
    static func start(in bytes: some Sequence<UInt8>) -> Bool {
        var wasDollar = false
        for byte in bytes {
            if wasDollar && byte == 0x7B { return true }
            wasDollar = byte == 0x24 && !wasDollar
        }
        return false
    }

    /// The home folder of whom the host runs as, by the environment.
    var home: String? { variable("HOME").flatMap { $0.utf8.first == 0x2F ? $0 : nil } }

    /// `text` with what its references stand for; relative files start at `folder`.
    func expand(_ text: String, in folder: String) throws(ReferenceProblem) -> Expansion {
        guard text.utf8.contains(0x24) else { return Expansion(text: text, isReferenced: false) }
        var isReferenced = false
        let bytes = try expand(Array(text.utf8)[...], in: folder, depth: 0, &isReferenced)
        return Expansion(text: String(decoding: bytes, as: UTF8.self), isReferenced: isReferenced)
    }

    private func expand(
        _ text: ArraySlice<UInt8>,
        in folder: String,
        depth: Int,
        _ isReferenced: inout Bool
    ) throws(ReferenceProblem) -> [UInt8] {
        guard depth < 8 else { throw ReferenceProblem(message: "references too deep in each other", hint: nil) }
        var result: [UInt8] = []
        var position = text.startIndex
        while position < text.endIndex {
            let byte = text[position]
            let next = position + 1 < text.endIndex ? text[position + 1] : 0
            if byte == 0x24 && next == 0x24 {
                result.append(0x24)
                position += 2
            } else if byte == 0x24 && next == 0x7B {
                guard let end = Self.end(of: position + 2, in: text) else {
                    throw ReferenceProblem(message: "a reference without its }", hint: "write $$ for a dollar sign")
                }
                isReferenced = true
                result += try value(of: text[position + 2..<end], in: folder, depth: depth, &isReferenced)
                position = end + 1
            } else {
                result.append(byte)
                position += 1
            }
        }
        return result
    }

    /// The position of the brace that closes what starts at `start`, inner references skipped.
    private static func end(of start: Int, in text: ArraySlice<UInt8>) -> Int? {
        var open = 1
        var position = start
        while position < text.endIndex {
            if text[position] == 0x24 && position + 1 < text.endIndex && text[position + 1] == 0x7B {
                open += 1
                position += 1
            } else if text[position] == 0x7D {
                open -= 1
                if open == 0 { return position }
            }
            position += 1
        }
        return nil
    }

    private func value(
        of reference: ArraySlice<UInt8>,
        in folder: String,
        depth: Int,
        _ isReferenced: inout Bool
    ) throws(ReferenceProblem) -> [UInt8] {
        guard let colon = reference.firstIndex(of: 0x3A) else { throw Self.unknown }
        let body = reference[(colon + 1)...]
        switch String(decoding: reference[..<colon], as: UTF8.self) {
        case "env":
            let name = body.prefix { $0 != 0x3A }
            let rest = body.dropFirst(name.count)
            guard Self.isVariableName(name), rest.isEmpty || rest.starts(with: ":-".utf8) else {
                throw ReferenceProblem(
                    message: "a reference to a variable is ${env:NAME} or ${env:NAME:-default}",
                    hint: nil
                )
            }
            let word = String(decoding: name, as: UTF8.self)
            let value = variable(word)
            if rest.isEmpty {
                guard let value else { throw missing(word) }
                return Array(value.utf8)
            }
            if let value, !value.isEmpty { return Array(value.utf8) }
            return try expand(rest.dropFirst(2), in: folder, depth: depth + 1, &isReferenced)
        case "file":
            let path = String(decoding: try expand(body, in: folder, depth: depth + 1, &isReferenced), as: UTF8.self)
            guard !path.isEmpty else {
                throw ReferenceProblem(message: "a reference to a file is ${file:/path}", hint: nil)
            }
            return Array(try content(Path.absolute(path, in: folder)).utf8)
        default: throw Self.unknown
        }
    }

    private static let unknown = ReferenceProblem(
        message: "an unknown reference, expected ${env:NAME}, ${env:NAME:-default} or ${file:/path}",
        hint: "write $$ for a dollar sign"
    )

    private func missing(_ name: String) -> ReferenceProblem {
        let near = suggestion(for: name, among: sources.variableNames().sorted())
        return ReferenceProblem(
            message: "the environment variable \(name.quoted) is not set",
            hint: near ?? "set it, or write ${env:\(name):-default}"
        )
    }

    private func variable(_ name: String) -> String? {
        if let known = variables[Word(name)] { return known }
        let value = sources.variable(name)
        variables[Word(name)] = .some(value)
        return value
    }

    private func content(_ path: String) throws(ReferenceProblem) -> String {
        let result = contents[Word(path)] ?? read(path)
        contents[Word(path)] = result
        switch result {
        case .success(let text): return text
        case .failure(let failure):
            throw ReferenceProblem(message: "the file \(path.quoted) cannot be read: \(failure.reason)", hint: nil)
        }
    }

    private func read(_ path: String) -> Result<String, FileFailure> {
        files.append(path)
        do throws(FileFailure) {
            var bytes = try sources.file(path, Self.fileLimit)
            if bytes.last == 0x0A { bytes.removeLast() }
            if bytes.last == 0x0D { bytes.removeLast() }
            guard let text = String(validating: bytes, as: UTF8.self) else { return .failure(FileFailure("not UTF-8")) }
            return .success(text)
        } catch {
            return .failure(error)
        }
    }

    private static func isVariableName(_ name: ArraySlice<UInt8>) -> Bool {
        guard let first = name.first, !(0x30...0x39).contains(first) else { return false }
        return name.allSatisfy { $0 == 0x5F || (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) }
    }
}

/// A value that may be read afresh while its storage is open, such as a rotated secret.
package struct LiveValue: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String
    private let folder: String
    private let option: OptionSchema

    init(text: String, folder: String, option: OptionSchema) {
        self.text = text
        self.folder = folder
        self.option = option
    }

    /// Never the text: it may hold half a secret.
    package var description: String { "live value of \(option.name)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["option": option.name]) }

    /// The present value in the form of the ABI.
    package func read(from sources: ConfigurationSources) throws(CofferError) -> String {
        let references = References(sources)
        do throws(ReferenceProblem) {
            let expansion = try references.expand(text, in: folder)
            let checked = ValueRule(option).normalize(
                expansion.text,
                folder: folder,
                home: references.home,
                isReferenced: true
            )
            switch checked {
            case .success(let value): return value
            case .failure(let problem): throw ReferenceProblem(message: problem.message, hint: problem.hint)
            }
        } catch {
            throw CofferError(.configInvalid, error.message)
        }
    }
}
