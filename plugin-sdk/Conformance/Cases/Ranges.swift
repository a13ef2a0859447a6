import CCofferPlugin

// Parts of an object, and the edges where parts go wrong.

/// A range, and what must come of it: bytes, or one of these codes.
private func expectRange(
    _ subject: Subject,
    _ key: Name,
    _ options: ReadOptions,
    _ expected: [UInt8]?,
    _ codes: coffer_status...,
    total: Int64,
    line: Int = #line
) throws {
    do {
        let reader = try subject.openRead(key, options)
        defer { reader.close() }
        let what = "range \(options.offset), \(options.length), flags \(options.flags)"
        guard let expected else {
            throw Mismatch(expected: "\(what): \(codes.map(codeName))", got: "ok", line: line)
        }
        try expectEqual(reader.entry.size, total, "whole size beside \(what)", line: line)
        try expectBytes(try reader.rest(), expected, what, line: line)
        try expectEqual(reader.length, UInt64(expected.count), "length of \(what)", line: line)
    } catch let error as PluginError where !codes.isEmpty {
        guard codes.contains(error.code) else {
            throw Mismatch(expected: codes.map(codeName).joined(separator: " or "), got: error.description, line: line)
        }
    }
}

extension ConformanceCase {
    static let ranges = [rangeEdges, pastTheEnd, suffixes, hugeRanges, rangesOfNothing, randomRanges]

    static let rangeEdges = ConformanceCase(
        30,
        "ranges-are-exact-at-their-edges",
        "given 14 bytes, when ranges are read at, across and past the end, then exact, cut, or range_invalid",
        grade: .hangsOn(.range),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("fourteen")
        let all = Array("abcdefghijklmn".utf8)
        try subject.put(key, all)
        func range(_ offset: UInt64, _ length: Int64) -> ReadOptions { ReadOptions(offset: offset, length: length) }
        try expectRange(subject, key, range(3, 4), Array(all[3..<7]), total: 14)
        try expectRange(subject, key, range(2, 98), Array(all[2...]), total: 14)
        try expectRange(subject, key, range(13, 1), [all[13]], total: 14)
        try expectRange(subject, key, range(13, -1), [all[13]], total: 14)
        try expectRange(subject, key, range(0, 14), all, total: 14)
        try expectRange(subject, key, range(0, 0), [], COFFER_E_INVALID_ARGUMENT, COFFER_E_RANGE, total: 14)
        try expectRange(subject, key, range(14, -1), nil, COFFER_E_RANGE, total: 14)
        try expectRange(subject, key, range(15, 1), nil, COFFER_E_RANGE, total: 14)
        try expectRange(subject, key, range(0, -2), nil, COFFER_E_INVALID_ARGUMENT, total: 14)
        let reader = try subject.openRead(key, range(3, 4))
        defer { reader.close() }
        try expectEqual(reader.offset, 3, "offset of the answer")
        for byte in all[3..<7] { try expectBytes(try reader.read(1), [byte], "a read of one byte") }
        for _ in 0..<3 { try expectBytes(try reader.read(100), [], "a read at its end, as often as asked") }
        for offset in 0..<14 {
            for length in [1, 2, 13, 14, 15] {
                let end = min(offset + length, 14)
                let slice = Array(all[offset..<end])
                try expectRange(subject, key, range(UInt64(offset), Int64(length)), slice, total: 14)
            }
        }
    }

    static let pastTheEnd = ConformanceCase(
        31,
        "out-of-range-is-not-not-found",
        "given an existing key, when read past its end, then range_invalid, permanent, and not not_found",
        grade: .hangsOn(.range),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        try subject.put(trial.key("k"), "short")
        do {
            subject.drop(try subject.openRead(trial.key("k"), ReadOptions(offset: 1000)))
            throw Mismatch(expected: "range", got: "ok", line: #line)
        } catch let error as PluginError {
            try expectCode(error.code, COFFER_E_RANGE, in: "read from 1000 of 5 bytes")
            try expect(error.flags & COFFER_ERR_RETRYABLE == 0, "a permanent error", got: "retryable")
        }
    }

    static let suffixes = ConformanceCase(
        32,
        "suffixes-are-exact",
        "given suffix 0, 2 and 100 of 14 bytes, then empty or range_invalid, 2 bytes, all",
        grade: .hangsOn(.range),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("fourteen")
        let all = Array("abcdefghijklmn".utf8)
        try subject.put(key, all)
        func suffix(_ length: Int64) -> ReadOptions { ReadOptions(length: length, flags: COFFER_READ_SUFFIX) }
        try expectRange(subject, key, suffix(0), [], COFFER_E_RANGE, COFFER_E_INVALID_ARGUMENT, total: 14)
        try expectRange(subject, key, suffix(2), Array(all[12...]), total: 14)
        try expectRange(subject, key, suffix(14), all, total: 14)
        try expectRange(subject, key, suffix(100), all, total: 14)
    }

    static let hugeRanges = ConformanceCase(
        33,
        "huge-ranges-do-not-overflow",
        "given offsets and lengths near 2^63 and 2^64, then an error or the cut, no overflow",
        grade: .hangsOn(.range),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        let all = Array("abcdefghijklmn".utf8)
        try subject.put(key, all)
        for offset in [UInt64.max, UInt64.max - 1, UInt64(Int64.max), UInt64(Int64.max) + 1] {
            for length in [Int64(-1), 1, 14, Int64.max] {
                try expectRange(
                    subject,
                    key,
                    ReadOptions(offset: offset, length: length),
                    nil,
                    COFFER_E_RANGE,
                    COFFER_E_INVALID_ARGUMENT,
                    total: 14
                )
            }
        }
        try expectRange(subject, key, ReadOptions(offset: 4, length: Int64.max), Array(all[4...]), total: 14)
        try expectRange(
            subject,
            key,
            ReadOptions(length: Int64.max, flags: COFFER_READ_SUFFIX),
            all,
            total: 14
        )
        try expectRange(
            subject,
            key,
            ReadOptions(length: Int64.min, flags: COFFER_READ_SUFFIX),
            nil,
            COFFER_E_INVALID_ARGUMENT,
            COFFER_E_RANGE,
            total: 14
        )
    }

    static let rangesOfNothing = ConformanceCase(
        35,
        "ranges-of-an-empty-object-end",
        "given any range of a 0-byte object, then range_invalid or empty, never a hang; the whole of it is empty",
        grade: .hangsOn(.range),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("empty")
        try subject.put(key, "")
        try expectRange(subject, key, ReadOptions(), [], total: 0)
        for options in [
            ReadOptions(offset: 0, length: 0), ReadOptions(offset: 0, length: 5),
            ReadOptions(length: 5, flags: COFFER_READ_SUFFIX),
        ] {
            try expectRange(subject, key, options, [], COFFER_E_RANGE, COFFER_E_INVALID_ARGUMENT, total: 0)
        }
        try expectRange(subject, key, ReadOptions(offset: 1), nil, COFFER_E_RANGE, total: 0)
    }

    static let randomRanges = ConformanceCase(
        36,
        "random-ranges-are-slices",
        "given random ranges, read in small steps, then each equals the slice",
        grade: .hangsOn(.range),
        needs: .storing,
        counts: Counts(quick: 25, full: 50)
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        let all = pattern(100_003)
        try subject.put(key, all)
        for round in 0..<trial.count {
            let start = Int.random(in: 0..<all.count)
            let length = Int.random(in: 1...all.count)
            let slice = Array(all[start..<min(start + length, all.count)])
            let got = try subject.get(
                key,
                ReadOptions(offset: UInt64(start), length: Int64(length)),
                chunk: 1 + round * 997
            )
            try expectBytes(got, slice, "[\(start), +\(length)]")
        }
    }
}
