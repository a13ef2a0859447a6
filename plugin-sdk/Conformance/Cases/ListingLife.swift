import CCofferPlugin

// Listings while the store changes, and listings that end early.

extension ConformanceCase {
    static let listingLife = [
        changesBetweenPages, vanishing, stoppedListing, millionKeys, listersAndWriters, siblings, batch,
    ]

    private static func fill(_ trial: Trial, _ count: Int, _ folder: String = "") throws -> [Name] {
        let subject = try trial.subject()
        return try (0..<count).map { index in
            let key = trial.key("\(folder)\(100_000 + index)")
            try subject.put(key, "")
            return key
        }
    }

    static let changesBetweenPages = ConformanceCase(
        79,
        "changes-between-pages-lose-nobody-else",
        "given a page read, when keys are made and removed, then the next pages neither repeat nor skip others",
        needs: [.write, .read, .list, .remove]
    ) { trial in
        let subject = try trial.subject()
        // Each alone, because as many made as removed before the page's end would hide a listing that goes by position.
        for change in ["removed", "made", "both"] {
            let keys = try fill(trial, 60, change + "/")
            let lister = try subject.openList(trial.key(change + "/"))
            defer { lister.close() }
            var seen = try lister.next(10).map(\.key)
            let gone = change == "made" ? [] : [keys[2], keys[5], keys[40]]
            for key in gone { try subject.remove(key) }
            if change != "removed" {
                for name in ["100000-new", "100003-new", "100050-new"] {
                    try subject.put(trial.key("\(change)/\(name)"), "")
                }
            }
            while !lister.isDone { seen += try lister.next(10).map(\.key) }
            try expectEqual(Set(seen).count, seen.count, "entries without repetition, keys being \(change)")
            let missing = Set(keys).subtracting(gone).subtracting(seen)
            try expect(missing.isEmpty, "every key that was there throughout", got: "without \(missing.sorted())")
        }
    }

    static let vanishing = ConformanceCase(
        88,
        "a-vanishing-object-does-not-end-a-listing",
        "given objects that vanish during a listing, then it goes on to its end",
        needs: [.write, .read, .list, .remove]
    ) { trial in
        let subject = try trial.subject()
        let keys = try fill(trial, 40, "d/")
        let lister = try subject.openList(trial.key(""))
        defer { lister.close() }
        _ = try lister.next(1)
        for key in keys[10..<39] { try subject.remove(key) }
        var seen: [Name] = []
        while !lister.isDone { seen += try lister.next(5).map(\.key) }
        try expect(seen.contains(keys[39]), "the last key", got: "\(seen.count) others")
    }

    static let stoppedListing = ConformanceCase(
        89,
        "a-stopped-listing-stops",
        "given a sink that asks to stop, or a cancelled call, then no more entries come, within a second",
        needs: [.write, .read, .list]
    ) { trial in
        let subject = try trial.subject()
        _ = try fill(trial, 50)
        let collector = Collector()
        collector.stopAfter = 3
        let lister = try subject.openList(trial.key(""))
        let code = subject.code { try lister.next(into: collector, limit: 1000) }
        lister.close()
        try expectEqual(collector.callsAfterStop, 0, "entries after the sink has asked to stop")
        try expectCode(code, COFFER_E_CANCELLED, in: "list_next whose sink asks to stop")
        let cancellation = Cancellation()
        cancellation.cancel()
        let start = now()
        let second = try subject.openList(trial.key(""))
        let after = subject.code { _ = try second.next(10, cancellation: cancellation) }
        second.close()
        try expect(now() - start < 1, "an end within a second", got: "\(now() - start) s")
        try expectCode(after, COFFER_OK, COFFER_E_CANCELLED, in: "list_next of a cancelled call")
        try expectEqual(try subject.list(trial.key("")).count, 50, "entries of the next listing")
    }

    static let millionKeys = ConformanceCase(
        90,
        "many-keys-take-little-memory",
        "given very many keys, then a listing takes less than 64 MiB and the time grows with the keys alone",
        needs: [.write, .read, .list],
        counts: Counts(quick: 2000, full: 1_000_000),
        seconds: 120
    ) { trial in
        let subject = try trial.subject()
        let workers = trial.workers(8)
        try inParallel(workers) { worker in
            for index in stride(from: worker, to: trial.count, by: workers) {
                try subject.put(trial.key("\(index % 100)/\(index)"), "")
            }
        }
        let before = trial.residentBytes()
        var peak = before
        var total = 0
        // The best of some, because the machine may be busy.
        let first = try (0..<5).map { _ in
            let start = now()
            let lister = try subject.openList(trial.key(""))
            defer { lister.close() }
            _ = try lister.next(100)
            return now() - start
        }
        try expect(first.contains { $0 < 0.1 }, "a first page within 100 ms", got: "\(first) s")
        let lister = try subject.openList(trial.key(""))
        defer { lister.close() }
        var pages: [Double] = []
        while !lister.isDone {
            let start = now()
            total += try lister.next(100).count
            pages.append(now() - start)
            peak = max(peak, trial.residentBytes())
        }
        let tenth = max(pages.count / 10, 1)
        let (early, late) = (pages.prefix(tenth).min() ?? 0, pages.suffix(tenth).min() ?? 0)
        try expect(
            late < max(early, 0.001) * 20,
            "late pages about as quick as early ones",
            got: "\(late) and \(early) s"
        )
        try expectEqual(total, trial.count, "entries")
        try expect(peak - before < 64 << 20, "less than 64 MiB", got: "\((peak - before) >> 20) MiB")
    }

    static let listersAndWriters = ConformanceCase(
        91,
        "a-listing-beside-writers-gives-each-key-once",
        "given two listers beside writers, then each key that was there throughout is reported exactly once",
        needs: [.write, .read, .list, .remove],
        counts: Counts(quick: 5, full: 50),
        seconds: 30
    ) { trial in
        let subject = try trial.subject()
        if trial.workers(3) == 1 { throw Skip(reason: "the plugin declares that one call runs at a time") }
        let keys = Set(try fill(trial, 100, "s/"))
        let rounds = trial.count
        try inParallel(3) { worker in
            if worker == 0 {
                for index in 0..<(rounds * 20) {
                    let key = trial.key("s/1000\(index % 90 + 10)-moving")
                    try subject.put(key, "x")
                    try subject.remove(key)
                }
                return
            }
            for _ in 0..<rounds {
                let seen = try subject.list(trial.key("s/"), page: 7).map(\.key)
                try expectEqual(Set(seen).count, seen.count, "entries without repetition")
                try expect(keys.isSubset(of: seen), "every key that was there throughout", got: "fewer")
            }
        }
    }

    static let siblings = ConformanceCase(
        92,
        "removing-a-prefix-spares-its-siblings",
        "given a/a/ and a/aaa/x beside it, when what a/a/ lists is removed, then the sibling remains",
        needs: [.write, .read, .list, .remove]
    ) { trial in
        let subject = try trial.subject()
        for name in ["a/a/1", "a/a/2", "a/aaa/x", "a/b"] { try subject.put(trial.key(name), "x") }
        let doomed = try subject.list(trial.key("a/a/")).map(\.key)
        try expectEqual(doomed.sorted(), [trial.key("a/a/1"), trial.key("a/a/2")], "the listing of a/a/")
        for key in doomed { try subject.remove(key) }
        try expectEqual(try subject.keys(trial.key("")), ["a/aaa/x", "a/b"], "what remains")
    }

    static let batch = ConformanceCase(
        93,
        "a-batch-answers-for-each-key",
        "given a batch removal with absent and weird keys, then one result for each",
        grade: .hangsOn(.removeBatch),
        needs: [.write, .read],
        counts: Counts(quick: 150, full: 1500)
    ) { trial in
        let subject = try trial.subject()
        let most = subject.result.max_batch == 0 ? trial.count : min(trial.count, Int(subject.result.max_batch))
        var keys = try fill(trial, most / 2)
        keys += (keys.count..<(most - 1)).map { trial.key("absent +&/\($0)") }
        keys.append("")
        let results = try subject.removeBatch(keys)
        try expectEqual(results.count, keys.count, "results")
        for (index, code) in results where index < keys.count - 1 {
            try expectCode(code, COFFER_OK, in: "removal of \(keys[index])")
        }
        try expectCode(
            results[keys.count - 1] ?? -1,
            COFFER_E_INVALID_KEY,
            COFFER_E_INVALID_ARGUMENT,
            in: "removal of the empty key"
        )
        try expect(try !subject.exists(keys[0]), "no object after its removal", got: "one")
    }
}
