/// What the command line asks of the host.
struct Arguments {
    /// What to do.
    enum Action: Equatable {
        case serve
        case help
        case version
        case checkConfiguration(all: Bool)
        case showConfiguration(storage: String?)
        case profileReference
    }

    var action = Action.serve
    var configuration: String?
    var profile: String?
    var socket: String?
    var isJSON = false
    var requiresHealth = false

    /// A command line that cannot be understood.
    struct Problem: Error {
        let message: String
    }

    static let help = """
        cofferd serves the storages of a configuration to every application on this machine.

        usage: cofferd [--config FILE] [--profile NAME] [--socket PATH] [--require-healthy]
               cofferd config check [--all] [--json] [--config FILE] [--profile NAME]
               cofferd config show [STORAGE] [--json] [--config FILE] [--profile NAME]
               cofferd --help | --version

          --config FILE       the configuration; else COFFER_CONFIG, ./coffer.yaml,
                              ~/.config/coffer/coffer.yaml, /etc/coffer/coffer.yaml
          --profile NAME      the active profile; else COFFER_PROFILE, what `coffer profile use` chose,
                              `profile:` in the configuration
          --socket PATH       where to listen; else COFFER_SOCKET, `socket:` in the configuration,
                              $XDG_RUNTIME_DIR/coffer/coffer.sock, /run/coffer/coffer.sock
          --require-healthy   start and switch only when every store can be reached
          --check             the same as config check

        SIGHUP reads the configuration again, SIGTERM and SIGINT finish what is in flight and stop.
        exit: 0 stopped in order, 1 failure, 2 usage, 7 configuration,
        8 a store that cannot be reached, with --require-healthy

        """

    /// Reads the words after the program's name.
    init(_ words: [String]) throws(Problem) {
        var words = words[...]
        var plain: [String] = []
        var isCheckingAll = false
        while let word = words.popFirst() {
            let (name, attached) = Arguments.split(word)
            func value() throws(Problem) -> String {
                if let attached { return attached }
                guard let next = words.popFirst() else { throw Problem(message: "\(name) wants a value") }
                return next
            }
            switch name {
            case "--help", "-h": action = .help
            case "--version": action = .version
            case "--config", "-c": configuration = try value()
            case "--profile": profile = try value()
            case "--socket": socket = try value()
            case "--json": isJSON = true
            case "--all": isCheckingAll = true
            case "--check": action = .checkConfiguration(all: false)
            case "--require-healthy": requiresHealth = true
            case "--profile-reference": action = .profileReference
            default:
                guard !word.hasPrefix("-") else { throw Problem(message: "unknown option \(word); try cofferd --help") }
                plain.append(word)
            }
        }
        try takeCommand(plain)
        if isCheckingAll {
            guard case .checkConfiguration = action else { throw Problem(message: "--all belongs to config check") }
            action = .checkConfiguration(all: true)
        }
    }

    private mutating func takeCommand(_ words: [String]) throws(Problem) {
        switch (words.first, words.dropFirst().first, words.count) {
        case (nil, _, _): break
        case ("config", "check", 2): action = .checkConfiguration(all: false)
        case ("config", "show", 2): action = .showConfiguration(storage: nil)
        case ("config", "show", 3): action = .showConfiguration(storage: words[2])
        default: throw Problem(message: "cannot make sense of \(words.joined(separator: " ")); try cofferd --help")
        }
    }

    /// `--name=value` in its two parts.
    private static func split(_ word: String) -> (String, String?) {
        guard word.hasPrefix("--"), let equals = word.firstIndex(of: "=") else { return (word, nil) }
        return (String(word[..<equals]), String(word[word.index(after: equals)...]))
    }
}
