/// An option as the table declares it.
struct OptionSpec: Sendable {
    /// Its names, the long one last.
    let names: [String]
    /// What its value is called; nil for a switch.
    let value: String?
    let summary: String

    /// Declares an option; `names` are as help writes them: `-l, --long`.
    init(_ names: String, value: String? = nil, _ summary: String) {
        self.names = names.split(separator: ",").map { String($0.drop { $0 == " " }) }
        self.value = value
        self.summary = summary
    }

    /// What every other place calls it by.
    var name: String { names.last ?? "" }

    /// What every command takes.
    static let everywhere =
        [
            OptionSpec("--socket", value: "PATH", "talk to the host at this socket"),
            OptionSpec("--json", "print JSON for machines"),
        ] + help

    /// What even a command that another program does takes.
    static let help = [OptionSpec("-h, --help", "show this help")]
}

/// A command as the table declares it; parsing, help and completion go by nothing else.
struct CommandSpec: Sendable {
    /// What stands among the operands, for completion.
    enum Operand: Sendable {
        case nothing, object, file, storage, profile, command
        case word([String])
    }

    /// Its words: `profile use`.
    let name: String
    /// Its operands, as help writes them.
    let operands: String
    let operandCount: ClosedRange<Int>
    let summary: String
    let details: String
    /// Its own options; where another program reads them, help and completion still show them.
    let options: [OptionSpec]
    let completes: Operand
    /// Whether another program reads the words.
    let passesThrough: Bool
    let run: @Sendable (inout Session, inout Output) throws(Failure) -> Int32

    init(
        _ name: String,
        _ operands: String = "",
        _ operandCount: ClosedRange<Int> = 0...0,
        _ summary: String,
        details: String = "",
        options: [OptionSpec] = [],
        completes: Operand = .nothing,
        passesThrough: Bool = false,
        run: @escaping @Sendable (inout Session, inout Output) throws(Failure) -> Int32
    ) {
        self.name = name
        self.operands = operands
        self.operandCount = operandCount
        self.summary = summary
        self.details = details
        self.options = options
        self.completes = completes
        self.passesThrough = passesThrough
        self.run = run
    }

    /// Its options with those of every command.
    var allOptions: [OptionSpec] { options + (passesThrough ? OptionSpec.help : OptionSpec.everywhere) }

    /// What a message says that it takes.
    var operandText: String { operands.isEmpty ? "no operands" : operands }
}
