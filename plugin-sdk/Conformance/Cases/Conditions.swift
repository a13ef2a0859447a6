import CCofferPlugin

// Conditions decide, and they decide once.

extension ConformanceCase {
    static let conditions = [
        oneCreator, counter, replaceAbsent, racingWriters, notModified, conditionalRemove, unableConditions,
    ]

    static let oneCreator = ConformanceCase(
        70,
        "one-creator-wins",
        "given create-if-absent from many threads, then exactly one wins, and the losers changed nothing",
        grade: .hangsOn(.createIfAbsent),
        needs: .storing,
        counts: Counts(quick: 10, full: 50)
    ) { trial in
        let subject = try trial.subject()
        for round in 0..<5 {
            let key = trial.key("race-\(round)")
            let winners = Guarded<[String]>([])
            try inParallel(trial.workers(trial.count)) { worker in
                let text = "worker \(worker)"
                let code = subject.code { try subject.put(key, text, WriteOptions(ifNoneMatch: "*")) }
                try expectCode(code, COFFER_OK, COFFER_E_ALREADY_EXISTS, in: "create-if-absent")
                if code == COFFER_OK { winners.withLock { $0.append(text) } }
            }
            try expectEqual(winners.withLock { $0.count }, 1, "winners")
            try expectEqual(try subject.text(key), winners.withLock { $0.first ?? "" }, "the object")
            let before = try subject.look(key)
            try expectCode(
                subject.code { try subject.put(key, "late", WriteOptions(ifNoneMatch: "*")) },
                COFFER_E_ALREADY_EXISTS,
                in: "create-if-absent of what exists"
            )
            try expectEqual(try subject.look(key).etag, before.etag, "token after a lost create")
        }
    }

    static let counter = ConformanceCase(
        71,
        "no-increment-is-lost",
        "given 5 workers that each increment 10 times by if_match, then 50",
        grade: .hangsOn(.ifMatch),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("counter")
        try subject.put(key, "0")
        let workers = trial.workers(5)
        try inParallel(workers) { _ in
            for _ in 0..<10 {
                for attempt in 0..<10_000 {
                    let reader = try subject.openRead(key)
                    defer { reader.close() }
                    let code = subject.code {
                        let value = Int(String(decoding: try reader.rest(), as: UTF8.self)) ?? -1_000_000
                        try subject.put(key, "\(value + 1)", WriteOptions(ifMatch: reader.entry.etag))
                    }
                    if code == COFFER_OK { break }
                    try expectCode(code, COFFER_E_PRECONDITION, COFFER_E_CHANGED, in: "increment")
                    try expect(attempt < 9_999, "progress", got: "ten thousand lost races")
                }
            }
        }
        try expectEqual(try subject.text(key), "\(workers * 10)", "the counter")
    }

    static let replaceAbsent = ConformanceCase(
        72,
        "if-match-on-an-absent-key-fails",
        "given if_match on an absent key, with a token or *, then precondition_failed, still absent",
        grade: .hangsOn(.ifMatch),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("absent")
        for token: Name in ["some-token", "*"] {
            try expectCode(
                subject.code { try subject.put(key, "x", WriteOptions(ifMatch: token)) },
                COFFER_E_PRECONDITION,
                in: "write if_match \(token) of an absent key"
            )
            try expect(try !subject.exists(key), "no object", got: "one")
        }
        try subject.put(key, "one")
        try subject.put(key, "two", WriteOptions(ifMatch: "*"))
        try expectEqual(try subject.text(key), "two", "the object after if_match *")
    }

    static let racingWriters = ConformanceCase(
        74,
        "no-update-is-lost-to-the-conditional-writer",
        "given plain puts racing conditional ones, then no lost update is acknowledged to the conditional writer",
        grade: .hangsOn(.ifMatch),
        needs: .storing,
        counts: Counts(quick: 20, full: 500)
    ) { trial in
        let subject = try trial.subject()
        for round in 0..<trial.count {
            let key = trial.key("race-\(round)")
            let token = try subject.put(key, "base").etag
            let code = Guarded<coffer_status>(0)
            let plain = Guarded(Name(""))
            if trial.workers(2) == 2 {
                try inParallel(2) { worker in
                    if worker == 0 {
                        let entry = try subject.put(key, "plain")
                        plain.withLock { $0 = entry.etag }
                    } else {
                        let got = subject.code { try subject.put(key, "conditional", WriteOptions(ifMatch: token)) }
                        code.withLock { $0 = got }
                    }
                }
            } else {
                try subject.put(key, "plain")
                code.withLock { $0 = subject.code { try subject.put(key, "x", WriteOptions(ifMatch: token)) } }
            }
            let got = code.withLock { $0 }
            try expectCode(got, COFFER_OK, COFFER_E_PRECONDITION, in: "the conditional write")
            // If it was acknowledged, it came first, and the plain one replaced it.
            try expectEqual(try subject.text(key), "plain", "the object, whoever came first")
        }
        let key = trial.key("between")
        let token = try subject.put(key, "base").etag
        let writer = try subject.beginWrite(key, WriteOptions(ifMatch: token))
        defer { writer.close() }
        try writer.append(Array("stale".utf8))
        try subject.put(key, "newer")
        try expectCode(
            subject.code { _ = try writer.commit() },
            COFFER_E_PRECONDITION,
            in: "commit, the object having changed since begin"
        )
        try expectEqual(try subject.text(key), "newer", "the object")
    }

    static let notModified = ConformanceCase(
        75,
        "read-conditions-compare-tokens",
        "given reads with the current and an old token, then not_modified, data, or precondition_failed",
        grade: .hangsOn(.readCondition),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        let old = try subject.put(key, "one").etag
        let current = try subject.put(key, "two").etag
        try expect(!current.isEmpty, "a token", got: "none")
        func both(_ options: ReadOptions, _ expected: coffer_status, _ what: String) throws {
            try expectCode(
                subject.code { subject.drop(try subject.openRead(key, options)) },
                expected,
                in: "read \(what)"
            )
            guard subject.has(.stat) else { return }
            try expectCode(subject.code { _ = try subject.stat(key, options) }, expected, in: "stat \(what)")
        }
        try both(ReadOptions(ifNoneMatch: current), COFFER_E_NOT_MODIFIED, "if_none_match the current token")
        try both(ReadOptions(ifNoneMatch: old), COFFER_OK, "if_none_match an old token")
        try both(ReadOptions(ifNoneMatch: "*"), COFFER_E_NOT_MODIFIED, "if_none_match * of what exists")
        try both(ReadOptions(ifMatch: current), COFFER_OK, "if_match the current token")
        try both(ReadOptions(ifMatch: "*"), COFFER_OK, "if_match *")
        try both(ReadOptions(ifMatch: old), COFFER_E_PRECONDITION, "if_match an old token")
        try both(ReadOptions(ifMatch: Name(current.bytes + [0x78])), COFFER_E_PRECONDITION, "if_match a longer token")
        try both(
            ReadOptions(ifMatch: Name(Array(current.bytes.dropLast()))),
            current.bytes.count > 1 ? COFFER_E_PRECONDITION : COFFER_OK,
            "if_match the beginning of the token"
        )
    }

    static let conditionalRemove = ConformanceCase(
        76,
        "a-stale-token-removes-nothing",
        "given a remove with a stale token, then refused, object intact; with the current one, gone",
        grade: .hangsOn(.removeIfMatch),
        needs: [.write, .read, .remove]
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        let old = try subject.put(key, "one").etag
        let current = try subject.put(key, "two").etag
        try expectCode(
            subject.code { try subject.remove(key, ReadOptions(ifMatch: old)) },
            COFFER_E_PRECONDITION,
            in: "remove if_match an old token"
        )
        try expectEqual(try subject.text(key), "two", "the object")
        try subject.remove(key, ReadOptions(ifMatch: current))
        try expect(try !subject.exists(key), "no object", got: "one")
        try expectCode(
            subject.code { try subject.remove(key, ReadOptions(ifMatch: current)) },
            COFFER_E_PRECONDITION,
            in: "remove if_match of an absent key"
        )
    }

    static let unableConditions = ConformanceCase(
        77,
        "a-condition-is-never-ignored",
        "given each condition, then it decides, or unsupported comes before any write",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        try subject.put(key, "old")
        let able: [(Capabilities, coffer_status, String, () throws -> Void)] = [
            (
                .ifMatch, COFFER_E_PRECONDITION, "write if_match",
                {
                    try subject.put(key, "new", WriteOptions(ifMatch: "stale"))
                }
            ),
            (
                .createIfAbsent, COFFER_E_ALREADY_EXISTS, "write if_none_match *",
                {
                    try subject.put(key, "new", WriteOptions(ifNoneMatch: "*"))
                }
            ),
            (
                .readCondition, COFFER_E_PRECONDITION, "read if_match",
                {
                    subject.drop(try subject.openRead(key, ReadOptions(ifMatch: "stale")))
                }
            ),
            (
                .removeIfMatch, COFFER_E_PRECONDITION, "remove if_match",
                {
                    try subject.remove(key, ReadOptions(ifMatch: "stale"))
                }
            ),
            (
                .copyCondition, COFFER_E_PRECONDITION, "copy if_match",
                {
                    _ = try subject.copy(trial.key("k"), trial.key("t"), CopyOptions(sourceIfMatch: "stale"))
                }
            ),
        ]
        for (capability, refusal, what, call) in able {
            let expected = subject.has(capability) ? refusal : COFFER_E_UNSUPPORTED
            try expectCode(subject.code(call), expected, in: "\(what) with a stale token")
            try expectEqual(try subject.text(key), "old", "the object after \(what)")
        }
        // A token in if_none_match of a write has no meaning but "*".
        let code = subject.code { try subject.put(key, "new", WriteOptions(ifNoneMatch: "token")) }
        try expectCode(
            code,
            COFFER_E_UNSUPPORTED,
            COFFER_E_INVALID_ARGUMENT,
            COFFER_E_PRECONDITION,
            in: "write if_none_match with a token"
        )
    }
}
