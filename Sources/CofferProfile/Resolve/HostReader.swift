// What the configuration says about the host itself: plugins, socket, access, limits.

/// Reads the sections that are no storage.
struct HostReader {
    let reader: ValueReader
    let findings: Findings

    // MARK: plugins

    /// The entries of `plugins:`.
    func plugins(_ node: Node?) -> [PluginReference] {
        guard let node, !node.isNull else { return [] }
        switch node.value {
        case .list(let items): return items.compactMap { plugin($0, id: nil) }
        case .mapping(let entries): return entries.compactMap { plugin($0.value, id: $0.key) }
        case .null, .scalar:
            findings.error("\"plugins\" takes a list or a mapping, not \(node.kind)", at: node.mark)
            return []
        }
    }

    private func plugin(_ node: Node, id: String?) -> PluginReference? {
        guard node.entries != nil else {
            guard let path = value("path", .plugin, node) else { return nil }
            return PluginReference(id: id, path: path, sha256: nil, isolation: .inProcess, mark: node.mark)
        }
        guard checkKeys(node, .plugin, "plugins") else { return nil }
        guard let pathNode = node["path"] else {
            findings.error("an entry of \"plugins\" needs \"path\"", at: node.mark)
            return nil
        }
        guard let path = value("path", .plugin, pathNode) else { return nil }
        var plugin = PluginReference(id: id, path: path, sha256: nil, isolation: .inProcess, mark: node.mark)
        if let isolation = node["isolation"], !isolation.isNull {
            guard let word = value("isolation", .plugin, isolation) else { return nil }
            plugin.isolation = PluginReference.Isolation(rawValue: word) ?? .inProcess
            guard plugin.isolation == .inProcess else {
                // Whoever asks for a wall must not believe that there is one.
                findings.error(
                    "\"isolation: \(word)\" is not supported by this version",
                    at: isolation.mark,
                    hint: "in_process runs the plugin in the host"
                )
                return nil
            }
        }
        if let digest = node["sha256"], !digest.isNull {
            guard let text = reader.text(digest, of: "sha256", expected: "64 hexadecimal digits") else { return nil }
            let digits = text.text.lowercasedASCII
            guard digits.utf8.count == 64,
                digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
            else {
                findings.error("\"sha256\" takes 64 hexadecimal digits", at: digest.mark)
                return nil
            }
            plugin.sha256 = digits
        }
        return plugin
    }

    // MARK: socket

    /// What `socket:` says.
    func socket(_ node: Node?) -> SocketSettings {
        var socket = SocketSettings()
        guard let node, !node.isNull else { return socket }
        guard node.entries != nil else {
            socket.path = value("path", .socket, node, shownAs: "socket")
            return socket
        }
        guard checkKeys(node, .socket, "socket") else { return socket }
        if let path = node["path"], !path.isNull { socket.path = value("path", .socket, path) }
        if let group = node["group"], !group.isNull { socket.group = value("group", .socket, group) }
        if let mode = node["mode"], !mode.isNull { socket.mode = self.mode(mode) }
        return socket
    }

    private func mode(_ node: Node) -> UInt32? {
        let expected = "octal digits such as 0660"
        guard let value = reader.text(node, of: "mode", expected: expected) else { return nil }
        let digits = value.text.utf8.starts(with: "0o".utf8) ? value.text.dropFirst(2) : value.text[...]
        if let mode = UInt32(digits, radix: 8), mode <= 0o777, digits.utf8.allSatisfy({ $0 != 0x2B }) { return mode }
        let shown = value.isReferenced ? "what its reference stands for" : value.text.quoted
        findings.error("\"mode\" takes \(expected), not \(shown)", at: node.mark)
        return nil
    }

    // MARK: access

    /// The rules of `access:`; `storages` are all that any profile knows.
    func access(_ node: Node?, storages: [String]) -> [AccessRule] {
        guard let node, !node.isNull else { return [] }
        guard case .list(let items) = node.value else {
            findings.error("\"access\" takes a list of rules, not \(node.kind)", at: node.mark)
            return []
        }
        return items.compactMap { rule($0, storages: storages) }
    }

    private func rule(_ node: Node, storages known: [String]) -> AccessRule? {
        guard node.entries != nil else {
            findings.error("a rule of \"access\" is a mapping, not \(node.kind)", at: node.mark)
            return nil
        }
        guard checkKeys(node, .access, "access") else { return nil }
        let (subject, allow) = (subject(node), permissions(node))
        var storages: [String]?
        if let list = node["storages"], !list.isNull {
            storages = words(list, key: "storages", expected: "a list of storages", known: known)
            if storages == nil { return nil }
        }
        guard let subject, let allow else { return nil }
        var rule = AccessRule(subject: subject, allow: allow, storages: storages, mark: node.mark)
        if let prefix = node["prefix"], !prefix.isNull {
            guard let text = value("prefix", .access, prefix) else { return nil }
            rule.prefix = text
        }
        return rule
    }

    private func subject(_ node: Node) -> AccessRule.Subject? {
        let names = ["user", "uid", "group", "gid"]
        let given = names.compactMap { name in node[name].flatMap { $0.isNull ? nil : (name, $0) } }
        guard given.count == 1, let (name, value) = given.first else {
            let found = given.isEmpty ? "none" : "\(given.count)"
            findings.error("a rule of \"access\" needs one of \(alternatives(names)), and has \(found)", at: node.mark)
            return nil
        }
        guard let text = self.value(name, .access, value) else { return nil }
        switch name {
        case "user", "group":
            guard !text.isEmpty else {
                findings.error("\(name.quoted) takes a name, not \"\"", at: value.mark)
                return nil
            }
            return name == "user" ? .user(text) : .group(text)
        case "uid": return UInt32(text).map { .uid($0) }
        default: return UInt32(text).map { .gid($0) }
        }
    }

    private func permissions(_ node: Node) -> Set<AccessRule.Permission>? {
        let known = AccessRule.Permission.allCases.map(\.rawValue)
        guard let allow = node["allow"], !allow.isNull else {
            findings.error("a rule of \"access\" needs \"allow\", a list of \(alternatives(known))", at: node.mark)
            return nil
        }
        guard let words = words(allow, key: "allow", expected: "a list of \(alternatives(known))", known: known) else {
            return nil
        }
        return Set(words.compactMap(AccessRule.Permission.init(rawValue:)))
    }

    /// A list of words out of `known`, one alone without brackets; nil after a finding.
    private func words(_ node: Node, key: String, expected: String, known: [String]) -> [String]? {
        let items = if case .list(let items) = node.value { items } else { [node] }
        var words: [String] = []
        for item in items {
            guard let value = reader.text(item, of: key, expected: expected) else { continue }
            guard known.contains(where: { $0.isSame(as: value.text) }) else {
                let shown = value.isReferenced ? "what its reference stands for" : value.text.quoted
                findings.error(
                    "\(key.quoted) takes \(expected), not \(shown)",
                    at: item.mark,
                    hint: value.isReferenced ? nil : suggestion(for: value.text, among: known)
                )
                continue
            }
            words.append(value.text)
        }
        guard !items.isEmpty else {
            findings.error("\(key.quoted) takes \(expected), not an empty list", at: node.mark)
            return nil
        }
        return words.count == items.count ? words : nil
    }

    // MARK: limits, watch, names

    /// What `limits:` says.
    func limits(_ node: Node?) -> HostLimits {
        var limits = HostLimits()
        guard let node, !node.isNull else { return limits }
        guard node.entries != nil else {
            findings.error("\"limits\" takes a mapping, not \(node.kind)", at: node.mark)
            return limits
        }
        _ = checkKeys(node, .limits, "limits")
        for entry in node.entries ?? [] where !entry.value.isNull {
            guard let number = self.value(entry.key, .limits, entry.value).flatMap({ Int64($0) }) else { continue }
            switch entry.key {
            case "connections": limits.connections = Int(number)
            case "threads": limits.threads = Int(number)
            case "calls_per_storage": limits.callsPerStorage = Int(number)
            case "queue": limits.queue = Int(number)
            case "idle_timeout": limits.idleTimeout = number
            case "drain_timeout": limits.drainTimeout = number
            default: break  // The check of the keys above has refused it.
            }
        }
        return limits
    }

    /// Whether `watch:` asks to take in changes.
    func watch(_ node: Node?) -> Bool {
        guard let node, !node.isNull else { return false }
        return value("watch", .top, node) == "true"
    }

    /// The name that `key` holds; nil if it holds none, or after a finding.
    func name(_ node: Node?, key: String, expected: String) -> String? {
        guard let node, !node.isNull else { return nil }
        return reader.text(node, of: key, expected: expected)?.text
    }

    private func value(_ key: String, _ place: Place, _ node: Node, shownAs name: String? = nil) -> String? {
        guard var schema = KeyTable.row(key, in: place)?.schema else { return nil }
        if let name { schema.name = name }
        return reader.read(node, as: schema)?.text
    }

    private func checkKeys(_ node: Node, _ place: Place, _ name: String) -> Bool {
        var isSound = true
        for entry in node.entries ?? [] where KeyTable.row(entry.key, in: place) == nil {
            findings.unknownKey(entry, in: name, known: KeyTable.names(in: place))
            isSound = false
        }
        return isSound
    }
}
