/// The words after a command, read by the command's options.
///
/// Options may stand anywhere; short switches may be joined (`-rn`); a value follows its option, or `=`; `--` ends the
/// options; `-` alone is an operand.
struct Arguments: Sendable {
    private(set) var operands: [String] = []
    private var given: [(name: String, value: String?)] = []

    /// Takes words that another program reads.
    init(unread words: [String]) { operands = words }

    init(_ words: [String], _ options: [OptionSpec], of command: CommandSpec) throws(Failure) {
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                operands += rest
                break
            }
            if word == "-" || word.utf8.first != UInt8(ascii: "-") {
                operands.append(word)
            } else if word.utf8.starts(with: "--".utf8) {
                try readLong(word, &rest, options, command)
            } else {
                try readShort(word, &rest, options, command)
            }
        }
    }

    private mutating func readLong(
        _ word: String,
        _ rest: inout ArraySlice<String>,
        _ options: [OptionSpec],
        _ command: CommandSpec
    ) throws(Failure) {
        let equals = word.firstIndex(of: "=")
        let name = String(word[..<(equals ?? word.endIndex)])
        guard let option = options.first(where: { $0.names.contains(name) }) else {
            let near = Nearest.word(to: name, among: options.flatMap(\.names))
            throw .usage(
                "\(command.name): unknown option \(name)\(near.map { "; did you mean \($0)?" } ?? "")",
                command: command.name
            )
        }
        let attached = equals.map { String(word[word.index(after: $0)...]) }
        if option.value == nil {
            guard attached == nil else {
                throw .usage("\(command.name): \(name) takes no value", command: command.name)
            }
            given.append((option.name, nil))
        } else {
            try given.append((option.name, value(attached, name, &rest, command)))
        }
    }

    private mutating func readShort(
        _ word: String,
        _ rest: inout ArraySlice<String>,
        _ options: [OptionSpec],
        _ command: CommandSpec
    ) throws(Failure) {
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            let name = "-\(letter)"
            guard let option = options.first(where: { $0.names.contains(name) }) else {
                throw .usage("\(command.name): unknown option \(name)", command: command.name)
            }
            guard option.value != nil else {
                given.append((option.name, nil))
                continue
            }
            try given.append((option.name, value(letters.isEmpty ? nil : String(letters), name, &rest, command)))
            return
        }
    }

    private func value(
        _ attached: String?,
        _ name: String,
        _ rest: inout ArraySlice<String>,
        _ command: CommandSpec
    ) throws(Failure) -> String {
        if let attached { return attached }
        guard let next = rest.popFirst() else {
            throw .usage("\(command.name): \(name) wants a value", command: command.name)
        }
        return next
    }

    /// Whether the switch `name` (the long one) was given.
    func has(_ name: String) -> Bool { given.contains { $0.name == name } }

    /// The last value of `name`; nil where it was not given.
    func value(_ name: String) -> String? { given.last { $0.name == name }?.value }

    /// All values of `name`, in their order.
    func values(_ name: String) -> [String] { given.filter { $0.name == name }.compactMap(\.value) }
}
