import CofferAPI
import CofferModel
import CofferProfile
import Glibc

/// Reads the configuration: its text, the option tables that it needs, and who decides on the profile.
struct ConfigurationLoader: Sendable {
    let path: String
    /// `--profile` or `COFFER_PROFILE`.
    let argument: ProfileSelection?
    let chosen: ChosenProfile
    let plugins: Plugins

    init(path: String, profile: String?, state: String, plugins: Plugins) {
        self.path = path
        self.plugins = plugins
        chosen = ChosenProfile(folder: state, configuration: path)
        if let profile {
            argument = ProfileSelection(profile, by: .argument("--profile"))
        } else {
            argument = Locations.environment("COFFER_PROFILE")
                .map { ProfileSelection($0, by: .argument("COFFER_PROFILE")) }
        }
    }

    /// The configuration with the profile that the argument, the kept choice or the text names.
    ///
    /// `choosing` outranks all three: somebody is choosing it now.
    func load(choosing profile: String? = nil) throws(ConfigurationError) -> Configuration {
        let text = try read()
        let selection: ProfileSelection?
        if let profile {
            selection = ProfileSelection(profile, by: .state)
        } else {
            // A choice that the text no longer knows was made for another text.
            let kept = chosen.read().flatMap { name in text.profileNames.contains(name) ? name : nil }
            selection = argument ?? kept.map { ProfileSelection($0, by: .state) }
        }
        return try text.resolve(backends: plugins.schemas(), selection: selection)
    }

    /// Resolves every profile and says what is wrong with any of them.
    func checkAll() throws(ConfigurationError) -> [Diagnostic] {
        try read().checkAll(backends: plugins.schemas(), selection: argument)
    }

    /// One storage made at run time, resolved as if the configuration had it among its `storages:`.
    func resolve(ephemeral name: String, _ body: EphemeralStorageBody) throws(ConfigurationError) -> ResolvedStorage? {
        let text = try ConfigurationText.parse(
            body.asConfiguration(of: name, over: path),
            path: "\(path)+\(name)",
            sources: Self.sources
        )
        let selection = argument ?? chosen.read().map { ProfileSelection($0, by: .state) }
        return try text.resolve(backends: plugins.schemas(), selection: selection).storage(name)
    }

    private func read() throws(ConfigurationError) -> ConfigurationText {
        let text = try ConfigurationText.read(path, sources: Self.sources)
        plugins.search(text.plugins)
        return text
    }

    static let sources = ConfigurationSources(
        variable: { name in getenv(name).map { String(cString: $0) } },
        variableNames: {
            var names: [String] = []
            var entry = environ
            while let text = entry.pointee {
                names.append(String(String(cString: text).prefix { $0 != "=" }))
                entry += 1
            }
            return names
        }
    )
}
