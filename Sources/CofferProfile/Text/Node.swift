// The document as a tree whose every node knows where it stands.

/// A value in a configuration file, with its place.
struct Node: Sendable {
    enum Value: Sendable {
        case null
        /// Text as written; `isQuoted` text is never anything else.
        case scalar(String, isQuoted: Bool)
        case list([Node])
        case mapping([Entry])
    }

    var value: Value
    let mark: SourceMark
    /// The profile it is written in; nil in the base.
    var profile: String?
    /// How many nodes it stands for, itself included, aliases counted as often as they are used.
    let weight: Int

    init(_ value: Value, at mark: SourceMark, profile: String? = nil) {
        self.value = value
        self.mark = mark
        self.profile = profile
        weight =
            switch value {
            case .null, .scalar: 1
            case .list(let items): items.reduce(1) { $0 + $1.weight }
            case .mapping(let entries): entries.reduce(1) { $0 + $1.value.weight }
            }
    }

    /// What kind of value it is, for messages.
    var kind: String {
        switch value {
        case .null: "nothing"
        case .scalar: "text"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }

    var isNull: Bool {
        if case .null = value { true } else { false }
    }

    var entries: [Entry]? {
        if case .mapping(let entries) = value { entries } else { nil }
    }

    /// The entry of `key`, where this is a mapping that has one.
    func entry(_ key: String) -> Entry? {
        guard case .mapping(let entries) = value else { return nil }
        return entries.first { $0.key.isSame(as: key) }
    }

    subscript(key: String) -> Node? { entry(key)?.value }

    /// The same, said to be written in `profile`.
    func tagged(_ profile: String) -> Node {
        var node = self
        node.profile = profile
        switch value {
        case .null, .scalar: break
        case .list(let items): node.value = .list(items.map { $0.tagged(profile) })
        case .mapping(let entries):
            node.value = .mapping(
                entries.map { Entry(key: $0.key, mark: $0.mark, value: $0.value.tagged(profile)) }
            )
        }
        return node
    }
}

/// One key of a mapping with its value.
struct Entry: Sendable {
    let key: String
    /// Where the key stands.
    let mark: SourceMark
    var value: Node
}

extension Node {
    /// This with `top` laid over it: mappings merge key by key, everything else is replaced.
    ///
    /// A `null` in `top` takes away the key beneath. Where there is none, the `null` stays and stands for "nothing",
    /// which keeps a key from being inherited. The order is that of the lower mapping, new keys at the end.
    func overlaid(by top: Node) -> Node {
        guard case .mapping(var merged) = value, case .mapping(let upper) = top.value else { return top }
        var positions: [Word: Int] = [:]
        for (position, entry) in merged.enumerated() { positions[Word(entry.key)] = position }
        var removed: Set<Int> = []
        for entry in upper {
            guard let position = positions[Word(entry.key)] else {
                merged.append(entry)
                continue
            }
            if entry.value.isNull {
                if !merged[position].value.isNull { removed.insert(position) }
            } else {
                let value = merged[position].value.overlaid(by: entry.value)
                merged[position] = Entry(key: entry.key, mark: entry.mark, value: value)
            }
        }
        if !removed.isEmpty { merged = merged.indices.filter { !removed.contains($0) }.map { merged[$0] } }
        return Node(.mapping(merged), at: mark, profile: profile)
    }
}
