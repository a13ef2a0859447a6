// One storage: every setting looked up through the layers, checked, and its origin kept.

import CofferModel

/// Resolves the storages of one document.
struct StorageResolver {
    /// The document, profiles laid over the base already.
    let document: Node
    let schemas: SchemaTable
    let reader: ValueReader
    let findings: Findings
    /// The folder of the main file, where the relative paths of plugins' defaults start.
    let folder: String

    /// The storage of `entry`; nil after a finding.
    func resolve(_ entry: Entry) -> ResolvedStorage? {
        guard entry.value.entries != nil else { return nil }
        guard let id = BackendUse.backend(of: entry.value, in: document) else {
            // What is set and no id is a finding already.
            if let node = entry.value["backend"], !node.isNull { return nil }
            findings.error(
                "the storage \(entry.key.quoted) has no backend",
                at: entry.mark,
                hint: "set \"backend\" here or in defaults"
            )
            return nil
        }
        // An unknown one is a finding of the check of the whole document.
        guard let schema = schemas[id] else { return nil }
        var work = StorageWork(name: entry.key, node: entry.value, mark: entry.mark, schema: schema, resolver: self)
        return work.run()
    }
}

/// The work on one storage.
struct StorageWork {
    /// What the layers say about a key.
    enum Found {
        /// `isOwn`: set on the storage itself, in the base or in a profile.
        case value(Entry, Origin, isOwn: Bool)
        /// A `null` took it away.
        case removed(SourceMark)
        case nothing
    }

    let name: String
    let node: Node
    let mark: SourceMark
    let schema: BackendSchema
    let resolver: StorageResolver
    /// Where a key is looked for, the strongest first.
    let layers: [(node: Node?, layer: Origin.Layer)]
    var resolved: [ResolvedSetting] = []
    var options: [ResolvedOption] = []
    private var isSound = true

    init(name: String, node: Node, mark: SourceMark, schema: BackendSchema, resolver: StorageResolver) {
        self.name = name
        self.node = node
        self.mark = mark
        self.schema = schema
        self.resolver = resolver
        layers = [
            (node, .storage(name)),
            (resolver.document["backends"]?[schema.id], .backend(schema.id)),
            (resolver.document["defaults"], .defaults),
        ]
    }

    mutating func run() -> ResolvedStorage? {
        var settings = StorageSettings()
        for row in KeyTable.rows(in: .storage) { hostSetting(row, &settings) }
        for option in schema.options { self.option(option) }
        openOptions()
        inactiveOptions()
        guard isSound else { return nil }
        return ResolvedStorage(
            name: name,
            backend: schema.id,
            settings: settings,
            options: options,
            resolved: resolved
        )
    }

    /// Asks the storage, its backend and the defaults, in this order, for the first of `keys` that one of them has.
    func find(_ keys: [String], in layers: [(node: Node?, layer: Origin.Layer)]) -> Found {
        for (node, layer) in layers {
            for key in keys {
                guard let entry = node?.entry(key) else { continue }
                if entry.value.isNull { return .removed(entry.value.mark) }
                let origin = Origin(layer, profile: entry.value.profile, mark: entry.value.mark)
                if case .storage = layer { return .value(entry, origin, isOwn: true) }
                return .value(entry, origin, isOwn: false)
            }
        }
        return .nothing
    }

    private mutating func hostSetting(_ row: KeyRow, _ settings: inout StorageSettings) {
        let asked = row.name == "backend" ? layers.filter { $0.layer != .backend(schema.id) } : layers
        switch find([row.name], in: asked) {
        case .value(let entry, let origin, let isOwn): set(row, entry.value, origin, isOwn: isOwn, &settings)
        case .removed(let mark): useDefault(of: row, note: "inherits nothing: null at \(mark)", &settings)
        case .nothing: useDefault(of: row, note: nil, &settings)
        }
    }

    /// Sets the default of the table, which is written as an operator would write it.
    private mutating func useDefault(of row: KeyRow, note: String?, _ settings: inout StorageSettings) {
        let origin = Origin(.hostDefault)
        guard case .value = row.form, let text = row.schema.defaultText else {
            // What a word in the table describes: everything, nothing, or no limit.
            let isRule = row.name == "accept" || row.name == "deny"
            return add(row.name, isRule ? row.defaultWords.map { SettingText($0) } : nil, origin, note: note)
        }
        switch ValueRule(row.schema).default(text, folder: resolver.folder, home: nil) {
        case .success(let value): setValue(row, value, at: nil, origin, isOwn: true, note: note, &settings)
        case .failure(let problem):
            resolver.findings.error("the host's own default is wrong: \(problem.message)", at: nil)
            fail()
        }
    }

    private mutating func set(
        _ row: KeyRow,
        _ node: Node,
        _ origin: Origin,
        isOwn: Bool,
        _ settings: inout StorageSettings
    ) {
        switch row.name {
        case "backend": add(row.name, SettingText(schema.id), origin)
        case "accept", "deny":
            guard let rule = resolver.reader.fileTypes(node, key: row.name) else { return fail() }
            if row.name == "accept" { settings.accept = rule } else { settings.deny = rule }
            add(row.name, SettingText(rule.text), origin)
        default:
            guard let value = resolver.reader.read(node, as: row.schema) else { return fail() }
            setValue(row, value.text, at: node.mark, origin, isOwn: isOwn, note: nil, &settings)
        }
    }

    private mutating func setValue(
        _ row: KeyRow,
        _ value: String,
        at mark: SourceMark?,
        _ origin: Origin,
        isOwn: Bool,
        note: String?,
        _ settings: inout StorageSettings
    ) {
        var (value, note) = (value, note)
        // The table has checked the words: a word that no case has is a slip in this switch, and keeps the default.
        switch row.name {
        case "url":
            if !isOwn {
                guard let child = child(ofURL: value, at: mark) else { return fail() }
                value = child
                note = Self.appended
            }
            settings.url = value
        case "on_conflict": settings.onConflict = OnConflict(rawValue: value) ?? settings.onConflict
        case "max_size": settings.maxSize = Int64(value)
        case "read_only": settings.isReadOnly = value == "true"
        case "prefix":
            guard let prefix = KeyPrefix.normalized(value) else {
                resolver.findings.error(KeyPrefix.problem, at: mark)
                return fail()
            }
            value = prefix
            settings.prefix = prefix
        case "checksum": settings.checksum = ChecksumChoice(rawValue: value) ?? settings.checksum
        case "writers": settings.writers = Writers(rawValue: value) ?? settings.writers
        case "atomic": settings.atomic = Atomicity(rawValue: value) ?? settings.atomic
        case "conditions": settings.conditions = ConditionPolicy(rawValue: value) ?? settings.conditions
        case "timeout": settings.timeout = Int64(value) ?? settings.timeout
        case "concurrency": settings.concurrency = Int(value)
        case "max_link_ttl": settings.maxLinkTTL = Int64(value) ?? settings.maxLinkTTL
        default: break
        }
        add(row.name, SettingText(value, of: row.schema), origin, note: note)
    }

    static let appended = "the storage's name is appended"

    /// The inherited `url` with the storage's name as its last segment.
    private func child(ofURL url: String, at mark: SourceMark?) -> String? {
        guard !url.utf8.contains(0x3F), !url.utf8.contains(0x23) else {
            resolver.findings.error(
                "\"url\" is inherited, so the storage's name is appended, and a query or fragment leaves no place for it",
                at: mark,
                hint: "set \"url\" on the storage itself"
            )
            return nil
        }
        return "\(Self.withoutSlashes(url))/\(name)/"
    }

    static func withoutSlashes(_ text: String) -> Substring {
        var text = text[...]
        while text.utf8.last == 0x2F { text = text.dropLast() }
        return text
    }

    mutating func add(_ key: String, _ value: SettingText?, _ origin: Origin, note: String? = nil) {
        resolved.append(ResolvedSetting(key: key, value: value, origin: origin, note: note))
    }

    mutating func fail() { isSound = false }
}
