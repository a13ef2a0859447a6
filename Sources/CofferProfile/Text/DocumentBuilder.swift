// From events to a tree: anchors, aliases, merge keys, and the limits that keep a hostile text small.

/// How much a configuration may hold; more is refused, whatever it says.
struct DocumentLimits: Sendable {
    /// The bytes of one file.
    var fileSize = 4 << 20
    /// Mappings and lists inside each other.
    var depth = 64
    /// Nodes of all files together, aliases counted as often as they are used.
    var weight = 200_000
    /// Files, included ones too.
    var files = 64
    /// Files that include each other.
    var includeDepth = 16
    /// Profiles.
    var profiles = 256
    /// Storages.
    var storages = 10_000
}

/// Builds the tree of one file.
struct DocumentBuilder: ~Copyable {
    private let file: String
    private let limits: DocumentLimits
    private var stream: EventStream
    private var anchors: [Word: Node] = [:]
    private var openAnchors: Set<Word> = []
    private var spent = 0
    private var duplicates: [TextProblem] = []

    /// The tree of `bytes`, which are the content of `file`, and the keys that are written twice in one mapping.
    ///
    /// The tree is nil for a text without a document.
    static func build(
        _ bytes: [UInt8],
        file: String,
        limits: DocumentLimits
    ) throws(TextProblem) -> (root: Node?, duplicates: [TextProblem]) {
        try checkText(bytes)
        var builder = DocumentBuilder(try EventStream(bytes), file: file, limits: limits)
        do throws(TextProblem) {
            let root = try builder.document()
            return (root, builder.duplicates)
        } catch {
            throw explained(error, bytes)
        }
    }

    private init(_ stream: consuming EventStream, file: String, limits: DocumentLimits) {
        self.file = file
        self.limits = limits
        self.stream = stream
    }

    /// The problem with the two causes named that people meet most often.
    private static func explained(_ problem: TextProblem, _ bytes: [UInt8]) -> TextProblem {
        let lines = bytes.split(separator: 0x0A, maxSplits: problem.line, omittingEmptySubsequences: false)
        guard problem.line <= lines.count else { return problem }
        let line = lines[problem.line - 1]
        var message = problem.message
        if line.dropFirst(problem.column - 1).first == 0x09 {
            message = "a tab where YAML wants spaces"
        } else if message.utf8.starts(with: "did not find expected".utf8), References.start(in: line) {
            message += "; put quotes around a reference inside { } or [ ]"
        }
        return TextProblem(message: message, line: problem.line, column: problem.column)
    }

    /// Refuses what is not UTF-8 with the place of the first byte that is wrong.
    private static func checkText(_ bytes: [UInt8]) throws(TextProblem) {
        var start = 0
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw TextProblem(message: "the text is UTF-16; write it as UTF-8", line: 1, column: 1)
        }
        guard String(validating: bytes, as: UTF8.self) == nil else { return }
        var (line, column) = (1, 1)
        while start < bytes.count {
            let length = Self.length(ofCharacterAt: start, in: bytes)
            guard length > 0 else {
                throw TextProblem(message: "the text is not UTF-8", line: line, column: column)
            }
            (line, column) = bytes[start] == 0x0A ? (line + 1, 1) : (line, column + 1)
            start += length
        }
    }

    /// The bytes of the UTF-8 character at `start`; 0 if there is none.
    private static func length(ofCharacterAt start: Int, in bytes: [UInt8]) -> Int {
        for length in 1...4 where start + length <= bytes.count {
            if let text = String(validating: bytes[start..<start + length], as: UTF8.self),
                text.unicodeScalars.count == 1
            {
                return length
            }
        }
        return 0
    }

    private mutating func document() throws(TextProblem) -> Node? {
        var event = try stream.next()
        guard case .documentStart = event.kind else { return nil }
        event = try stream.next()
        let root = try node(event, depth: 0)
        event = try stream.next()
        guard case .end = event.kind else {
            throw TextProblem(message: "a second document; one file holds one", line: event.line, column: event.column)
        }
        return root
    }

    private mutating func node(_ event: TextEvent, depth: Int) throws(TextProblem) -> Node {
        let mark = SourceMark(file: file, line: event.line, column: event.column)
        if let tag = event.tag {
            let yaml = "tag:yaml.org,2002:"
            let shown = tag.utf8.starts(with: yaml.utf8) ? "!!\(tag.dropFirst(yaml.count))" : tag
            throw problem("the tag \(shown.quoted) is not taken; values get their type from the key", event)
        }
        guard depth <= limits.depth else { throw problem("more than \(limits.depth) levels deep", event) }
        if case .alias(let name) = event.kind { return try alias(name, event) }
        try spend(1, event)
        let anchor = event.anchor.map(Word.init)
        if let anchor { openAnchors.insert(anchor) }
        let result: Node
        switch event.kind {
        case .scalar(let text, let isQuoted):
            result = Node(Self.isNull(text) && !isQuoted ? .null : .scalar(text, isQuoted: isQuoted), at: mark)
        case .listStart: result = Node(.list(try items(depth: depth)), at: mark)
        case .mappingStart: result = Node(.mapping(try entries(depth: depth)), at: mark)
        case .listEnd, .mappingEnd, .documentStart, .alias, .end:
            throw problem("the text ends too early", event)
        }
        if let anchor {
            openAnchors.remove(anchor)
            anchors[anchor] = result
        }
        return result
    }

    private mutating func alias(_ name: String, _ event: TextEvent) throws(TextProblem) -> Node {
        let word = Word(name)
        guard !openAnchors.contains(word) else {
            throw problem("the alias \(name.quoted) stands inside what it names", event)
        }
        guard let target = anchors[word] else {
            let hint = suggestion(for: name, among: anchors.keys.map(\.text).sorted()).map { "; \($0)" } ?? ""
            throw problem("no anchor \(name.quoted) before this\(hint)", event)
        }
        try spend(target.weight, event)
        return target
    }

    private mutating func items(depth: Int) throws(TextProblem) -> [Node] {
        var items: [Node] = []
        while true {
            let event = try stream.next()
            if case .listEnd = event.kind { return items }
            items.append(try node(event, depth: depth + 1))
        }
    }

    private mutating func entries(depth: Int) throws(TextProblem) -> [Entry] {
        var entries: [Entry] = []
        var lines: [Word: SourceMark] = [:]
        var merged: [Node] = []
        var mergeMark: SourceMark?
        while true {
            let event = try stream.next()
            if case .mappingEnd = event.kind { break }
            let (key, isMerge) = try key(event)
            let mark = SourceMark(file: file, line: event.line, column: event.column)
            let value = try node(try stream.next(), depth: depth + 1)
            if isMerge {
                if let mergeMark { duplicates.append(duplicate("<<", mark, first: mergeMark)) }
                mergeMark = mark
                merged = try sources(of: value)
                continue
            }
            if let first = lines[Word(key)] {
                duplicates.append(duplicate(key, mark, first: first))
                continue
            }
            lines[Word(key)] = mark
            entries.append(Entry(key: key, mark: mark, value: value))
        }
        // What the mapping says itself wins over what it merges, and an earlier source over a later one.
        for source in merged {
            for entry in source.entries ?? [] where lines[Word(entry.key)] == nil {
                lines[Word(entry.key)] = entry.mark
                entries.append(entry)
            }
        }
        return entries
    }

    private func key(_ event: TextEvent) throws(TextProblem) -> (text: String, isMerge: Bool) {
        guard case .scalar(let text, let isQuoted) = event.kind, event.tag == nil, event.anchor == nil else {
            throw problem("a key must be plain text", event)
        }
        guard !text.isEmpty else { throw problem("an empty key", event) }
        return (text, !isQuoted && text.isSame(as: "<<"))
    }

    private func sources(of value: Node) throws(TextProblem) -> [Node] {
        let sources = if case .list(let items) = value.value { items } else { [value] }
        for source in sources where source.entries == nil {
            throw TextProblem(
                message: "<< takes a mapping or a list of mappings, not \(source.kind)",
                line: source.mark.line,
                column: source.mark.column
            )
        }
        return sources
    }

    private mutating func spend(_ weight: Int, _ event: TextEvent) throws(TextProblem) {
        spent += weight
        guard spent <= limits.weight else {
            throw problem("more than \(limits.weight) values, aliases counted as often as they are used", event)
        }
    }

    private func problem(_ message: String, _ event: TextEvent) -> TextProblem {
        TextProblem(message: message, line: event.line, column: event.column)
    }

    private func duplicate(_ key: String, _ mark: SourceMark, first: SourceMark) -> TextProblem {
        TextProblem(
            message: "the key \(key.quoted) is written twice, first on line \(first.line)",
            line: mark.line,
            column: mark.column
        )
    }

    /// Whether plain `text` means "nothing".
    private static func isNull(_ text: String) -> Bool {
        switch text {
        case "", "~", "null", "Null", "NULL": true
        default: false
        }
    }
}
