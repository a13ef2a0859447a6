import CCofferPlugin
import Glibc

// Writes that end wrongly publish nothing.

/// The key holds what it held before: nothing, or `old`.
private func expectUntouched(_ subject: Subject, _ key: Name, _ old: String?, line: Int = #line) throws {
    guard let old else {
        try expect(try !subject.exists(key), "no object at \(key)", got: "one", line: line)
        return
    }
    try expectEqual(try subject.text(key), old, "the old object", line: line)
}

extension ConformanceCase {
    static let writes = [
        brokenSource, shortBody, longBody, abandonedWriter, unseenBeforeCommit, cancelledCommit, twoWriters,
        lateCleanUp,
    ]

    /// Each way to end a write wrongly, over nothing and over an old object.
    private static func overNothingAndOld(_ trial: Trial, _ body: (Subject, Name) throws -> Void) throws {
        let subject = try trial.subject()
        for old in [nil, "the old content"] {
            let key = trial.key(old == nil ? "new" : "old")
            if let old { try subject.put(key, old) }
            try body(subject, key)
            try expectUntouched(subject, key, old)
            if subject.has(.list) {
                let names = try subject.keys(trial.key(""))
                let expected = old == nil ? [] : ["old"]
                try expectEqual(names, expected, "the listing afterwards")
            }
        }
    }

    static let brokenSource = ConformanceCase(
        44,
        "a-broken-source-publishes-nothing",
        "given a source that fails halfway, when the writer is closed without commit, then nothing has changed",
        grade: .hangsOn(.atomic),
        needs: .storing
    ) { trial in
        try overNothingAndOld(trial) { subject, key in
            let writer = try subject.beginWrite(key)
            try writer.append(pattern(100_000))
            writer.close()
        }
    }

    static let shortBody = ConformanceCase(
        45,
        "fewer-bytes-than-announced-publish-nothing",
        "given a declared size of 4 parts and an end after 1.5, then an error in time, and nothing published",
        grade: .hangsOn(.atomic),
        needs: .storing
    ) { trial in
        try overNothingAndOld(trial) { subject, key in
            let part = 64 << 10
            let writer = try subject.beginWrite(key, WriteOptions(size: Int64(4 * part)))
            defer { writer.close() }
            try writer.append(pattern(part + part / 2))
            let code = subject.code { _ = try writer.commit() }
            try expect(code != COFFER_OK, "commit of a short body to fail", got: "ok")
            try expectCode(code, COFFER_E_INVALID_ARGUMENT, COFFER_E_CORRUPT, in: "commit of a short body")
        }
    }

    static let longBody = ConformanceCase(
        46,
        "more-bytes-than-announced-publish-nothing",
        "given more bytes than declared, then an error, and nothing published",
        grade: .hangsOn(.atomic),
        needs: .storing
    ) { trial in
        try overNothingAndOld(trial) { subject, key in
            let writer = try subject.beginWrite(key, WriteOptions(size: 1000))
            defer { writer.close() }
            let code = subject.code {
                try writer.append(pattern(1500))
                _ = try writer.commit()
            }
            try expectCode(
                code,
                COFFER_E_INVALID_ARGUMENT,
                COFFER_E_TOO_LARGE,
                COFFER_E_CORRUPT,
                in: "1500 bytes where 1000 were declared"
            )
        }
    }

    static let abandonedWriter = ConformanceCase(
        47,
        "an-abandoned-writer-leaves-nothing",
        "given a writer closed without commit, or whose instance is reopened, then nothing is published or left",
        grade: .hangsOn(.atomic),
        needs: .storing,
        seconds: 40
    ) { trial in
        let before = trial.directory.map { files(below: $0).count }
        try overNothingAndOld(trial) { subject, key in
            for size in [0, 1, 100_000] {
                let writer = try subject.beginWrite(key, WriteOptions(size: 100_000))
                if size > 0 { try writer.append(pattern(size)) }
                writer.close()
            }
        }
        guard let directory = trial.directory, let before, try trial.subject().has(.remove) else { return }
        try trial.subject().remove(trial.key("old"))
        let first = max(files(below: directory).count, before)
        let writer = try trial.subject().beginWrite(trial.key("old"))
        try writer.append(pattern(100_000))
        writer.close()
        let kept = files(below: directory)
        try expect(kept.count <= first, "\(first) files in the directory after an abandoned write", got: "\(kept)")
        // A process that writes is killed; the next one that opens the store clears away what it left.
        try trial.subject().close()
        try killedWhile { step in
            let subject = try trial.open()
            let writer = try subject.beginWrite(trial.key("killed"), WriteOptions(size: 300_000))
            for _ in 0..<2 { try writer.append(pattern(100_000)) }
            step()
        }
        let subject = try trial.open()
        try expect(try !subject.exists(trial.key("killed")), "no object from a killed writer", got: "one")
        if subject.has(.list) { try expectEqual(try subject.keys(trial.key("")), [], "the listing after the kill") }
        let deadline = now() + 20
        // Looked at once in each turn: the instance may still be making a file of its own.
        var left = files(below: directory)
        while left.count > first && now() < deadline {
            usleep(20_000)
            left = files(below: directory)
        }
        try expect(left.count <= first, "\(first) files within 20 s of opening after the kill", got: "\(left)")
    }

    static let unseenBeforeCommit = ConformanceCase(
        48,
        "nothing-is-seen-before-commit",
        "given a write that is not committed, then other readers and listings see the old state",
        grade: .hangsOn(.atomic),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let (fresh, old) = (trial.key("fresh"), trial.key("old"))
        try subject.put(old, "old")
        let writers = [try subject.beginWrite(fresh), try subject.beginWrite(old)]
        for writer in writers { try writer.append(pattern(100_000)) }
        try expectUntouched(subject, fresh, nil)
        try expectUntouched(subject, old, "old")
        if subject.has(.list) { try expectEqual(try subject.keys(trial.key("")), ["old"], "the listing") }
        for writer in writers {
            _ = try writer.commit()
            writer.close()
        }
        try expectBytes(try subject.get(fresh), pattern(100_000), "the new object after commit")
    }

    static let cancelledCommit = ConformanceCase(
        49,
        "a-cancelled-commit-is-old-or-new",
        "given a cancel between the last byte and the commit, then old or new, as the answer says",
        grade: .hangsOn(.atomic),
        needs: .storing,
        counts: Counts(quick: 5, full: 50)
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        for round in 0..<trial.count {
            try subject.put(key, "old")
            let writer = try subject.beginWrite(key)
            defer { writer.close() }
            try writer.append(Array("new \(round)".utf8))
            let cancellation = Cancellation()
            cancellation.cancel()
            let start = now()
            let code = subject.code { _ = try writer.commit(cancellation: cancellation) }
            writer.close()
            try expect(now() - start < 2, "a cancelled commit to return within a second", got: "\(now() - start) s")
            try expectCode(code, COFFER_OK, COFFER_E_CANCELLED, in: "commit of a cancelled call")
            try expectEqual(try subject.text(key), code == COFFER_OK ? "new \(round)" : "old", "the object")
        }
    }

    static let twoWriters = ConformanceCase(
        50,
        "two-writers-leave-one-whole-object",
        "given two writers of one key, interleaved, then it is wholly one, the last acknowledged",
        grade: .hangsOn(.atomic),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        let (a, b) = ([UInt8](repeating: 0x41, count: 90_000), [UInt8](repeating: 0x42, count: 90_000))
        for lastIsA in [true, false] {
            let writers = [try subject.beginWrite(key), try subject.beginWrite(key)]
            for part in 0..<3 {
                try writers[0].append(Array(a[(part * 30_000)..<((part + 1) * 30_000)]))
                try writers[1].append(Array(b[(part * 30_000)..<((part + 1) * 30_000)]))
            }
            for writer in lastIsA ? writers.reversed() : writers { _ = try writer.commit() }
            for writer in writers { writer.close() }
            try expectBytes(try subject.get(key), lastIsA ? a : b, "the object of the last commit")
        }
    }

    static let lateCleanUp = ConformanceCase(
        51,
        "a-late-clean-up-spares-the-next-attempt",
        "given attempt 1 that fails late and attempt 2 that succeeds, when 1 cleans up afterwards, then 2 survives",
        grade: .hangsOn(.atomic),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        let first = try subject.beginWrite(key, WriteOptions(size: 1000))
        try first.append(pattern(500))
        _ = subject.code { _ = try first.commit() }
        let second = try subject.beginWrite(key)
        try second.append(Array("attempt 2".utf8))
        _ = try second.commit()
        first.close()
        try expectEqual(try subject.text(key), "attempt 2", "the object after the clean-up of attempt 1")
        second.close()
        try expectEqual(try subject.text(key), "attempt 2", "the object after both closed")
    }
}

/// The paths of files below a directory; a directory that holds none is nothing.
func files(below path: String) -> [String] {
    namesInDirectory(path).flatMap { name in
        let path = "\(path)/\(name)"
        var status = stat()
        guard lstat(path, &status) == 0 else { return [String]() }
        return status.st_mode & S_IFMT == S_IFDIR ? files(below: path) : [path]
    }
}
