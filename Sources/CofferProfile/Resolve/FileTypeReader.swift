// The values of `accept` and `deny`.
import CofferModel

extension ValueReader {
    /// The rule that `node` writes under `key`; nil after a finding.
    func fileTypes(_ node: Node, key: String) -> FileTypeRule? {
        guard let entries = node.entries else { return items(node, key: key).map { FileTypeRule($0) } }
        for entry in entries where !entry.key.isSame(as: "all_except") {
            findings.error("unknown key \(entry.key.quoted) in \(key.quoted), expected all_except", at: entry.mark)
        }
        guard let list = node["all_except"], entries.count == 1 else {
            if entries.isEmpty { findings.error("\(key.quoted) takes \(Self.fileTypeWords), not {}", at: node.mark) }
            return nil
        }
        return items(list, key: key).map { FileTypeRule($0, isAllExcept: true) }
    }

    /// Checks the rule as far as its text alone tells.
    func checkFileTypes(_ node: Node, key: String) {
        if !node.isNull && !Self.hasReferences(node) { _ = fileTypes(node, key: key) }
    }

    private static let fileTypeWords = "file types such as IMAGES, pdf or image/*"

    private func items(_ node: Node, key: String) -> [FileTypeRule.Item]? {
        let nodes = if case .list(let items) = node.value { items } else { [node] }
        guard !nodes.isEmpty else {
            findings.error(
                "\(key.quoted) takes \(Self.fileTypeWords), not an empty list",
                at: node.mark,
                hint: "write NONE"
            )
            return nil
        }
        let items = nodes.compactMap { item in
            text(item, of: key, expected: Self.fileTypeWords).flatMap { word($0, at: item.mark, key: key) }
        }
        return items.count == nodes.count ? items : nil
    }

    private func word(_ value: Value, at mark: SourceMark, key: String) -> FileTypeRule.Item? {
        let word = value.text.trimmed.lowercasedASCII
        if let set = FileTypeSet(rawValue: word) { return .set(set) }
        if word.utf8.contains(0x2F) {
            let parts = word.utf8.split(separator: 0x2F, omittingEmptySubsequences: false).map { String(Substring($0)) }
            if word == "*/*" { return .set(.all) }
            if parts.count == 2, Self.isToken(parts[0]) {
                if parts[1] == "*" { return .family(parts[0]) }
                if Self.isToken(parts[1]) { return .type(word) }
            }
        } else {
            let name = word.utf8.first == 0x2E ? String(word.dropFirst()) : word
            // A long word near a set's name is a slip of the pen: no extension is called "imagse".
            let near = word.utf8.count >= 5 ? nearest(to: word, among: FileTypeSet.allCases.map(\.rawValue)) : nil
            // Only what follows the last dot of a name is its extension.
            let isWhole = Self.isToken(name) && !name.utf8.contains(0x2E) && name.utf8.count <= 32
            if near == nil && isWhole { return .fileExtension(name) }
        }
        let shown = value.isReferenced ? "what its reference stands for" : value.text.quoted
        let names = FileTypeSet.allCases.map { $0.rawValue.uppercased() }
        findings.error(
            "\(key.quoted) takes \(Self.fileTypeWords), not \(shown)",
            at: mark,
            hint: value.isReferenced ? nil : suggestion(for: word, among: names)
        )
        return nil
    }

    /// Whether `text` is a token of a MIME type: letters, digits and a few marks.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || [0x2B, 0x2D, 0x2E, 0x5F].contains($0)
            }
    }
}
