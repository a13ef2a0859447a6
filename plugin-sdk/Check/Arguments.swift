/// A command line, taken apart: words, and options with their values.
struct Arguments {
    /// What the tool was asked with a word that it does not know, or without one that it needs.
    struct Misuse: Error {
        let reason: String
    }

    private(set) var words: [String] = []
    private var flags: Set<String> = []
    private var values: [(name: String, value: String)] = []

    /// Takes `arguments` apart; `valued` names the options that take the next word, `plain` those that take none.
    init(_ arguments: [String], valued: Set<String>, plain: Set<String>) throws {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            if plain.contains(word) {
                flags.insert(word)
            } else if valued.contains(word) {
                guard let value = rest.popFirst() else { throw Misuse(reason: "\(word) needs a value") }
                values.append((word, value))
            } else if let equals = word.firstIndex(of: "="), valued.contains(String(word[..<equals])) {
                values.append((String(word[..<equals]), String(word[word.index(after: equals)...])))
            } else if word.hasPrefix("-") {
                throw Misuse(reason: "there is no option \(word)")
            } else {
                words.append(word)
            }
        }
    }

    func has(_ flag: String) -> Bool { flags.contains(flag) }

    func all(_ name: String) -> [String] { values.filter { $0.name == name }.map(\.value) }

    /// The last value of an option that counts once.
    func last(_ name: String) -> String? { all(name).last }

    /// The one word that the command works on.
    func onlyWord(_ what: String) throws -> String {
        guard let word = words.first else { throw Misuse(reason: "\(what) is missing") }
        guard words.count == 1 else { throw Misuse(reason: "\(words[1]) is one word too many") }
        return word
    }
}
