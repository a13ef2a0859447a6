import CofferLoader

/// `inspect`: what a plugin says of itself.
struct InspectCommand {
    private let arguments: Arguments

    init(_ words: [String]) throws {
        arguments = try Arguments(words, valued: [], plain: ["--manifest", "--json"])
    }

    func run() throws -> Int32 {
        let path = try arguments.onlyWord("FILE.so")
        let manifest = try Manifest.inspecting(path)
        if arguments.has("--manifest") || arguments.has("--json") {
            print(String(decoding: manifest.json, as: UTF8.self))
            return 0
        }
        let plugin = manifest.description
        print("\(plugin.id) \(plugin.version): \(plugin.summary)")
        let facts = [
            ("name", plugin.name), ("license", plugin.license), ("homepage", plugin.homepage), ("abi", plugin.abi),
            ("sha256", manifest.digest ?? ""), ("isolation", manifest.isolation.rawValue),
        ]
        for (word, value) in facts where !value.isEmpty { print("  \(word): \(value)") }
        print("  native: \(plugin.capabilities.words.joined(separator: " "))")
        if plugin.options.isEmpty { print("  options: none") }
        for option in plugin.options {
            var notes = [option.kind == .choice ? option.choices.joined(separator: "|") : option.kind.rawValue]
            if option.isRequired { notes.append("required") }
            if option.isSecret { notes.append("secret") }
            if option.isLive { notes.append("live") }
            if let value = option.defaultValue { notes.append("default \(value)") }
            print("  option \(option.name) (\(notes.joined(separator: ", "))): \(option.documentation)")
        }
        return 0
    }
}
