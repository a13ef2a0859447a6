import CCofferPlugin

// A listing gives every key once, in one order, wherever it is cut.

extension ConformanceCase {
    static let listing = [
        everyPage, delimiterOrder, besideOnePrefix, startingAfter, tokensResume, prefixesAreStrings, limits,
        absentPrefix, nothingAbove,
    ]

    static let everyPage = ConformanceCase(
        78,
        "every-key-once-on-any-page-size",
        "given many keys and page sizes 1, 2, 999, 1000, 1001, then each key exactly once, in byte order",
        needs: [.write, .read, .list],
        counts: Counts(quick: 251, full: 2501),
        seconds: 40
    ) { trial in
        let subject = try trial.subject()
        var expected: [Name] = []
        for index in 0..<trial.count {
            // Written out of order, and with names of several lengths.
            let key = trial.key("n\((index * 7919) % trial.count)/\(index % 3 == 0 ? "x" : "y\(index)")")
            expected.append(key)
            try subject.put(key, "")
        }
        expected.sort()
        for page in [1, 2, 99, 999, 1000, 1001] as [UInt64] {
            let keys = try subject.list(trial.key(""), page: page).map(\.key)
            try expectEqual(keys.count, expected.count, "entries with pages of \(page)")
            try expectEqual(Set(keys).count, expected.count, "different keys with pages of \(page)")
            if subject.has(.sorted) {
                let wrong = zip(keys, expected).first { $0 != $1 }
                try expect(
                    wrong == nil,
                    "byte order, \(wrong?.1.description ?? "") next",
                    got: "\(wrong?.0.description ?? "")"
                )
            } else {
                try expectEqual(keys.sorted(), expected, "the keys")
            }
        }
    }

    static let delimiterOrder = ConformanceCase(
        80,
        "prefixes-come-once-and-in-order",
        "given t/t, t-/t., t0 and testFile1 with a delimiter, then t-/, t/, t0 in order, no prefix twice on any page",
        grade: .hangsOn(.delimiter),
        needs: [.write, .read, .list]
    ) { trial in
        let subject = try trial.subject()
        for name in ["t/t", "t/u", "t-/t.", "t-/u", "t0", "testFile1", "t/a/b", "z"] {
            try subject.put(trial.key(name), "x")
        }
        for page in [1, 2, 3, 1000] as [UInt64] {
            let options = ListOptions(delimiter: "/")
            try expectEqual(
                try subject.keys(trial.key(""), options, page: page),
                ["t-/", "t/", "t0", "testFile1", "z"],
                "the listing with pages of \(page)"
            )
            try expectEqual(
                try subject.list(trial.key(""), options, page: page).filter(\.isPrefix).map(\.key).sorted(),
                [trial.key("t-/"), trial.key("t/")],
                "the common prefixes"
            )
            try expectEqual(
                try subject.keys(trial.key("t/"), options, page: page),
                ["t/a/", "t/t", "t/u"],
                "the listing of t/"
            )
        }
        try expectEqual(
            try subject.keys(trial.key(""), ListOptions(delimiter: "t")),
            ["t", "z"],
            "the listing with delimiter t"
        )
        try subject.put(trial.key("m--a--b"), "x")
        try expectEqual(
            try subject.keys(trial.key("m"), ListOptions(delimiter: "--")),
            ["m--"],
            "the listing with delimiter --"
        )
    }

    static let besideOnePrefix = ConformanceCase(
        81,
        "keys-beside-a-large-prefix-are-listed",
        "given many keys under 0/ and 1999, 1999#, 1999+, 2000 beside it, then all are listed beside one prefix",
        grade: .hangsOn(.delimiter),
        needs: [.write, .read, .list],
        counts: Counts(quick: 150, full: 1000)
    ) { trial in
        let subject = try trial.subject()
        for index in 0..<trial.count { try subject.put(trial.key("0/\(index)"), "") }
        for name in ["1999", "1999#", "1999+", "2000"] { try subject.put(trial.key(name), "") }
        for page in [1, 2, 100] as [UInt64] {
            try expectEqual(
                try subject.keys(trial.key(""), ListOptions(delimiter: "/"), page: page),
                ["0/", "1999", "1999#", "1999+", "2000"],
                "the listing with pages of \(page)"
            )
        }
    }

    static let startingAfter = ConformanceCase(
        82,
        "start-after-is-strict",
        "given start_after existing, between, before and after all, and odd characters, then strictly greater keys only",
        grade: .hangsOn(.startAfter),
        needs: [.write, .read, .list]
    ) { trial in
        let subject = try trial.subject()
        let flat = ["a", "a b", "a#", "a&", "a+", "b/1", "b/2", "c", "é"]
        let names = subject.has(.directories) ? flat : flat + ["b"]
        for name in names { try subject.put(trial.key(name), "x") }
        let sorted = names.sorted { Name($0) < Name($1) }
        for start in names + ["", "aa", "0", "zz", "b/", "b/15", "\u{10FFFF}"] {
            let after = trial.key(start)
            let expected = sorted.filter { Name($0) > Name(start) }
            for page in [1, 1000] as [UInt64] {
                try expectEqual(
                    try subject.keys(trial.key(""), ListOptions(startAfter: after), page: page),
                    expected,
                    "keys after \(start)"
                )
            }
        }
        try expectEqual(
            try subject.keys(trial.key("b/"), ListOptions(startAfter: trial.key("a"))),
            ["b/1", "b/2"],
            "keys of b/ after a"
        )
        try expectEqual(
            try subject.keys(trial.key("b/"), ListOptions(startAfter: trial.key("c"))),
            [],
            "keys of b/ after c"
        )
        guard subject.has(.delimiter) else { return }
        try expectEqual(
            try subject.keys(trial.key(""), ListOptions(delimiter: "/", startAfter: trial.key("b/"))),
            ["c", "é"],
            "entries after the prefix b/"
        )
    }

    static let tokensResume = ConformanceCase(
        83,
        "a-token-goes-on-where-it-stopped",
        "given the token of a page, when a new listing is opened with it, then it goes on there and ends; a wrong one is refused",
        needs: [.write, .read, .list]
    ) { trial in
        let subject = try trial.subject()
        // Names as long as a token may have to hold.
        let long = String(repeating: "+/=&# é", count: 20).split(separator: "/").joined(separator: "-")
        let names = (0..<20).map { "k +/=&#\($0 + 10)\($0 % 4 == 0 ? long : "")" }
        for name in names { try subject.put(trial.key(name), "x") }
        var seen: [Name] = []
        var options = ListOptions()
        for _ in 0..<100 {
            let lister = try subject.openList(trial.key(""), options)
            defer { lister.close() }
            seen += try lister.next(3).map(\.key)
            if lister.isDone { break }
            guard let token = lister.token else { throw Skip(reason: "the store gives no tokens to resume by") }
            options.token = token
        }
        try expectEqual(seen.sorted(), names.map { trial.key($0) }.sorted(), "keys over listings opened by token")
        for odd in [Name([UInt8](repeating: 0x2B, count: 4096)), "+/=&#", Name([0xFF]), Name([0, 0, 0])] {
            let code = subject.code { _ = try subject.list(trial.key(""), ListOptions(token: odd)) }
            try expectCode(code, COFFER_OK, COFFER_E_INVALID_ARGUMENT, in: "a listing by the senseless token \(odd)")
        }
        try expectEqual(try subject.list(trial.key("")).count, names.count, "entries after a senseless token")
    }

    static let prefixesAreStrings = ConformanceCase(
        84,
        "prefixes-are-strings-not-directories",
        "given keys foo, foobar, foo/x and fo, then prefix foo and prefix foo/ answer as strings",
        needs: [.write, .read, .list]
    ) { trial in
        let subject = try trial.subject()
        let flat = subject.has(.directories) ? ["foo2", "foobar", "foo/x", "fo"] : ["foo", "foobar", "foo/x", "fo"]
        for name in flat { try subject.put(trial.key(name), "x") }
        func expected(_ prefix: String) -> [String] {
            flat.filter { $0.utf8.starts(with: prefix.utf8) }.sorted { Name($0) < Name($1) }
        }
        for prefix in ["foo", "foo/", "f", "foob", "foo/x", "fo", "foo/xy", "oo"] {
            try expectEqual(try subject.keys(trial.key(prefix)), expected(prefix), "the listing of \(prefix)")
        }
    }

    static let limits = ConformanceCase(
        85,
        "limits-are-kept",
        "given limits 0, 1 and huge, then none or refused, one, all",
        needs: [.write, .read, .list]
    ) { trial in
        let subject = try trial.subject()
        for index in 0..<5 { try subject.put(trial.key("\(index)"), "x") }
        let none = try subject.openList(trial.key(""))
        let code = subject.code {
            try expect(try none.next(0).isEmpty, "no entry for a limit of 0", got: "some")
        }
        none.close()
        try expectCode(code, COFFER_OK, COFFER_E_INVALID_ARGUMENT, in: "a limit of 0")
        for limit in [1, UInt64.max, UInt64(Int64.max), 1 << 40] {
            try expectEqual(try subject.list(trial.key(""), page: limit).count, 5, "entries with limit \(limit)")
        }
    }

    static let absentPrefix = ConformanceCase(
        86,
        "an-absent-prefix-is-an-empty-listing",
        "given a prefix that no key has, then an empty listing, not an error",
        needs: .list
    ) { trial in
        let subject = try trial.subject()
        for prefix in ["", "none", "none/", "none/deeper/"] {
            try expectEqual(try subject.list(trial.key(prefix)).count, 0, "entries of \(trial.key(prefix))")
        }
    }

    static let nothingAbove = ConformanceCase(
        87,
        "a-listing-stays-below-its-prefix",
        "given a prefix deep/none, then it is empty and nothing above it is ever seen",
        needs: [.write, .read, .list]
    ) { trial in
        let subject = try trial.subject()
        for name in ["deep/a", "deep/none2/x", "other"] { try subject.put(trial.key(name), "x") }
        for prefix in ["deep/none/", "deep/none/..", "deep/../", "deep/none/../../"] {
            let code = subject.code {
                try expectEqual(try subject.list(trial.key(prefix)).count, 0, "entries of \(prefix)")
            }
            try expectCode(code, COFFER_OK, COFFER_E_INVALID_KEY, in: "the listing of \(prefix)")
        }
        try expectEqual(try subject.keys(trial.key("deep/none")), ["deep/none2/x"], "the listing of deep/none")
    }
}
