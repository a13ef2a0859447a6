import CCofferPlugin

// Checksums, many writers, and every way to cut a body into pieces.

/// Digests of `abc`.
private let sha256OfABC: Name = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
private let wrongSHA256: Name = "0000000000000000000000000000000000000000000000000000000000000000"

extension ConformanceCase {
    static let publication = [wrongChecksum, keptChecksum, parallelPuts, pieces, reserveLimit]

    static let wrongChecksum = ConformanceCase(
        54,
        "a-wrong-checksum-publishes-nothing",
        "given a digest that the commit's own contradicts, then checksum, and nothing published; a wrong one alone likewise, or the store proves none",
        grade: .hangsOn(.checksum),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let (wrong, right) = (
            Digest(algorithm: "sha256", value: wrongSHA256), Digest(algorithm: "sha256", value: sha256OfABC)
        )
        for old in [nil, "old"] {
            let key = trial.key(old ?? "new")
            if let old { try subject.put(key, old) }
            func publish(_ early: [Digest], _ late: [Digest]) -> coffer_status {
                subject.code {
                    try subject.put(key, "abc", WriteOptions(size: 3, checksums: early, lateChecksums: late))
                }
            }
            func expectUntouched(_ when: String) throws {
                try expectEqual(try subject.exists(key), old != nil, "an object at \(key) after \(when)")
                if let old { try expectEqual(try subject.text(key), old, "the old object after \(when)") }
            }
            try expectCode(publish([wrong], [right]), COFFER_E_CHECKSUM, in: "commit whose own sha256 is another one")
            try expectUntouched("a digest that the commit contradicts")
            let alone = publish([wrong], [])
            try expectCode(alone, COFFER_OK, COFFER_E_CHECKSUM, in: "commit with a wrong sha256 and none to compare")
            if alone == COFFER_E_CHECKSUM { try expectUntouched("a wrong digest") }
            if alone == COFFER_OK {
                let isKept = try subject.look(key).checksums.contains(wrong)
                try expect(!isKept, "no digest that nobody has proven", got: "the wrong one")
            }
        }
    }

    static let keptChecksum = ConformanceCase(
        55,
        "a-right-checksum-is-kept",
        "given a right checksum that the host computed too, then stat returns it; given only one of them, it or none",
        grade: .hangsOn(.checksum),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let right = Digest(algorithm: "sha256", value: sha256OfABC)
        let both = trial.key("both")
        try subject.put(both, "abc", WriteOptions(size: 3, checksums: [right], lateChecksums: [right]))
        try expect(try subject.look(both).checksums.contains(right), "the sha256 that was given", got: "not it")
        try subject.put(both, "abcd")
        let stale = try subject.look(both).checksums.contains(right)
        try expect(!stale, "no digest of the object before", got: "its sha256")
        for isEarly in [true, false] {
            let key = trial.key(isEarly ? "early" : "late")
            var options = WriteOptions(size: 3)
            if isEarly { options.checksums = [right] } else { options.lateChecksums = [right] }
            try subject.put(key, "abc", options)
            let kept = try subject.look(key).checksums.filter { $0.algorithm == "sha256" }
            try expect(kept.isEmpty || kept == [right], "the sha256 that was given, or none", got: "\(kept)")
        }
    }

    static let parallelPuts = ConformanceCase(
        56,
        "parallel-puts-are-all-there",
        "given many puts over many workers, then all are present, and no descriptor or thread is left over",
        needs: .storing,
        counts: Counts(quick: 200, full: 10_000),
        seconds: 30
    ) { trial in
        let subject = try trial.subject()
        let workers = trial.workers(trial.scale == .quick ? 8 : 64)
        // A store over the network keeps as many connections as there were calls at once: those are no leak.
        try inParallel(workers) { worker in
            for _ in 0..<5 {
                try subject.put(trial.key("warm-\(worker)"), "x")
                _ = try subject.get(trial.key("warm-\(worker)"))
            }
        }
        let (descriptors, threads) = (trial.openDescriptors(), trial.runningThreads())
        let count = trial.count
        try inParallel(workers) { worker in
            for index in stride(from: worker, to: count, by: workers) {
                try subject.put(trial.key("p/\(index)"), pattern(1024, seed: index))
            }
        }
        for index in 0..<count {
            try expectBytes(try subject.get(trial.key("p/\(index)")), pattern(1024, seed: index), "object \(index)")
        }
        if subject.has(.list) { try expectEqual(try subject.list(trial.key("p/")).count, count, "entries") }
        try expect(
            trial.openDescriptors() <= descriptors + 2 + workers,
            "\(descriptors) descriptors",
            got: "\(trial.openDescriptors())"
        )
        try expect(trial.runningThreads() <= threads + 2, "\(threads) threads", got: "\(trial.runningThreads())")
    }

    static let pieces = ConformanceCase(
        58,
        "every-cut-gives-equal-bytes",
        "given chunks of many sizes and bodies around them, sized and unsized, and in parts, then equal bytes",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let part = subject.result.preferred_part == 0 ? 4096 : Int(min(subject.result.preferred_part, 1 << 20))
        for content in [pattern(1, seed: 1), pattern(255, seed: 2), pattern(4097, seed: 3)] {
            let key = trial.key("single-\(content.count)")
            try subject.put(key, content, WriteOptions(size: Int64(content.count)), chunk: 1)
            try expectBytes(try subject.get(key, chunk: 1), content, "\(content.count) bytes, one by one")
        }
        for chunk in [1 << 10, part, part + part / 3, 100_001] {
            for size in [chunk - 1, chunk, chunk + 1, 2 * chunk + 1] {
                for sized in [true, false] {
                    let content = pattern(size, seed: chunk + size)
                    let key = trial.key("\(chunk)-\(size)-\(sized)")
                    try subject.put(key, content, WriteOptions(size: sized ? Int64(size) : -1), chunk: chunk)
                    try expectBytes(try subject.get(key), content, "\(size) bytes in chunks of \(chunk)")
                }
            }
        }
        guard subject.has(.resume) else { return }
        for chunk in [subject.partSize, subject.partSize + subject.partSize / 3] {
            for size in [chunk - 1, chunk, chunk + 1, 2 * chunk + 1] {
                let content = pattern(size, seed: chunk + size)
                let key = trial.key("parts-\(chunk)-\(size)")
                let parts = stride(from: 0, to: size, by: chunk).map { Array(content[$0..<min(size, $0 + chunk)]) }
                try subject.putInParts(key, parts, WriteOptions(size: Int64(size)))
                try expectBytes(try subject.get(key), content, "\(size) bytes in parts of \(chunk)")
            }
        }
        try subject.putInParts(trial.key("nothing"), [[]])
        try expectBytes(try subject.get(trial.key("nothing")), [], "an object of one empty part")
    }

    static let reserveLimit = ConformanceCase(
        53,
        "what-is-too-large-leaves-the-old",
        "given more bytes than there is room for, then too_large, no_space or quota, permanent, the old content intact, the room free again",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let room = try subject.room()
        guard room > 0, room < 64 << 20 else {
            throw Skip(
                reason: "neither max_object nor usage names a room under 64 MiB: try --set size=4MiB or its like"
            )
        }
        let key = trial.key("k")
        try subject.put(key, "old")
        let tooMuch = pattern(room + 1)
        // At every length announced or not, and however often: nothing of a failed attempt keeps its room.
        for round in 0..<6 {
            let options = WriteOptions(size: round % 2 == 0 ? -1 : Int64(tooMuch.count))
            do {
                try subject.put(key, tooMuch, options)
                throw Mismatch(expected: "a body of room + 1 bytes to be refused", got: "ok", line: #line)
            } catch let error as PluginError {
                let full = [COFFER_E_TOO_LARGE, COFFER_E_NO_SPACE, COFFER_E_QUOTA]
                try expect(full.contains(error.code), "too_large, no_space or quota", got: error.description)
                try expect(error.flags & COFFER_ERR_RETRYABLE == 0, "a permanent error", got: "retryable")
            }
            try expectEqual(try subject.text(key), "old", "the old object")
        }
        let half = pattern(room / 2)
        try subject.put(trial.key("half"), half)
        try expectBytes(try subject.get(trial.key("half")), half, "an object of half the room, afterwards")
    }
}

extension Subject {
    /// The most bytes that one object can have here: the declared limit, or what is free; 0 if neither is known.
    fileprivate func room() throws -> Int {
        if result.max_object > 0 { return Int(clamping: result.max_object) }
        guard has(.usage) else { return 0 }
        return Int(try usageValues()["bytes_free"] ?? "") ?? 0
    }
}

extension Trial {
    /// As many threads as the plugin allows at once, and at most `most`.
    func workers(_ most: Int) -> Int { plugin.pointee.threads == COFFER_THREADS_PARALLEL ? most : 1 }
}
