// One pass over a text: what its checks and its resolved parts share.

/// The state of one resolution.
final class Resolution {
    /// What a profile decides.
    struct Parts {
        let storages: [ResolvedStorage]
        let defaultStorage: String?
        let access: [AccessRule]
    }

    let root: Node
    let graph: ProfileGraph
    let findings = Findings()
    let references: References
    let host: HostReader
    private let reader: ValueReader
    private let schemas: SchemaTable
    private let folder: String
    private let limits: DocumentLimits

    init(
        root: Node,
        path: String,
        backends: [BackendSchema],
        sources: ConfigurationSources,
        limits: DocumentLimits
    ) {
        self.root = root
        self.limits = limits
        references = References(sources)
        reader = ValueReader(references: references, findings: findings)
        host = HostReader(reader: reader, findings: findings)
        graph = ProfileGraph(root, limits: limits, findings: findings)
        schemas = SchemaTable(backends)
        folder = Path.folder(of: path)
    }

    /// Checks what no choice of a profile changes.
    func checkText() {
        KeyCheck(root: root, graph: graph, schemas: schemas, reader: reader, findings: findings).run()
        _ = host.socket(root["socket"])
        _ = host.watch(root["watch"])
        _ = host.limits(root["limits"])
    }

    /// The profile in force and who decided; nil after a finding.
    func activeProfile(_ selection: ProfileSelection?) -> (name: String?, source: ProfileSource)? {
        if let selection {
            guard graph.contains(selection.name) else {
                unknownProfile(selection.name, at: nil, from: selection.source)
                return nil
            }
            // What the text names must exist even while somebody else decides.
            checkNamedProfile()
            return (selection.name, selection.source)
        }
        guard let node = root["profile"], !node.isNull else { return (nil, .nobody) }
        guard let name = checkNamedProfile() else { return nil }
        return (name, .text(node.mark))
    }

    @discardableResult
    private func checkNamedProfile() -> String? {
        guard let node = root["profile"], !node.isNull,
            let name = host.name(node, key: "profile", expected: "the name of a profile")
        else { return nil }
        if graph.contains(name) { return name }
        unknownProfile(name, at: node.mark, from: .text(node.mark))
        return nil
    }

    private func unknownProfile(_ name: String, at mark: SourceMark?, from source: ProfileSource) {
        let known = graph.names.isEmpty ? "and the text defines none" : "expected \(alternatives(graph.names))"
        let who = if case .text = source { "" } else { " (from \(source.description))" }
        findings.error(
            "no profile \(name.quoted)\(who), \(known)",
            at: mark,
            hint: suggestion(for: name, among: graph.names)
        )
    }

    /// Resolves what `profile` decides; nil means the base alone.
    func parts(of profile: String?) -> Parts {
        let document = graph.document(of: profile)
        let resolver = StorageResolver(
            document: document,
            schemas: schemas,
            reader: reader,
            findings: findings,
            folder: folder
        )
        let entries = document["storages"]?.entries ?? []
        if entries.count > limits.storages {
            findings.error("more than \(limits.storages) storages", at: document["storages"]?.mark)
        }
        for entry in entries where entry.value.isNull {
            let hint = "write \(entry.key): {} for a storage without settings of its own"
            findings.error("no storage \(entry.key.quoted) to take away", at: entry.mark, hint: hint)
        }
        let storages = entries.prefix(limits.storages).compactMap { resolver.resolve($0) }
        let names = entries.filter { !$0.value.isNull }.map(\.key)
        if names.isEmpty && !findings.hasErrors {
            findings.warn("no storage is configured", at: document["storages"]?.mark ?? root.mark)
        }
        return Parts(
            storages: storages,
            defaultStorage: defaultStorage(document["default_storage"], among: names) ?? names.first,
            access: host.access(document["access"], storages: allStorages)
        )
    }

    private func defaultStorage(_ node: Node?, among names: [String]) -> String? {
        let key = "default_storage"
        guard let node, !node.isNull, let name = host.name(node, key: key, expected: "the name of a storage") else {
            return nil
        }
        if names.contains(where: { $0.isSame(as: name) }) { return name }
        let known = names.isEmpty ? "and there is none" : "expected \(alternatives(names))"
        findings.error(
            "\"\(key)\" names no storage: \(name.quoted), \(known)",
            at: node.mark,
            hint: suggestion(for: name, among: names)
        )
        return nil
    }

    /// The storages of the base and of every profile, each once: a rule may name one that is not there now.
    private lazy var allStorages: [String] = {
        var seen: Set<Word> = []
        var names: [String] = []
        for profile in [nil] + graph.names.map(Optional.some) {
            for entry in graph.document(of: profile)["storages"]?.entries ?? []
            where !entry.value.isNull && seen.insert(Word(entry.key)).inserted {
                names.append(entry.key)
            }
        }
        return names
    }()
}
