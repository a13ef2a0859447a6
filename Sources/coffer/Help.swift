/// Help, made of the command table.
enum Help {
    static var overview: String {
        var text = """
            coffer stores and reads objects through the host on this machine.

            usage: coffer COMMAND [OPTIONS] [OPERANDS]

            Objects are addressed as storage:key; a bare key means the default storage, - standard input or output.


            """
        text += lines(of: CommandTable.commands)
        text += """

            coffer COMMAND --help tells more about a command.
            The host's socket: --socket, COFFER_SOCKET, $XDG_RUNTIME_DIR/coffer/coffer.sock, /run/coffer/coffer.sock.
            exit: 0 done, 1 failure, 2 usage, 3 not found, 4 exists or precondition, 5 permission,
                  6 refused by policy, 7 configuration, 8 host or backend unavailable

            """
        return text
    }

    /// Help for a word with which several commands begin; nil where none do.
    static func text(ofGroup word: String) -> String? {
        let group = CommandTable.commands.filter { $0.name.hasPrefix(word + " ") }
        guard !group.isEmpty else { return nil }
        let usage = "usage: coffer \(word) COMMAND [OPTIONS] [OPERANDS]"
        return "\(usage)\n\n\(lines(of: group))\ncoffer \(word) COMMAND --help tells more about a command.\n"
    }

    private static func lines(of commands: [CommandSpec]) -> String {
        let width = commands.map { $0.name.count }.max() ?? 0
        return commands.map { "  \(padded($0.name, width))  \($0.summary)\n" }.joined()
    }

    static func text(of command: CommandSpec) -> String {
        var text = "\(command.summary)\n\nusage: coffer \(command.name)"
        if !command.options.isEmpty { text += " [OPTIONS]" }
        if !command.operands.isEmpty { text += " \(command.operands)" }
        text += "\n"
        if !command.details.isEmpty { text += "\n\(command.details)\n" }
        let options = command.allOptions
        let names = options.map { $0.names.joined(separator: ", ") + ($0.value.map { " \($0)" } ?? "") }
        let width = names.map { $0.count }.max() ?? 0
        text += "\n"
        for (option, name) in zip(options, names) { text += "  \(padded(name, width))  \(option.summary)\n" }
        return text
    }

    static func padded(_ text: String, _ width: Int) -> String {
        text.count >= width ? text : text + String(repeating: " ", count: width - text.count)
    }
}
