// Values of the tree, checked and in their normal form.
import CofferJSON

/// Reads values; what is wrong with one goes to the findings at its own place.
struct ValueReader {
    /// A value in its normal form.
    struct Value {
        let text: String
        /// Whether a reference took part in it.
        let isReferenced: Bool
    }

    let references: References
    let findings: Findings

    /// The normal form of `node` as a value of `option`; nil after a finding.
    func read(_ node: Node, as option: OptionSchema) -> Value? {
        let rule = ValueRule(option)
        switch (option.type, node.value) {
        case (.list, .list(let items)): return list(items, rule)
        case (.map, .mapping(let entries)): return map(entries, rule)
        case (.map, _), (_, .list), (_, .mapping), (_, .null):
            return refuse(node, rule.problem(node.kind))
        case (_, .scalar(let text, _)):
            guard let expansion = expand(text, at: node.mark) else { return nil }
            let result = rule.normalize(
                expansion.text,
                folder: Path.folder(of: node.mark.file),
                home: references.home,
                isReferenced: expansion.isReferenced
            )
            switch result {
            case .success(let text): return Value(text: text, isReferenced: expansion.isReferenced)
            case .failure(let problem): return refuse(node, problem)
            }
        }
    }

    /// Checks `node` as far as its text alone tells, with no variable or file read.
    func check(_ node: Node, as option: OptionSchema) {
        if !node.isNull && !Self.hasReferences(node) { _ = read(node, as: option) }
    }

    /// The text of a scalar with its references put in; nil after a finding, which says what `name` takes.
    func text(_ node: Node, of name: String, expected: String) -> Value? {
        guard case .scalar(let text, _) = node.value else {
            return refuse(node, ValueProblem(message: "\(name.quoted) takes \(expected), not \(node.kind)", hint: nil))
        }
        return expand(text, at: node.mark).map { Value(text: $0.text, isReferenced: $0.isReferenced) }
    }

    /// Whether a reference occurs anywhere in `node`.
    static func hasReferences(_ node: Node) -> Bool {
        switch node.value {
        case .null: false
        case .scalar(let text, _): References.occur(in: text)
        case .list(let items): items.contains(where: hasReferences)
        case .mapping(let entries): entries.contains { hasReferences($0.value) }
        }
    }

    private func list(_ items: [Node], _ rule: ValueRule) -> Value? {
        var texts: [String] = []
        var isReferenced = false
        for item in items {
            guard let value = element(item, rule) else { continue }
            texts.append(JSONValue.string(value.text).description)
            isReferenced = isReferenced || value.isReferenced
        }
        guard texts.count == items.count else { return nil }
        return Value(text: "[\(texts.joined(separator: ","))]", isReferenced: isReferenced)
    }

    private func map(_ entries: [Entry], _ rule: ValueRule) -> Value? {
        var texts: [String] = []
        var isReferenced = false
        for entry in entries {
            guard let value = element(entry.value, rule) else { continue }
            texts.append("\(JSONValue.string(entry.key)):\(JSONValue.string(value.text))")
            isReferenced = isReferenced || value.isReferenced
        }
        guard texts.count == entries.count else { return nil }
        return Value(text: "{\(texts.joined(separator: ","))}", isReferenced: isReferenced)
    }

    private func element(_ node: Node, _ rule: ValueRule) -> Value? {
        guard case .scalar(let text, _) = node.value else {
            return refuse(node, rule.problem("\(node.kind) inside it"))
        }
        return expand(text, at: node.mark).map { Value(text: $0.text, isReferenced: $0.isReferenced) }
    }

    private func expand(_ text: String, at mark: SourceMark) -> References.Expansion? {
        do throws(ReferenceProblem) {
            return try references.expand(text, in: Path.folder(of: mark.file))
        } catch {
            findings.error(error.message, at: mark, hint: error.hint)
            return nil
        }
    }

    private func refuse(_ node: Node, _ problem: ValueProblem) -> Value? {
        findings.error(problem.message, at: node.mark, hint: problem.hint)
        return nil
    }
}
