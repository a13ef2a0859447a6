import CofferAPI
import CofferModel

/// One run of `coffer`, from its words to its exit status.
enum CommandLineRun {
    /// Runs what `words` ask for; every failure is told on standard error.
    static func run(_ words: [String]) -> Int32 {
        var output = Output()
        let status: Int32
        do throws(Failure) {
            status = try dispatch(words, &output)
        } catch {
            output.flush()
            Output.tell(error.lines)
            return error.status
        }
        output.flush()
        return status
    }

    private static func dispatch(_ words: [String], _ output: inout Output) throws(Failure) -> Int32 {
        let words = Self.commandFirst(words)
        if words.count == 2, words[1] == "--help" || words[1] == "-h", let text = Help.text(ofGroup: words[0]) {
            output.write(text)
            return 0
        }
        let (command, rest) = try CommandTable.find(words)
        guard let command else {
            try topLevel(rest, &output)
            return 0
        }
        if !command.passesThrough || rest.first == "--help" || rest.first == "-h" {
            let arguments = try Arguments(rest, command.allOptions, of: command)
            if arguments.has("--help") {
                output.write(Help.text(of: command))
                return 0
            }
            guard command.operandCount.contains(arguments.operands.count) else {
                throw .usage("\(command.name) takes \(command.operandText)", command: command.name)
            }
            var session = Session(arguments)
            return try command.run(&session, &output)
        }
        var session = Session(Arguments(unread: rest))
        return try command.run(&session, &output)
    }

    /// `words` with `--socket` and `--json` that stand before the command put after it.
    private static func commandFirst(_ words: [String]) -> [String] {
        var leading: [String] = []
        var rest = words[...]
        while let word = rest.first {
            if word == "--json" || word.utf8.starts(with: "--socket=".utf8) {
                leading.append(word)
                rest.removeFirst()
            } else if word == "--socket", rest.count > 1 {
                leading += rest.prefix(2)
                rest.removeFirst(2)
            } else {
                break
            }
        }
        // A group's second word stays beside its first.
        let group =
            rest.first.map { first in CommandTable.commands.contains { $0.name.hasPrefix(first + " ") } } ?? false
        let name = rest.prefix(group ? 2 : 1)
        return rest.isEmpty ? words : name + leading + rest.dropFirst(name.count)
    }

    /// What may stand without a command.
    private static func topLevel(_ words: [String], _ output: inout Output) throws(Failure) {
        switch words.first {
        case nil:
            throw .usage("which command?", command: nil)
        case "--help", "-h", "help":
            guard let name = words.dropFirst().first else { return output.write(Help.overview) }
            if words.count == 2, let text = Help.text(ofGroup: name) { return output.write(text) }
            let (command, _) = try CommandTable.find(Array(words.dropFirst()))
            guard let command else {
                throw .usage("unknown command: \(name)\(CommandTable.suggestion(for: name))", command: nil)
            }
            output.write(Help.text(of: command))
        case "--version":
            output.line("coffer \(Release.version)")
        case let word?:
            if word.utf8.first == UInt8(ascii: "-") && word != "-" {
                throw .usage("unknown option: \(word)", command: nil)
            }
            throw .usage("unknown command: \(word)\(CommandTable.suggestion(for: word))", command: nil)
        }
    }
}
