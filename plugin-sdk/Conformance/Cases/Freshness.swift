import CCofferPlugin

// What a store says of an object: the same everywhere, and at once.

extension ConformanceCase {
    static let freshness = [sameAnswerEverywhere, readsChangeNothing, newStateAtOnce, tokensTell, tokensWithinATick]

    static let sameAnswerEverywhere = ConformanceCase(
        7,
        "commit-stat-and-listing-agree",
        "given a successful put, then size, token, mtime and hash of the commit, the stat and the listing are equal",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("agree")
        let written = try subject.put(key, "the same everywhere")
        let seen = try subject.look(key)
        try expectEqual(seen.key, written.key, "key")
        try expectEqual(written.key, key, "key of the commit")
        try expectEqual(seen.size, written.size, "size")
        try expectEqual(seen.etag, written.etag, "etag")
        try expectEqual(seen.version, written.version, "version")
        try expectEqual(seen.mtime, written.mtime, "mtime")
        try expectEqual(Set(seen.checksums), Set(written.checksums), "checksums")
        let reader = try subject.openRead(key)
        defer { reader.close() }
        try expectEqual(reader.entry.etag, written.etag, "etag of the read")
        try expectEqual(reader.entry.size, written.size, "size of the read")
        guard subject.has(.list) else { return }
        let listed = try subject.list(key).first { $0.key == key }
        try expectEqual(listed?.size, written.size, "size in the listing")
        if let listed, !listed.etag.isEmpty { try expectEqual(listed.etag, written.etag, "etag in the listing") }
        if let listed, listed.mtime != Int64.min {
            try expectEqual(listed.mtime, written.mtime, "mtime in the listing")
        }
    }

    static let readsChangeNothing = ConformanceCase(
        8,
        "reads-change-nothing",
        "given an object, when it is read in full and in part, then identity, hash and mtime stay as they were",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("still")
        try subject.put(key, pattern(1000))
        let before = try subject.look(key)
        _ = try subject.get(key)
        if subject.has(.range) { _ = try subject.get(key, ReadOptions(offset: 10, length: 20)) }
        let after = try subject.look(key)
        try expectEqual(after.etag, before.etag, "etag after reads")
        try expectEqual(after.mtime, before.mtime, "mtime after reads")
        try expectEqual(after.checksums, before.checksums, "checksums after reads")
    }

    static let newStateAtOnce = ConformanceCase(
        9,
        "new-state-is-seen-at-once",
        "given writes, overwrites and removes, when polled at once, then the new state is always seen",
        needs: [.write, .read, .remove],
        counts: Counts(quick: 20, full: 100)
    ) { trial in
        let subject = try trial.subject()
        if subject.has(.eventual) { throw Skip(reason: "the store declares eventual reads") }
        let key = trial.key("poll")
        for round in 0..<trial.count {
            for text in ["first \(round)", "second \(round)"] {
                try subject.put(key, text)
                try expectEqual(try subject.text(key), text, "read after write")
            }
            try subject.remove(key)
            try expect(try !subject.exists(key), "no object right after its removal", got: "one")
            if subject.has(.list) { try expectEqual(try subject.list(key).count, 0, "entries after the removal") }
        }
    }

    static let tokensTell = ConformanceCase(
        10,
        "version-token-tells-two-writes-apart",
        "given the same content twice, when put, then the token differs or comes from the content, never a stale mix",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("token")
        let first = try subject.put(key, "same content")
        let second = try subject.put(key, "same content")
        let other = try subject.put(key, "else content")
        if first.etag.isEmpty && !subject.has(.ifMatch) {
            throw Skip(reason: "the store has no tokens, and declares no if_match")
        }
        try expect(!first.etag.isEmpty, "a token from a store with if_match", got: "none")
        try expect(other.etag != second.etag, "another token for other content", got: "\(other.etag) again")
        try expectEqual(try subject.look(key).etag, other.etag, "token of the stat after the last write")
        if first.etag == second.etag {
            try subject.put(key, "same content")
            try expectEqual(try subject.look(key).etag, first.etag, "the content's own token once more")
        }
    }

    static let tokensWithinATick = ConformanceCase(
        11,
        "writes-within-one-tick-have-other-tokens",
        "given A, then B and C of the same size within a clock tick, when written if_match A or B, then refused",
        grade: .hangsOn(.ifMatch),
        needs: .storing,
        counts: Counts(quick: 50, full: 1000),
        seconds: 30
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("tick")
        for round in 0..<trial.count {
            let a = try subject.put(key, "A\(10_000 + round)").etag
            let b = try subject.put(key, "B\(10_000 + round)").etag
            try subject.put(key, "C\(10_000 + round)")
            for stale in [a, b] {
                let options = WriteOptions(size: 1, ifMatch: stale)
                try expectCode(
                    subject.code { try subject.put(key, "X", options) },
                    COFFER_E_PRECONDITION,
                    in: "write with a token from before, round \(round)"
                )
            }
            try expectEqual(try subject.text(key), "C\(10_000 + round)", "the object")
        }
    }
}
