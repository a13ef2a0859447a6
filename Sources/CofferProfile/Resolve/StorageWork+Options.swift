// The options of the plugin of one storage: in effect, taken as they are, or inactive.

extension StorageWork {
    mutating func option(_ option: OptionSchema) {
        // A key that the host honours itself is never the plugin's.
        if KeyTable.row(option.name, in: .storage) != nil {
            let message = "the option \(option.name.quoted) of backend \(schema.id.quoted) is a key of the host"
            resolver.findings.warn("\(message), and the plugin does not get it", at: nil)
            return
        }
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
        let value = SettingText(text, of: option)
        options.append(ResolvedOption(name: option.name, value: value, live: live))
        add(option.name, value, origin, note: note)
    }

    private func live(_ option: OptionSchema, _ node: Node, _ value: ValueReader.Value) -> LiveValue? {
        guard option.isLive, value.isReferenced, case .scalar(let text, _) = node.value else { return nil }
        return LiveValue(text: text, folder: Path.folder(of: node.mark.file), option: option)
    }

    /// Keys that an open backend takes without declaring them: as text, from the storage and its backend.
    mutating func openOptions() {
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
    mutating func inactiveOptions() {
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
