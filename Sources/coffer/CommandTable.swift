/// All commands, in the order of help.
enum CommandTable {
    static let commands: [CommandSpec] = [
        .list, .put, .cat, .get, .head, .stat, .remove, .copy, .move, .duplicate, .url, .link, .storages,
        .containersList, .containersCreate, .containersRemove,
        .profileList, .profileUse, .profileShow, .configCheck, .configShow,
        .pluginList, .pluginInspect, .pluginCheck, .pluginNew, .health, .completion, .version,
    ]

    /// The command that `words` begin with, and the words after it; nil where none does.
    ///
    /// - Throws: a usage failure for the first word of a group without one of its second words.
    static func find(_ words: [String]) throws(Failure) -> (CommandSpec?, [String]) {
        guard let first = words.first else { return (nil, []) }
        if let command = commands.first(where: { $0.name == first }) { return (command, Array(words.dropFirst())) }
        let group = commands.filter { $0.name.hasPrefix(first + " ") }
        guard !group.isEmpty else { return (nil, words) }
        let seconds = group.map { String($0.name.dropFirst(first.count + 1)) }
        let choice = seconds.joined(separator: ", ")
        guard let second = words.dropFirst().first else {
            throw .usage("\(first): which of \(choice)?", command: nil)
        }
        if let index = seconds.firstIndex(of: second) { return (group[index], Array(words.dropFirst(2))) }
        let near = Nearest.word(to: second, among: seconds).map { "; did you mean \(first) \($0)?" } ?? ""
        throw .usage(
            "unknown command: \(first) \(second)\(near.isEmpty ? "; there are \(choice)" : near)",
            command: nil
        )
    }

    /// First words: single commands and groups, each once.
    static var firstWords: [String] {
        var words: [String] = []
        for command in commands {
            let word = String(command.name.prefix { $0 != " " })
            if !words.contains(word) { words.append(word) }
        }
        return words
    }

    static func suggestion(for word: String) -> String {
        Nearest.word(to: word, among: firstWords).map { "; did you mean \($0)?" } ?? ""
    }
}
