// The two steps from YAML to a configuration: the text first, then, once the backends are known, what it means.

/// The profile that somebody other than the text chose.
package struct ProfileSelection: Sendable, Hashable {
    package var name: String
    /// Who chose it.
    package var source: ProfileSource

    package init(_ name: String, by source: ProfileSource) {
        self.name = name
        self.source = source
    }
}

/// A configuration's text with everything it includes, read but not yet resolved.
///
/// It tells which plugins it names, so that their option tables can be had; `resolve` then does the rest.
package struct ConfigurationText: Sendable {
    /// The absolute path of the main file.
    package let path: String
    /// Every file that was read, the main one first.
    package let files: [String]
    /// What `plugins:` names.
    package let plugins: [PluginReference]
    /// The profiles that the text defines, in its order.
    package let profileNames: [String]

    private let root: Node
    private let sources: ConfigurationSources
    private let limits: DocumentLimits

    /// Reads the file at the absolute `path`.
    package static func read(
        _ path: String,
        sources: ConfigurationSources
    ) throws(ConfigurationError) -> ConfigurationText {
        try make(path, sources: sources) { reader in reader.read(Path.absolute(path, in: "/"), includedAt: nil) }
    }

    /// Reads `bytes`, which stand for the file at the absolute `path`; any bytes will do.
    package static func parse(
        _ bytes: [UInt8],
        path: String,
        sources: ConfigurationSources
    ) throws(ConfigurationError) -> ConfigurationText {
        try make(path, sources: sources) { reader in reader.parse(bytes, named: Path.absolute(path, in: "/")) }
    }

    private static func make(
        _ path: String,
        sources: ConfigurationSources,
        _ body: (inout DocumentReader) -> Node?
    ) throws(ConfigurationError) -> ConfigurationText {
        let findings = Findings()
        let references = References(sources)
        let limits = DocumentLimits()
        var reader = DocumentReader(sources: sources, references: references, findings: findings, limits: limits)
        let path = Path.absolute(path, in: "/")
        let tree = body(&reader) ?? Node(.mapping([]), at: SourceMark(file: path, line: 1, column: 1))
        try findings.check()
        let host = HostReader(reader: ValueReader(references: references, findings: findings), findings: findings)
        let plugins = host.plugins(tree["plugins"])
        let names = (tree["profiles"]?.entries ?? []).map(\.key)
        try findings.check()
        return ConfigurationText(
            path: path,
            files: reader.files,
            plugins: plugins,
            profileNames: names,
            root: tree,
            sources: sources,
            limits: limits
        )
    }

    /// The configuration with one profile active: the one of `selection`, else the one that the text names.
    ///
    /// The names in the whole text are checked; references are resolved for the storages of this profile only.
    package func resolve(
        backends: [BackendSchema],
        selection: ProfileSelection? = nil
    ) throws(ConfigurationError) -> Configuration {
        let work = Resolution(root: root, path: path, backends: backends, sources: sources, limits: limits)
        work.checkText()
        let active = work.activeProfile(selection)
        let parts = active.map { work.parts(of: $0.name) }
        try work.findings.check()
        guard let active, let parts else { throw ConfigurationError(diagnostics: work.findings.sorted) }
        return Configuration(
            activeProfile: active.name,
            decidedBy: active.source,
            profileNames: profileNames,
            extended: work.graph.extended,
            storages: parts.storages,
            defaultStorage: parts.defaultStorage,
            socket: work.host.socket(root["socket"]),
            access: parts.access,
            watch: work.host.watch(root["watch"]),
            plugins: plugins,
            limits: work.host.limits(root["limits"]),
            files: files,
            referencedFiles: work.references.files,
            warnings: work.findings.sorted
        )
    }

    /// Resolves every profile, and the base where no profile is named as the active one.
    ///
    /// Returns the warnings; throws everything that was found if any of it is an error.
    package func checkAll(
        backends: [BackendSchema],
        selection: ProfileSelection? = nil
    ) throws(ConfigurationError) -> [Diagnostic] {
        let work = Resolution(root: root, path: path, backends: backends, sources: sources, limits: limits)
        work.checkText()
        let active = work.activeProfile(selection)
        for name in profileNames where work.graph.contains(name) { _ = work.parts(of: name) }
        if let active, active.name == nil { _ = work.parts(of: nil) }
        try work.findings.check()
        return work.findings.sorted
    }
}
