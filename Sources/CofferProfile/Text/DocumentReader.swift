// Reads a configuration file and the files that it includes into one tree.

/// Reads files into one tree; what is wrong goes to `findings`.
struct DocumentReader {
    let sources: ConfigurationSources
    let references: References
    let findings: Findings
    var limits = DocumentLimits()
    /// Every file that was read, in order.
    private(set) var files: [String] = []
    private var weight = 0
    private var openFiles: [String] = []

    init(sources: ConfigurationSources, references: References, findings: Findings, limits: DocumentLimits) {
        self.sources = sources
        self.references = references
        self.findings = findings
        self.limits = limits
    }

    /// The tree of the file at `path`, what it includes merged under it; nil if there is none.
    mutating func read(_ path: String, includedAt mark: SourceMark?) -> Node? {
        if openFiles.contains(where: { $0.isSame(as: path) }) {
            findings.error("\(path.quoted) includes itself: \(cycle(to: path))", at: mark)
            return nil
        }
        guard openFiles.count < limits.includeDepth, files.count < limits.files else {
            findings.error("more than \(limits.files) files, or \(limits.includeDepth) inside each other", at: mark)
            return nil
        }
        if !files.contains(where: { $0.isSame(as: path) }) { files.append(path) }
        do throws(FileFailure) {
            let bytes = try sources.file(path, limits.fileSize)
            return parse(bytes, named: path)
        } catch {
            findings.error("the file \(path.quoted) cannot be read: \(error.reason)", at: mark)
            return nil
        }
    }

    /// The tree of `bytes`, which are the content of the file at `path`.
    mutating func parse(_ bytes: [UInt8], named path: String) -> Node? {
        if !files.contains(where: { $0.isSame(as: path) }) { files.append(path) }
        var limits = self.limits
        limits.weight -= weight
        do throws(TextProblem) {
            guard bytes.count <= limits.fileSize else {
                throw TextProblem(message: "more than \(limits.fileSize) bytes", line: 1, column: 1)
            }
            let (root, duplicates) = try DocumentBuilder.build(bytes, file: path, limits: limits)
            for problem in duplicates { report(problem, path) }
            guard let root, !root.isNull else { return nil }
            weight += root.weight
            guard case .mapping(let entries) = root.value else {
                findings.error("a configuration is a mapping of keys, not \(root.kind)", at: root.mark)
                return nil
            }
            openFiles.append(path)
            defer { openFiles.removeLast() }
            return including(entries, root)
        } catch {
            report(error, path)
            return nil
        }
    }

    private mutating func including(_ entries: [Entry], _ root: Node) -> Node {
        let own = Node(.mapping(entries.filter { !$0.key.isSame(as: "include") }), at: root.mark)
        guard let include = root["include"], !include.isNull else { return own }
        let items = if case .list(let items) = include.value { items } else { [include] }
        var base: Node?
        for item in items {
            guard case .scalar(let text, _) = item.value, !text.isEmpty else {
                findings.error("\"include\" takes a path or a list of paths, not \(item.kind)", at: item.mark)
                continue
            }
            let folder = Path.folder(of: item.mark.file)
            do throws(ReferenceProblem) {
                let path = try references.expand(text, in: folder).text
                guard let tree = read(Path.absolute(path, in: folder), includedAt: item.mark) else { continue }
                base = base?.overlaid(by: tree) ?? tree
            } catch {
                findings.error(error.message, at: item.mark, hint: error.hint)
            }
        }
        return base?.overlaid(by: own) ?? own
    }

    private func report(_ problem: TextProblem, _ path: String) {
        findings.error(problem.message, at: SourceMark(file: path, line: problem.line, column: problem.column))
    }

    private func cycle(to path: String) -> String {
        let start = openFiles.firstIndex { $0.isSame(as: path) } ?? 0
        return (openFiles[start...] + [path]).joined(separator: " → ")
    }
}
