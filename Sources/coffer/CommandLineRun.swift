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
        let (command, rest) = try CommandTable.find(words)
        guard let command else {
            try topLevel(rest, &output)
            return 0
        }
        if !command.passesThrough || rest.first == "--help" || rest.first == "-h" {
            let arguments = try Arguments(rest, command.options + OptionSpec.everywhere, of: command)
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

    /// What may stand without a command.
    private static func topLevel(_ words: [String], _ output: inout Output) throws(Failure) {
        switch words.first {
        case nil:
            throw .usage("which command?", command: nil)
        case "--help", "-h", "help":
            guard let name = words.dropFirst().first else { return output.write(Help.overview) }
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
