import CCofferPlugin
import Glibc

// Uploads in parts: what comes together, what replaces what, and what must not be seen.

extension ConformanceCase {
    static let uploads = [
        partsInAnyOrder, aPartSentAgain, wrongParts, completeTwice, abortInFlight, twoUploads, pendingUploads,
    ]

    static let partsInAnyOrder = ConformanceCase(
        59,
        "parts-come-together-in-order",
        "given parts begun as 3, 1, 2 and committed as 2, 3, 1, then the object has them in the order of their numbers",
        grade: .hangsOn(.resume),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        let bodies = [1, 2, 3].map { pattern(subject.partSize, seed: $0) }
        let id = try subject.beginUpload(key)
        var writers: [UInt32: Writer] = [:]
        defer { writers.values.forEach { $0.close() } }
        for number: UInt32 in [3, 1, 2] {
            let writer = try subject.beginPart(id, number, size: number == 2 ? -1 : Int64(subject.partSize))
            writers[number] = writer
            try writer.append(Array(bodies[Int(number) - 1].prefix(1000)))
        }
        var parts: [Part] = []
        for number: UInt32 in [2, 3, 1] {
            guard let writer = writers[number] else { continue }
            try writer.append(Array(bodies[Int(number) - 1].dropFirst(1000)))
            parts.append(try subject.part(number, writer, subject.partSize))
        }
        parts.sort { $0.number < $1.number }
        try expectEqual(try subject.listParts(id).map(\.number), [1, 2, 3], "the numbers of the parts")
        try expectEqual(try subject.listParts(id).map(\.etag), parts.map(\.etag), "the tags of the parts")
        let entry = try subject.complete(id, key, parts)
        try expectEqual(entry.size, Int64(3 * subject.partSize), "size")
        try expectEqual(try subject.look(key).etag, entry.etag, "the tag")
        try expectBytes(try subject.get(key), bodies.flatMap(\.self), "the object")
    }

    static let aPartSentAgain = ConformanceCase(
        60,
        "a-part-sent-again-replaces-the-earlier",
        "given a part sent twice at once, the first attempt finishing last, then what was acknowledged last counts",
        grade: .hangsOn(.resume),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        let bodies = [1, 2].map { pattern(subject.partSize, seed: $0) }
        let id = try subject.beginUpload(key)
        let first = try subject.beginPart(id, 1)
        defer { first.close() }
        try first.append(bodies[0])
        let second = try subject.sendPart(id, 1, bodies[1])
        let last = try subject.part(1, first, bodies[0].count)
        first.close()
        try expectEqual(try subject.listParts(id).map(\.etag), [last.etag], "the tags of the parts")
        if second.etag != last.etag {
            try expectCode(
                subject.code { _ = try subject.complete(id, key, [second]) },
                COFFER_E_INVALID_ARGUMENT,
                in: "complete with the tag of a part that was replaced"
            )
        }
        _ = try subject.complete(id, key, [last])
        try expectBytes(try subject.get(key), bodies[0], "the object")
    }

    static let wrongParts = ConformanceCase(
        61,
        "wrong-parts-change-nothing",
        "given a complete with no part, a missing, reordered, repeated, altered or too small one, then invalid_argument, key and upload as they were",
        grade: .hangsOn(.resume),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        try subject.put(key, "old")
        let id = try subject.beginUpload(key)
        let bodies = [1, 2].map { pattern(subject.partSize, seed: $0) }
        let parts = try bodies.enumerated().map { try subject.sendPart(id, UInt32($0 + 1), $1) }
        let absent = Part(number: 3, etag: parts[0].etag)
        var altered = parts
        altered[1].etag = parts[0].etag
        var resized = parts
        resized[0].size += 1
        var wrong: [(String, [Part])] = [
            ("no part", []), ("a part that was never sent", parts + [absent]),
            ("parts in falling order", parts.reversed()),
            ("a part twice", [parts[0], parts[0]]), ("the tag of another part", altered),
            ("a part of another size", resized),
        ]
        if subject.result.min_part > 1 {
            let small = try subject.sendPart(id, 4, [1])
            let last = try subject.sendPart(id, 5, [2])
            wrong.append(("a part below min_part that is not the last", parts + [small, last]))
        }
        for (what, parts) in wrong {
            try expectCode(
                subject.code { _ = try subject.complete(id, key, parts) },
                COFFER_E_INVALID_ARGUMENT,
                in: "complete with \(what)"
            )
            try expectEqual(try subject.text(key), "old", "the object after a complete with \(what)")
        }
        try expectCode(
            subject.code { _ = try subject.complete(id, key, parts, WriteOptions(size: 1)) },
            COFFER_E_INVALID_ARGUMENT,
            in: "complete with a size that is not that of the parts"
        )
        try expectCode(
            subject.code { _ = try subject.beginPart(id, 0) },
            COFFER_E_INVALID_ARGUMENT,
            in: "a part with the number 0"
        )
        _ = try subject.complete(id, key, parts)
        try expectBytes(try subject.get(key), bodies[0] + bodies[1], "the object")
    }

    static let completeTwice = ConformanceCase(
        62,
        "complete-gives-the-same-answer-twice",
        "given complete called twice, then the same answer and one object; after abort, and for an id never given, not_found",
        grade: .hangsOn(.resume),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        let id = try subject.beginUpload(key)
        let part = try subject.sendPart(id, 1, pattern(1000))
        let first = try subject.complete(id, key, [part])
        let second = try subject.complete(id, key, [part])
        try expectEqual(second.etag, first.etag, "the tag of the second answer")
        try expectEqual(second.size, first.size, "the size of the second answer")
        try expectEqual(try subject.look(key).etag, first.etag, "the tag of the object")
        try expectCode(
            subject.code { _ = try subject.beginPart(id, 2).commit() },
            COFFER_E_NOT_FOUND,
            in: "a part of a completed upload"
        )
        let aborted = try subject.beginUpload(trial.key("aborted"))
        let kept = try subject.sendPart(aborted, 1, pattern(1000))
        try subject.abortUpload(aborted)
        for (what, id) in [("an aborted upload", aborted), ("an id that was never given", "never-given" as Name)] {
            let calls: [(String, () throws -> Void)] = [
                ("complete", { _ = try subject.complete(id, trial.key("aborted"), [kept]) }),
                ("a part", { _ = try subject.sendPart(id, 2, [1]) }),
                ("list_parts", { _ = try subject.listParts(id) }),
            ]
            for (call, body) in calls {
                try expectCode(subject.code(body), COFFER_E_NOT_FOUND, in: "\(call) of \(what)")
            }
        }
        try expect(try !subject.exists(trial.key("aborted")), "no object of an aborted upload", got: "one")
    }

    static let abortInFlight = ConformanceCase(
        63,
        "an-abort-takes-parts-in-flight-along",
        "given an abort while parts are being sent, then no crash, no such upload, no object, and the room is free again",
        grade: .hangsOn(.resume),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        let used = subject.has(.usage) ? try subject.usageValues()["bytes"] : nil
        let id = try subject.beginUpload(key)
        _ = try subject.sendPart(id, 1, pattern(subject.partSize))
        let writer = try subject.beginPart(id, 2)
        defer { writer.close() }
        try writer.append(pattern(1000))
        try subject.abortUpload(id)
        let code = subject.code {
            try writer.append(pattern(1000))
            _ = try writer.commit()
        }
        try expect(code != COFFER_OK, "the part of an aborted upload to fail", got: "ok")
        writer.close()
        let left = try subject.listUploads(key)
        try expect(left.isEmpty, "no pending upload after the abort", got: "\(left.count)")
        try expect(try !subject.exists(key), "no object after the abort", got: "one")
        if subject.has(.list) { try expectEqual(try subject.keys(key), [], "the listing after the abort") }
        // Where nobody else writes meanwhile.
        if let used, trial.directory != nil || used == "0" {
            try expectEqual(try subject.usageValues()["bytes"], used, "bytes in use after the abort")
        }
    }

    static let twoUploads = ConformanceCase(
        64,
        "the-last-complete-wins-whole",
        "given two uploads to one key with their parts interleaved, then each complete publishes its own, whole",
        grade: .hangsOn(.resume),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        let ids = try [subject.beginUpload(key), subject.beginUpload(key)]
        try expect(ids[0] != ids[1], "two ids for two uploads", got: "one")
        var parts: [[Part]] = [[], []]
        func body(_ upload: Int, _ number: Int) -> [UInt8] { pattern(subject.partSize, seed: upload * 10 + number) }
        for number in [1, 2] {
            for upload in [0, 1] {
                parts[upload].append(try subject.sendPart(ids[upload], UInt32(number), body(upload, number)))
            }
        }
        for upload in [1, 0] {
            _ = try subject.complete(ids[upload], key, parts[upload])
            try expectBytes(try subject.get(key), body(upload, 1) + body(upload, 2), "the object of upload \(upload)")
        }
    }

    static let pendingUploads = ConformanceCase(
        69,
        "pending-uploads-are-no-objects",
        "given a listing while uploads are pending, then they are in list_uploads, by prefix and time, and nowhere else",
        grade: .hangsOn(.resume),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("in/k")
        let start = wallNanoseconds()
        let id = try subject.beginUpload(key)
        let part = try subject.sendPart(id, 1, pattern(1000))
        if subject.has(.list) {
            try expectEqual(try subject.keys(trial.key("")), [], "the listing while it is pending")
        }
        try expect(try !subject.exists(key), "no object while it is pending", got: "one")
        func pending(_ prefix: String, before: Int64 = .max) throws -> [Name] {
            try subject.listUploads(trial.key(prefix), before: before).map(\.id)
        }
        try expectEqual(try pending(""), [id], "list_uploads")
        try expectEqual(try pending("in/"), [id], "list_uploads of a prefix")
        try expectEqual(try pending("out/"), [], "list_uploads of another prefix")
        try expectEqual(try subject.listUploads(trial.key("")).map(\.key), [key], "the keys of list_uploads")
        // The store's clock may differ from this one by a little.
        let hour: Int64 = 3_600_000_000_000
        try expectEqual(try pending("", before: start - hour), [], "list_uploads of what began an hour ago")
        try expectEqual(
            try pending("", before: start + hour),
            [id],
            "list_uploads of what began before an hour from now"
        )
        _ = try subject.complete(id, key, [part])
        try expectEqual(try pending(""), [], "list_uploads after complete")
        try expect(try subject.exists(key), "the object after complete", got: "none")
    }
}

private func wallNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
