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
    private var resolved: [ResolvedSetting] = []
    private var options: [ResolvedOption] = []
    private var isSound = true

    init(name: String, node: Node, mark: SourceMark, schema: BackendSchema, resolver: StorageResolver) {
        self.name = name
        self.node = node
        self.mark = mark
        self.schema = schema
        self.resolver = resolver
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

    // MARK: Layers

    /// Asks the storage, its backend and the defaults, in this order, for the first of `keys` that one of them has.
    private func find(_ keys: [String], in layers: [(node: Node?, layer: Origin.Layer)]) -> Found {
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

    private var layers: [(node: Node?, layer: Origin.Layer)] {
        [
            (node, .storage(name)),
            (resolver.document["backends"]?[schema.id], .backend(schema.id)),
            (resolver.document["defaults"], .defaults),
        ]
    }

    // MARK: Settings of the host

    private mutating func hostSetting(_ row: KeyRow, _ settings: inout StorageSettings) {
        let asked = row.name == "backend" ? layers.filter { $0.layer != .backend(schema.id) } : layers
        switch find([row.name], in: asked) {
        case .value(let entry, let origin, let isOwn): set(row, entry.value, origin, isOwn: isOwn, &settings)
        case .removed(let mark):
            let value = defaultText(of: row).map { SettingText($0) }
            add(row.name, value, Origin(.hostDefault), note: "inherits nothing: null at \(mark)")
        case .nothing: add(row.name, defaultText(of: row).map { SettingText($0) }, Origin(.hostDefault))
        }
    }

    /// The host's default as `config show` prints it: in the normal form.
    private func defaultText(of row: KeyRow) -> String? {
        switch row.name {
        case "accept", "deny": row.defaultWords
        case "timeout": "\(StorageSettings().timeout)"
        default: row.schema.defaultText
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
            setValue(row, value.text, node, origin, isOwn: isOwn, &settings)
        }
    }

    private mutating func setValue(
        _ row: KeyRow,
        _ value: String,
        _ node: Node,
        _ origin: Origin,
        isOwn: Bool,
        _ settings: inout StorageSettings
    ) {
        var value = value
        var note: String?
        // The table has checked the words: a word that no case has is a slip in this switch, and keeps the default.
        switch row.name {
        case "url":
            if !isOwn {
                guard let child = child(ofURL: value, at: node.mark) else { return fail() }
                value = child
                note = Self.appended
            }
            settings.url = value
        case "on_conflict": settings.onConflict = OnConflict(rawValue: value) ?? settings.onConflict
        case "max_size": settings.maxSize = Int64(value)
        case "read_only": settings.isReadOnly = value == "true"
        case "prefix":
            guard let prefix = KeyPrefix.normalized(value) else {
                resolver.findings.error(KeyPrefix.problem, at: node.mark)
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
        default: break
        }
        add(row.name, SettingText(value), origin, note: note)
    }

    private static let appended = "the storage's name is appended"

    /// The inherited `url` with the storage's name as its last segment.
    private func child(ofURL url: String, at mark: SourceMark) -> String? {
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

    private static func withoutSlashes(_ text: String) -> Substring {
        var text = text[...]
        while text.utf8.last == 0x2F { text = text.dropLast() }
        return text
    }

    // MARK: Options of the plugin

    private mutating func option(_ option: OptionSchema) {
        // A key that the host honours itself is never the plugin's.
        if KeyTable.row(option.name, in: .storage) != nil { return }
        let keys = [option.name] + (option.deprecatedAlias.map { [$0] } ?? [])
        switch find(keys, in: layers) {
        case .value(let entry, let origin, let isOwn):
            guard let value = resolver.reader.read(entry.value, as: option) else { return fail() }
            let isParent = option.name.isSame(as: "root") && !isOwn
            let text = isParent ? "\(Self.withoutSlashes(value.text))/\(name)" : value.text
            give(option, text, origin, live: live(option, entry.value, value), note: isParent ? Self.appended : nil)
        case .removed(let mark): useDefault(option, note: "inherits nothing: null at \(mark)")
        case .nothing: useDefault(option, note: nil)
        }
    }

    private mutating func useDefault(_ option: OptionSchema, note: String?) {
        if option.name.isSame(as: "container") {
            give(option, name, Origin(.storageName), note: note)
        } else if let text = option.defaultText {
            let home = resolver.reader.references.home
            switch ValueRule(option).default(text, folder: resolver.folder, home: home) {
            case .success(let value): give(option, value, Origin(.pluginDefault), note: note)
            case .failure(let problem):
                let message = "the plugin's own default is wrong: backend \(schema.id.quoted): \(problem.message)"
                resolver.findings.error(message, at: nil)
                fail()
            }
        } else if option.isRequired {
            let place = note.map { " (\($0))" } ?? ""
            resolver.findings.error(
                "the storage \(name.quoted) needs \(option.name.quoted), which backend \(schema.id.quoted) requires\(place)",
                at: mark,
                hint: "set it here, in backends.\(schema.id) or in defaults"
            )
            fail()
        } else {
            add(option.name, nil, Origin(.pluginDefault), note: note)
        }
    }

    private mutating func give(
        _ option: OptionSchema,
        _ text: String,
        _ origin: Origin,
        live: LiveValue? = nil,
        note: String?
    ) {
        let value = SettingText(text, isSecret: option.isSecret)
        options.append(ResolvedOption(name: option.name, value: value, live: live))
        add(option.name, value, origin, note: note)
    }

    private func live(_ option: OptionSchema, _ node: Node, _ value: ValueReader.Value) -> LiveValue? {
        guard option.isLive, value.isReferenced, case .scalar(let text, _) = node.value else { return nil }
        return LiveValue(text: text, folder: Path.folder(of: node.mark.file), option: option)
    }

    /// Keys that an open backend takes without declaring them: as text, from the storage and its backend.
    private mutating func openOptions() {
        guard schema.isOpen else { return }
        var seen: Set<Word> = []
        for (node, layer) in layers where layer != .defaults {
            for entry in node?.entries ?? [] where isUndeclared(entry.key) && seen.insert(Word(entry.key)).inserted {
                if entry.value.isNull { continue }
                let type: ValueType =
                    switch entry.value.value {
                    case .list: .list
                    case .mapping: .map
                    case .scalar, .null: .string
                    }
                let option = OptionSchema(entry.key, type)
                guard let value = resolver.reader.read(entry.value, as: option) else {
                    fail()
                    continue
                }
                let origin = Origin(layer, profile: entry.value.profile, mark: entry.value.mark)
                give(option, value.text, origin, note: "not declared by the backend, taken as text")
            }
        }
    }

    /// Options that only another backend of this storage declares: shown, without an effect.
    private mutating func inactiveOptions() {
        guard !schema.isOpen else { return }
        for entry in node.entries ?? [] where isUndeclared(entry.key) && !entry.value.isNull {
            // A key that no backend of this storage ever declares is refused already.
            if resolver.findings.hasError(at: entry.mark) { continue }
            let isSecret = resolver.schemas.all.contains { $0.option(for: entry.key)?.isSecret ?? false }
            let reason = "backend \(schema.id.quoted) has no such option"
            resolved.append(
                ResolvedSetting(
                    key: entry.key,
                    value: SettingText(entry.value.asWritten, isSecret: isSecret),
                    origin: Origin(.storage(name), profile: entry.value.profile, mark: entry.value.mark),
                    isActive: false,
                    note: "inactive: \(reason)"
                )
            )
            resolver.findings.warn(
                "\(entry.key.quoted) has no effect on the storage \(name.quoted): \(reason)",
                at: entry.mark
            )
        }
    }

    private func isUndeclared(_ key: String) -> Bool {
        KeyTable.row(key, in: .storage) == nil && schema.option(for: key) == nil
    }

    private mutating func add(_ key: String, _ value: SettingText?, _ origin: Origin, note: String? = nil) {
        resolved.append(ResolvedSetting(key: key, value: value, origin: origin, note: note))
    }

    private mutating func fail() { isSound = false }
}

/// The prefix that a storage puts before its keys.
enum KeyPrefix {
    /// `text` with one slash at its end, or nil if it could not start a key.
    static func normalized(_ text: String) -> String? {
        guard !text.isEmpty else { return "" }
        let whole = text.utf8.last == 0x2F ? String(text.dropLast()) : text
        let segments = whole.utf8.split(separator: 0x2F, omittingEmptySubsequences: false)
        let isSound = segments.allSatisfy { segment in
            !segment.isEmpty && !segment.elementsEqual(".".utf8) && !segment.elementsEqual("..".utf8)
                && segment.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        }
        return isSound && whole.utf8.count < 1024 ? whole + "/" : nil
    }

    static let problem =
        "\"prefix\" takes whole segments such as a/b/, without \".\", \"..\", empty ones or a leading slash"
}

extension ValueRule {
    /// The normal form of a default, which a plugin may write as JSON where it is a list or a map.
    func `default`(_ text: String, folder: String, home: String?) -> Result<String, ValueProblem> {
        let isJSON = text.utf8.first == 0x5B && option.type == .list || text.utf8.first == 0x7B && option.type == .map
        return isJSON ? .success(text) : normalize(text, folder: folder, home: home, isReferenced: false)
    }
}

extension Node {
    /// The value in one line, references left as they are.
    var asWritten: String {
        switch value {
        case .null: "null"
        case .scalar(let text, _): text
        case .list(let items): "[\(items.map(\.asWritten).joined(separator: ", "))]"
        case .mapping(let entries):
            "{\(entries.map { "\($0.key): \($0.value.asWritten)" }.joined(separator: ", "))}"
        }
    }
}
