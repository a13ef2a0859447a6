import CCofferPlugin

// Conditions again, on the paths where they get lost: in pieces, of unknown length, at commit, by copy.

extension ConformanceCase {
    static let conditionPaths = [streamedConditions]

    static let streamedConditions = ConformanceCase(
        73,
        "conditions-hold-on-every-path",
        "given create-if-absent when streamed, in parts, when lost between begin and commit, and by copy, then the same answers",
        grade: .hangsOn(.createIfAbsent),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        let writer = try subject.beginWrite(key, WriteOptions(ifNoneMatch: "*"))
        defer { writer.close() }
        for _ in 0..<5 { try writer.append(pattern(50_000)) }
        try subject.put(key, "was quicker")
        try expectCode(
            subject.code { _ = try writer.commit() },
            COFFER_E_ALREADY_EXISTS,
            in: "commit of a create, the key having been created since begin"
        )
        try expectEqual(try subject.text(key), "was quicker", "the object")
        if subject.has(.ifMatch), subject.has(.remove) {
            let token = try subject.look(key).etag
            let late = try subject.beginWrite(key, WriteOptions(ifMatch: token))
            defer { late.close() }
            try late.append(pattern(50_000))
            try subject.remove(key)
            try expectCode(
                subject.code { _ = try late.commit() },
                COFFER_E_PRECONDITION,
                in: "commit if_match, the key having been removed since begin"
            )
            try expect(try !subject.exists(key), "no object", got: "one")
        }
        if subject.has(.resume) { try inParts(subject, trial) }
        guard subject.has([.copy, .copyCondition]) else { return }
        let (from, to) = (trial.key("from"), trial.key("to"))
        let source = try subject.put(from, "source").etag
        _ = try subject.copy(from, to, CopyOptions(sourceIfMatch: source, ifNoneMatch: "*"))
        try expectCode(
            subject.code { _ = try subject.copy(from, to, CopyOptions(ifNoneMatch: "*")) },
            COFFER_E_ALREADY_EXISTS,
            in: "copy if_none_match * to what exists"
        )
        for options in [CopyOptions(sourceIfMatch: "stale"), CopyOptions(ifMatch: "stale")] {
            try expectCode(
                subject.code { _ = try subject.copy(from, to, options) },
                COFFER_E_PRECONDITION,
                in: "copy with a stale token"
            )
        }
        try expectEqual(try subject.text(to), "source", "the target")
    }
    /// Conditions of an upload hold when it is completed, whatever held when it began.
    private static func inParts(_ subject: Subject, _ trial: Trial) throws {
        let key = trial.key("parts")
        func upload(_ options: WriteOptions, meanwhile: () throws -> Void) throws -> coffer_status {
            let id = try subject.beginUpload(key, options)
            let part = try subject.sendPart(id, 1, pattern(1000))
            try meanwhile()
            let code = subject.code { _ = try subject.complete(id, key, [part], options) }
            if code != COFFER_OK { _ = subject.code { try subject.abortUpload(id) } }
            return code
        }
        let lost = try upload(WriteOptions(ifNoneMatch: "*")) { try subject.put(key, "was quicker") }
        try expectCode(lost, COFFER_E_ALREADY_EXISTS, in: "complete of a create, the key having been created since")
        try expectEqual(try subject.text(key), "was quicker", "the object")
        try expectCode(
            subject.code { _ = try subject.beginUpload(key, WriteOptions(ifNoneMatch: "*")) },
            COFFER_E_ALREADY_EXISTS,
            COFFER_OK,
            in: "upload create of what exists"
        )
        guard subject.has(.ifMatch) else { return }
        let token = try subject.look(key).etag
        let changed = try upload(WriteOptions(ifMatch: token)) { try subject.put(key, "changed") }
        try expectCode(changed, COFFER_E_PRECONDITION, in: "complete if_match, the object having changed since")
        try expectEqual(try subject.text(key), "changed", "the object")
        let now = try subject.look(key).etag
        try expectCode(
            try upload(WriteOptions(ifMatch: now)) {},
            COFFER_OK,
            in: "complete if_match of the present token"
        )
        try expectBytes(try subject.get(key), pattern(1000), "the object")
    }
}
