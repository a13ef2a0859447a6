// The check of a whole document, whichever profile is active: no key, backend or profile in it is unknown.

/// Checks names, and the values whose text says enough.
struct KeyCheck {
    let root: Node
    let graph: ProfileGraph
    let schemas: SchemaTable
    let reader: ValueReader
    let findings: Findings
    private let backends: BackendUse
    /// Whether a storage is on a backend that is unknown, or known without its options.
    private let isAnyTableMissing: Bool

    init(root: Node, graph: ProfileGraph, schemas: SchemaTable, reader: ValueReader, findings: Findings) {
        self.root = root
        self.graph = graph
        self.schemas = schemas
        self.reader = reader
        self.findings = findings
        backends = BackendUse(graph)
        let tables = backends.all.map { schemas[$0] }
        isAnyTableMissing = tables.contains { $0.map { $0.isOpen && $0.options.isEmpty } ?? true }
    }

    /// Checks everything.
    func run() {
        keys(of: root, in: .top, named: "the configuration")
        sections(of: root, profile: nil)
        for name in graph.names {
            guard let node = graph.node(of: name) else { continue }
            keys(of: node, in: .profile, named: "profiles.\(name)")
            sections(of: node, profile: name)
        }
    }

    private func sections(of node: Node, profile: String?) {
        let path = profile.map { "profiles.\($0)." } ?? ""
        if let defaults = node["defaults"], mapping(defaults, "\(path)defaults") {
            self.defaults(defaults, named: "\(path)defaults")
        }
        if let backends = node["backends"], mapping(backends, "\(path)backends") {
            for entry in backends.entries ?? [] { backend(entry, named: "\(path)backends.\(entry.key)") }
        }
        if let storages = node["storages"], mapping(storages, "\(path)storages") {
            for entry in storages.entries ?? [] { storage(entry, profile, named: "\(path)storages.\(entry.key)") }
        }
    }

    /// Whether `node` is a mapping; nothing at all is no finding, everything else is.
    private func mapping(_ node: Node, _ name: String) -> Bool {
        if node.entries == nil && !node.isNull {
            findings.error("\(name.quoted) takes a mapping, not \(node.kind)", at: node.mark)
        }
        return node.entries != nil
    }

    /// Checks that every key of `node` may stand in `place`.
    private func keys(of node: Node, in place: Place, named name: String) {
        let names = KeyTable.names(in: place)
        for entry in node.entries ?? [] where KeyTable.row(entry.key, in: place) == nil {
            findings.unknownKey(entry, in: name, known: names)
        }
    }

    private func defaults(_ node: Node, named name: String) {
        let known = KeyTable.names(in: .defaults)
        for entry in node.entries ?? [] {
            if let row = KeyTable.row(entry.key, in: .defaults) {
                hostKey(row, entry)
                continue
            }
            let options = schemas.all.compactMap { $0.option(for: entry.key) }
            guard let option = options.first else {
                // A backend whose table nobody has may well declare it.
                if isAnyTableMissing { continue }
                let all = known + schemas.all.flatMap { $0.options.map(\.name) }
                findings.unknownKey(entry, in: name, known: all, listed: known, also: "an option of a backend")
                continue
            }
            // Backends may disagree about what the word takes; then only the storage can tell.
            if options.allSatisfy({ $0.type == option.type && $0.choices == option.choices }) {
                self.option(option, entry, in: node)
            }
        }
    }

    private func backend(_ entry: Entry, named name: String) {
        guard let schema = schemas[entry.key] else {
            findings.unknownBackend(entry.key, at: entry.mark, known: schemas.ids)
            return
        }
        guard mapping(entry.value, name) else { return }
        let known = KeyTable.names(in: .backend) + schema.options.map(\.name)
        for item in entry.value.entries ?? [] {
            if let row = KeyTable.row(item.key, in: .backend) {
                hostKey(row, item)
            } else if let option = schema.option(for: item.key) {
                self.option(option, item, in: entry.value)
            } else if !schema.isOpen || item.key.isSame(as: "backend") {
                findings.unknownKey(item, in: name, known: known)
            }
        }
    }

    private func storage(_ entry: Entry, _ profile: String?, named name: String) {
        if !Name.isValid(entry.key) { findings.error(Name.problem("storage", entry.key), at: entry.mark) }
        guard mapping(entry.value, name) else { return }
        // What may be set depends on the backend, which a profile may change: every backend that this text can meet.
        let ids = backends.backends(of: entry.key, seenFrom: profile)
        let met = ids.compactMap { schemas[$0] }
        for item in entry.value.entries ?? [] {
            if let row = KeyTable.row(item.key, in: .storage) {
                if row.name == "backend" { backendName(item.value) } else { hostKey(row, item) }
                continue
            }
            // An unknown backend is a finding already, and may well declare the key.
            if met.count < ids.count || met.contains(where: \.isOpen) { continue }
            // So is a storage without a backend: any of them may be meant.
            let options = (ids.isEmpty ? schemas.all : met).compactMap { $0.option(for: item.key) }
            guard let option = options.first else {
                let known = KeyTable.names(in: .storage) + met.flatMap { $0.options.map(\.name) }
                findings.unknownKey(item, in: name, known: known)
                continue
            }
            if options.count == 1 { self.option(option, item, in: entry.value) }
        }
    }

    private func backendName(_ node: Node) {
        guard case .scalar(let id, _) = node.value else {
            if !node.isNull { findings.error("\"backend\" takes the id of a backend, not \(node.kind)", at: node.mark) }
            return
        }
        if References.occur(in: id) {
            findings.error(
                "\"backend\" takes no references",
                at: node.mark,
                hint: "let a profile choose the backend"
            )
        } else if schemas[id] == nil {
            findings.unknownBackend(id, at: node.mark, known: schemas.ids)
        }
    }

    private func hostKey(_ row: KeyRow, _ entry: Entry) {
        switch row.name {
        case "accept", "deny": reader.checkFileTypes(entry.value, key: row.name)
        case "backend": backendName(entry.value)
        default: reader.check(entry.value, as: row.schema)
        }
    }

    private func option(_ option: OptionSchema, _ entry: Entry, in mapping: Node) {
        if !entry.key.isSame(as: option.name) {
            findings.warn(
                "\(entry.key.quoted) is the old name of \(option.name.quoted)",
                at: entry.mark,
                hint: "write \(option.name.quoted)"
            )
            if let other = mapping.entry(option.name) {
                findings.error(
                    "\(entry.key.quoted) and \(option.name.quoted) are the same option, and both are set",
                    at: entry.mark,
                    hint: "the other is on line \(other.mark.line)"
                )
            }
        }
        reader.check(entry.value, as: option)
    }
}

extension Findings {
    func unknownKey(_ entry: Entry, in name: String, known: [String], listed: [String]? = nil, also: String? = nil) {
        let words = (listed ?? known) + (also.map { [$0] } ?? [])
        error(
            "unknown key \(entry.key.quoted) in \(name), expected \(alternatives(words))",
            at: entry.mark,
            hint: suggestion(for: entry.key, among: known)
        )
    }

    func unknownBackend(_ id: String, at mark: SourceMark, known: [String]) {
        let list = known.isEmpty ? "and none is known" : "expected \(alternatives(known))"
        error("unknown backend \(id.quoted), \(list)", at: mark, hint: suggestion(for: id, among: known))
    }
}

/// The backends that are known, by id.
struct SchemaTable {
    let all: [BackendSchema]
    private let byID: [Word: BackendSchema]

    init(_ schemas: [BackendSchema]) {
        all = schemas
        byID = Dictionary(schemas.map { (Word($0.id), $0) }, uniquingKeysWith: { first, _ in first })
    }

    var ids: [String] { all.map(\.id).sorted() }

    subscript(id: String) -> BackendSchema? { byID[Word(id)] }
}

/// Which backends each storage can have, by the profiles that a text takes part in.
struct BackendUse {
    /// The backend of each storage, by the position of the profile; the base is at 0.
    private var uses: [Word: [(position: Int, backend: String)]] = [:]
    /// The positions of the profiles that each profile is a part of.
    private var members: [Word: Set<Int>] = [:]

    init(_ graph: ProfileGraph) {
        for (position, profile) in ([nil] + graph.names.map(Optional.some)).enumerated() {
            let document = graph.document(of: profile)
            for entry in document["storages"]?.entries ?? [] {
                guard let id = Self.backend(of: entry.value, in: document) else { continue }
                uses[Word(entry.key), default: []].append((position, id))
            }
            for member in profile.map(graph.chain) ?? [] { members[Word(member), default: []].insert(position) }
        }
    }

    /// The backend that `storage` names itself, or that it inherits from the defaults of `document`.
    static func backend(of storage: Node, in document: Node) -> String? {
        let node = storage["backend"] ?? document["defaults"]?["backend"]
        if case .scalar(let id, _)? = node?.value { return id }
        return nil
    }

    /// The backends that any storage has in the base or in any profile.
    var all: Set<String> { Set(uses.values.joined().map(\.backend)) }

    /// The backends of `storage` wherever the text of `profile` is part of the document; each one once.
    func backends(of storage: String, seenFrom profile: String?) -> [String] {
        let seen = profile.map { members[Word($0)] ?? [] }
        var ids: [String] = []
        for use in uses[Word(storage)] ?? [] where seen?.contains(use.position) ?? true {
            if !ids.contains(where: { $0.isSame(as: use.backend) }) { ids.append(use.backend) }
        }
        return ids
    }
}
