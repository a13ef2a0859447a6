import CCofferPlugin

// Keys are bytes: each one its own object, or refused before anything happens.

/// Puts, reads, lists, copies and removes under each key; or sees it refused alike everywhere.
///
/// Answers the keys that the store takes.
@discardableResult
func roundTrip(_ keys: [Name], in trial: Trial, mayRefuse: Bool, line: Int = #line) throws -> [Name] {
    let subject = try trial.subject()
    var kept: [(Name, [UInt8])] = []
    for (index, key) in keys.enumerated() {
        let content = Array("content of \(index)".utf8)
        let code = subject.code { try subject.put(key, content) }
        if mayRefuse && code == COFFER_E_INVALID_KEY {
            try expectRefusedAlike(key, subject, line: line)
            continue
        }
        try expectCode(code, COFFER_OK, in: "put \(key)", line: line)
        kept.append((key, content))
    }
    for (key, content) in kept {
        try expectBytes(try subject.get(key), content, "the object at \(key)", line: line)
        try expectEqual(try subject.look(key).key, key, "key of the entry", line: line)
    }
    if subject.has(.list) {
        let listed = try subject.list(trial.key("")).map(\.key)
        try expectEqual(listed.sorted(), kept.map(\.0).sorted(), "the listing", line: line)
    }
    if subject.has(.copy), let (key, content) = kept.first {
        let target = trial.key("copy-of-first")
        _ = try subject.copy(key, target)
        try expectBytes(try subject.get(target), content, "the copy of \(key)", line: line)
        if subject.has(.remove) { try subject.remove(target) }
    }
    if subject.has(.remove) {
        for (index, (key, _)) in kept.enumerated() {
            try subject.remove(key, ReadOptions(flags: COFFER_READ_STRICT))
            try expect(try !subject.exists(key), "no object at \(key) after its removal", got: "one", line: line)
            if let next = kept.dropFirst(index + 1).first {
                try expect(try subject.exists(next.0), "its neighbour \(next.0) to stay", got: "none", line: line)
            }
        }
    }
    return kept.map(\.0)
}

/// The other calls answer as the write did: `invalid_key`, or that there is nothing.
private func expectRefusedAlike(_ key: Name, _ subject: Subject, line: Int) throws {
    try expectCode(
        subject.code { _ = try subject.look(key) },
        COFFER_E_INVALID_KEY,
        COFFER_E_NOT_FOUND,
        in: "look at \(key), which cannot be written",
        line: line
    )
    if subject.has(.remove) {
        try expectCode(
            subject.code { try subject.remove(key) },
            COFFER_E_INVALID_KEY,
            COFFER_OK,
            in: "remove \(key), which cannot be written",
            line: line
        )
    }
}

extension ConformanceCase {
    static let keys = [
        punctuation, edgeWhitespace, controlBytes, lineBreaks, invalidUTF8, unicodeForms, letterCase, emoji, escapes,
    ]

    static let punctuation = ConformanceCase(
        12,
        "punctuation-in-keys-is-kept",
        "given keys of blanks and punctuation, when put, read, listed, copied and removed, then each is byte-identical",
        needs: .storing
    ) { trial in
        let names = [
            " x", "\"", "$", "%", "&", "'", "<", ">", "_ ", "_ _", "__", "+", "#", "?", ";", "=", "[x]", "{0}", "~a",
            "a b", "*", "|", ":", ",", "@", "!", "`", "^", "(", ")",
        ]
        try roundTrip(names.map { trial.key($0) }, in: trial, mayRefuse: false)
    }

    static let edgeWhitespace = ConformanceCase(
        13,
        "whitespace-at-the-edges-is-never-trimmed",
        "given blanks, tabs, line ends and dots at the edges of names, then distinct and kept, or refused invalid_key",
        needs: .storing
    ) { trial in
        var names: [String] = []
        for edge in [" ", "\t", "\r", "\n", "\u{0B}", "."] {
            names += ["f\(edge)", "\(edge)f", "d\(edge)/x", "\(edge)d/x"]
        }
        try roundTrip(["f", "d/x"].map { trial.key($0) } + names.map { trial.key($0) }, in: trial, mayRefuse: true)
    }

    static let controlBytes = ConformanceCase(
        14,
        "control-bytes-are-kept-or-refused-alike",
        "given every control byte in a key, then NUL is refused everywhere, the rest is kept or refused alike",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let bad = trial.key([0x61, 0x00, 0x62])
        try expectCode(subject.code { try subject.put(bad, "x") }, COFFER_E_INVALID_KEY, in: "put of a key with NUL")
        try expectCode(
            subject.code { _ = try subject.look(bad) },
            COFFER_E_INVALID_KEY,
            COFFER_E_NOT_FOUND,
            in: "look at a key with NUL"
        )
        try expect(try !subject.exists(trial.key("a")), "no object cut off at the NUL", got: "one")
        try roundTrip(
            (Array(1...0x1F) + [0x7F]).map { trial.key([0x61, UInt8($0), 0x62]) },
            in: trial,
            mayRefuse: true
        )
    }

    static let lineBreaks = ConformanceCase(
        15,
        "a-command-in-a-key-is-not-run",
        "given a key with a line break and a command after it, then it is one key or refused, and nothing else happens",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let neighbour = trial.key("neighbour")
        try subject.put(neighbour, "stays")
        for text in ["x\r\nDELE \(trial.prefix)neighbour\r\n", "x HTTP/1.1\r\nHost: other\r\n\r\nDELETE /"] {
            let code = subject.code { try subject.put(trial.key(text), "x") }
            try expectCode(code, COFFER_OK, COFFER_E_INVALID_KEY, in: "put of a key with a command")
        }
        try expectEqual(try subject.text(neighbour), "stays", "the neighbour")
    }

    static let invalidUTF8 = ConformanceCase(
        16,
        "invalid-utf8-is-kept-or-refused",
        "given a key that is not UTF-8, then invalid_key and nothing stored, or the very bytes",
        needs: .storing
    ) { trial in
        let bad: [[UInt8]] = [
            [0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0xAF], [0x80], [0xF4, 0x90, 0x80, 0x80], [0xF0, 0x9F],
            [0xE2, 0x82, 0x2F],
        ]
        try roundTrip(bad.map { trial.key([0x78] + $0) }, in: trial, mayRefuse: true)
    }

    static let unicodeForms = ConformanceCase(
        17,
        "unicode-forms-are-two-keys",
        "given é composed and decomposed, then two keys, or the store declares normalizing; never an overwrite",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        if subject.has(.normalizing) { throw Skip(reason: "the store declares normalizing") }
        let forms = [trial.key("caf\u{E9}"), trial.key("cafe\u{301}")]
        try roundTrip(forms, in: trial, mayRefuse: true)
    }

    static let letterCase = ConformanceCase(
        18,
        "letter-case-makes-two-keys",
        "given a and A, then two keys, or the store declares case_insensitive and refuses the second",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        guard subject.has(.caseInsensitive) else {
            try roundTrip([trial.key("case"), trial.key("CASE")], in: trial, mayRefuse: false)
            return
        }
        try subject.put(trial.key("case"), "lower")
        let code = subject.code { try subject.put(trial.key("CASE"), "upper") }
        try expectCode(code, COFFER_E_INVALID_KEY, COFFER_E_ALREADY_EXISTS, in: "put of a key that collides")
        try expectEqual(try subject.text(trial.key("case")), "lower", "the first object")
    }

    static let emoji = ConformanceCase(
        19,
        "scripts-and-emoji-are-kept",
        "given emoji, flags, right-to-left marks and four-byte letters in names and prefixes, then all operations work",
        needs: .storing
    ) { trial in
        let names = ["😀", "🇩🇪/x", "\u{200F}rtl", "𠜎𠜱/𠝹", "👩‍👩‍👧", "日本語/ファイル", "Ünïcödé"]
        try roundTrip(names.map { trial.key($0) }, in: trial, mayRefuse: false)
    }

    static let escapes = ConformanceCase(
        20,
        "percent-escapes-are-never-decoded",
        "given %46, %2F, %Q and a%2Fb, then never decoded: a%2Fb is not a/b",
        needs: .storing
    ) { trial in
        let names = ["%46", "%2F", "%Q", "a%2Fb", "a/b", "HELLO", "%48%45%4C%4C%4F", "%", "%%", "a%00b"]
        try roundTrip(names.map { trial.key($0) }, in: trial, mayRefuse: false)
    }
}
