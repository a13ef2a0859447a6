// The profiles of a document: who extends whom, and the document as each of them sees it.

/// The profiles by name, and the base with each of them laid over it.
struct ProfileGraph {
    /// The names, in the order of the text.
    let names: [String]
    private let base: Node
    private let entries: [Word: Entry]
    private let chains: [Word: [String]]
    private let documents: [Word: Node]

    /// Reads `profiles:` of `root`; a missing or circular `extends` goes to `findings`.
    init(_ root: Node, limits: DocumentLimits, findings: Findings) {
        base = Self.part(root)
        var entries: [Word: Entry] = [:]
        var names: [String] = []
        if let profiles = root["profiles"], !profiles.isNull {
            if profiles.entries == nil {
                findings.error("\"profiles\" takes a mapping, not \(profiles.kind)", at: profiles.mark)
            }
            if let all = profiles.entries, all.count > limits.profiles {
                findings.error("more than \(limits.profiles) profiles", at: profiles.mark)
            }
            for entry in (profiles.entries ?? []).prefix(limits.profiles) {
                guard entry.value.isNull || entry.value.entries != nil else {
                    findings.error(
                        "profiles.\(entry.key) takes a mapping, not \(entry.value.kind)",
                        at: entry.value.mark
                    )
                    continue
                }
                if !Name.isValid(entry.key) { findings.error(Name.problem("profile", entry.key), at: entry.mark) }
                entries[Word(entry.key)] = entry
                names.append(entry.key)
            }
        }
        self.entries = entries
        self.names = names
        var chains: [Word: [String]] = [:]
        var circular: Set<Word> = []
        for name in names { chains[Word(name)] = Self.chain(to: name, entries, names, &circular, findings) }
        self.chains = chains
        var documents: [Word: Node] = [:]
        for name in names {
            // Each profile is laid over its parent once, however many profiles extend it.
            var document = base
            for member in chains[Word(name)] ?? [] {
                if let known = documents[Word(member)] {
                    document = known
                } else {
                    let value = entries[Word(member)]?.value
                    let own = value.flatMap { $0.isNull ? nil : Self.part($0.tagged(member)) }
                    document = own.map { document.overlaid(by: $0) } ?? document
                    documents[Word(member)] = document
                }
            }
            documents[Word(name)] = document
        }
        self.documents = documents
    }

    /// The profiles that make up `profile`, the one at the bottom first.
    func chain(of profile: String) -> [String] { chains[Word(profile)] ?? [] }

    /// What each profile extends directly.
    var extended: [String: String] {
        names.reduce(into: [:]) { result, name in
            let chain = chain(of: name)
            if chain.count > 1 { result[name] = chain[chain.count - 2] }
        }
    }

    func contains(_ profile: String) -> Bool { entries[Word(profile)] != nil }

    /// Where `profile` is defined.
    func mark(of profile: String) -> SourceMark? { entries[Word(profile)]?.mark }

    /// The text of `profile`, tagged as its own.
    func node(of profile: String) -> Node? {
        entries[Word(profile)].flatMap { $0.value.isNull ? nil : $0.value.tagged(profile) }
    }

    /// The base with `profile`, and what it extends, laid over it; nil means the base alone.
    func document(of profile: String?) -> Node {
        profile.flatMap { documents[Word($0)] } ?? base
    }

    /// What a profile can lay itself over; a null section is an empty one.
    private static func part(_ root: Node) -> Node {
        let names = KeyTable.names(in: .profile)
        let entries = (root.entries ?? []).filter { entry in
            !entry.key.isSame(as: "extends") && names.contains { $0.isSame(as: entry.key) }
        }
        return Node(.mapping(entries.map { section($0, isBase: root.profile == nil) }), at: root.mark)
    }

    /// In the base, `files:` with nothing after it is a storage without settings of its own.
    private static func section(_ entry: Entry, isBase: Bool) -> Entry {
        guard isBase else { return entry }
        var entry = entry
        let isSection = ["defaults", "backends", "storages"].contains { $0.isSame(as: entry.key) }
        if isSection && entry.value.isNull { entry.value = Node(.mapping([]), at: entry.value.mark) }
        if !entry.key.isSame(as: "defaults"), isSection, case .mapping(let inner) = entry.value.value {
            let filled = inner.map { item in
                let value = item.value.isNull ? Node(.mapping([]), at: item.value.mark) : item.value
                return Entry(key: item.key, mark: item.mark, value: value)
            }
            entry.value = Node(.mapping(filled), at: entry.value.mark)
        }
        return entry
    }

    private static func chain(
        to name: String,
        _ entries: [Word: Entry],
        _ names: [String],
        _ circular: inout Set<Word>,
        _ findings: Findings
    ) -> [String] {
        // From the extending profile to the extended ones.
        var chain = [name]
        var seen: Set<Word> = [Word(name)]
        var last = name
        while let parent = entries[Word(last)]?.value["extends"], !parent.isNull {
            guard case .scalar(let next, _) = parent.value else {
                findings.error("\"extends\" takes the name of a profile, not \(parent.kind)", at: parent.mark)
                break
            }
            guard entries[Word(next)] != nil else {
                let message = "no profile \(next.quoted), expected \(alternatives(names))"
                findings.error(message, at: parent.mark, hint: suggestion(for: next, among: names))
                break
            }
            if !seen.insert(Word(next)).inserted {
                let start = chain.firstIndex { $0.isSame(as: next) } ?? 0
                let circle = chain[start...] + [next]
                // Each profile of a circle would report it again.
                if !circle.contains(where: { circular.contains(Word($0)) }) {
                    circular.formUnion(circle.map(Word.init))
                    findings.error("the profile \(next.quoted) extends itself: \(arrows(circle))", at: parent.mark)
                }
                return [name]
            }
            chain.append(next)
            last = next
        }
        return chain.reversed()
    }

    /// The circle from the extending profile to the extended ones.
    private static func arrows(_ circle: ArraySlice<String>) -> String {
        var names = Array(circle)
        if names.count > 8 { names.replaceSubrange(4..<names.count - 3, with: ["…"]) }
        return names.joined(separator: " → ")
    }
}
