import CCofferPlugin

// What every store does: put, get, look, remove.

extension ConformanceCase {
    static let basics = [
        absentKey, removeIsIdempotent, emptyObject, writerWithoutWrites, sizesAroundBlocks, shorterReplaces,
    ]

    static let absentKey = ConformanceCase(
        1,
        "absent-key-is-not-found",
        "given an empty store, when an absent key is read, looked at or strictly removed, then not_found, permanent",
        needs: .read
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("absent")
        var calls: [(String, () throws -> Void)] = [("read_open", { subject.drop(try subject.openRead(key)) })]
        if subject.has(.stat) { calls.append(("stat", { _ = try subject.stat(key) })) }
        if subject.has(.remove) {
            calls.append(("strict remove", { try subject.remove(key, ReadOptions(flags: COFFER_READ_STRICT)) }))
        }
        for (what, call) in calls {
            do {
                try call()
                throw Mismatch(expected: "\(what) of an absent key: not_found", got: "ok", line: #line)
            } catch let error as PluginError {
                try expectCode(error.code, COFFER_E_NOT_FOUND, in: "\(what) of an absent key")
                try expectEqual(codeName(error.inner), codeName(error.code), "coffer_error.code of \(what)")
                try expect(error.flags & COFFER_ERR_RETRYABLE == 0, "\(what): a permanent error", got: "retryable")
            }
        }
    }

    static let removeIsIdempotent = ConformanceCase(
        2,
        "remove-of-absent-succeeds-twice",
        "given an absent key, when it is removed twice in the idempotent form, then success twice",
        needs: .remove
    ) { trial in
        let subject = try trial.subject()
        for _ in 0..<2 {
            try expectCode(subject.code { try subject.remove(trial.key("absent")) }, COFFER_OK, in: "remove")
        }
    }

    static let emptyObject = ConformanceCase(
        3,
        "empty-object-is-an-object",
        "given 0 bytes, when put, looked at, read, listed and copied, then size 0 and an empty body each time",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("empty")
        try expectEqual(try subject.put(key, "").size, 0, "size from the commit of nothing")
        try expectEqual(try subject.look(key).size, 0, "size of the empty object")
        try expectBytes(try subject.get(key), [], "the empty object")
        if subject.has(.list) {
            let entries = try subject.list(trial.key(""))
            try expectEqual(entries.map(\.key), [key], "the listing")
            try expectEqual(entries.first?.size, 0, "size in the listing")
        }
        if subject.has(.copy) {
            try expectEqual(try subject.copy(key, trial.key("copy")).size, 0, "size of the copy")
            try expectBytes(try subject.get(trial.key("copy")), [], "the copy")
        }
    }

    static let writerWithoutWrites = ConformanceCase(
        4,
        "writer-without-writes-makes-an-empty-object",
        "given no append at all, when a writer is begun and committed, then a 0-byte object exists",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let writer = try subject.beginWrite(trial.key("nothing"))
        defer { writer.close() }
        _ = try writer.commit()
        try expectEqual(try subject.look(trial.key("nothing")).size, 0, "size")
    }

    static let sizesAroundBlocks = ConformanceCase(
        5,
        "bytes-come-back-at-every-size",
        "given sizes 1, 4095, 4096, 4097, 65537, 8 MiB and one beside it, when put and read, then equal bytes",
        needs: .storing,
        seconds: 60
    ) { trial in
        let subject = try trial.subject()
        let large = trial.scale == .full ? [8 << 20, (8 << 20) - 1, (8 << 20) + 1] : [(1 << 20) - 1, (1 << 20) + 1]
        for size in [1, 4095, 4096, 4097, 65537] + large {
            let content = pattern(size, seed: size)
            let key = trial.key("size-\(size)")
            try expectEqual(try subject.put(key, content).size, Int64(size), "size from the commit")
            try expectBytes(try subject.get(key), content, "an object of \(size) bytes")
        }
    }

    static let shorterReplaces = ConformanceCase(
        6,
        "shorter-content-leaves-no-tail",
        "given an existing key, when shorter content is put, then no tail of the old content remains",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        try subject.put(key, pattern(10_000))
        try subject.put(key, "short")
        try expectEqual(try subject.look(key).size, 5, "size")
        try expectEqual(try subject.text(key), "short", "the object")
    }
}
