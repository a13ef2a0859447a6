import CCofferPlugin
import Glibc

// Reads that take their time, and reads that end early.

extension ConformanceCase {
    static let streams = [pausedReader, earlyClose, pinnedReader, encodedBytes]

    static let pausedReader = ConformanceCase(
        37,
        "a-reader-that-pauses-costs-nothing",
        "given a reader that stops reading, then the plugin's memory stays as it is and the read goes on afterwards",
        needs: .storing,
        counts: Counts(quick: 4 << 20, full: 1 << 30),
        seconds: 30
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("large")
        let writer = try subject.beginWrite(key, WriteOptions(size: Int64(trial.count)))
        defer { writer.close() }
        let block = pattern(1 << 20)
        for _ in 0..<(trial.count >> 20) { try writer.append(block) }
        _ = try writer.commit()
        let reader = try subject.openRead(key)
        defer { reader.close() }
        // A read gives up to what is asked for.
        let first = try reader.read(1000).count
        let before = trial.residentBytes()
        usleep(trial.scale == .quick ? 200_000 : 60_000_000)
        let grown = trial.residentBytes() - before
        try expect(grown < 32 << 20, "less than 32 MiB more while the reader pauses", got: "\(grown >> 20) MiB")
        var total = first
        while true {
            let more = try reader.read(1 << 20)
            if more.isEmpty { break }
            total += more.count
        }
        try expectEqual(total, trial.count, "bytes in all")
    }

    static let earlyClose = ConformanceCase(
        38,
        "an-early-close-gives-everything-back",
        "given reads closed or cancelled at byte k, then within a second nothing is held and the next call works",
        needs: .storing,
        counts: Counts(quick: 20, full: 200)
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        let all = pattern(300_000)
        try subject.put(key, all)
        _ = try subject.get(key)
        let (descriptors, threads) = (trial.openDescriptors(), trial.runningThreads())
        for round in 0..<trial.count {
            let cancellation = Cancellation()
            let reader = try subject.openRead(key, cancellation: cancellation)
            _ = try reader.read(1 + round * 1000, cancellation: cancellation)
            if round % 2 == 0 {
                cancellation.cancel()
                let code = subject.code { _ = try reader.read(100, cancellation: cancellation) }
                try expectCode(code, COFFER_OK, COFFER_E_CANCELLED, in: "read after cancel")
            }
            let start = now()
            reader.close()
            try expect(now() - start < 1, "read_close within a second", got: "\(now() - start) s")
        }
        try expectBytes(try subject.get(key), all, "the object afterwards")
        try expect(
            trial.openDescriptors() <= descriptors,
            "\(descriptors) descriptors",
            got: "\(trial.openDescriptors())"
        )
        try expect(trial.runningThreads() <= threads + 1, "\(threads) threads", got: "\(trial.runningThreads())")
    }

    static let pinnedReader = ConformanceCase(
        39,
        "a-slow-reader-sees-one-version",
        "given an object overwritten and removed during a slow read, then all of the old one, or changed; no mixture",
        grade: .hangsOn(.pinned),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let old = pattern(200_000, seed: 1)
        for (name, disturb) in [
            ("longer", { try subject.put($0, pattern(300_000, seed: 2)) }),
            ("same", { try subject.put($0, pattern(200_000, seed: 3)) }),
            ("shorter", { try subject.put($0, pattern(5, seed: 4)) }),
            ("gone", { if subject.has(.remove) { try subject.remove($0) } }),
        ] as [(String, (Name) throws -> Void)] {
            let key = trial.key(name)
            try subject.put(key, old)
            let reader = try subject.openRead(key)
            defer { reader.close() }
            var got = try reader.read(1000)
            try disturb(key)
            let code = subject.code { got += try reader.rest(7000) }
            try expectCode(code, COFFER_OK, COFFER_E_CHANGED, in: "the rest of a read, its object being \(name)")
            if code == COFFER_OK { try expectBytes(got, old, "the old object, its key being \(name)") }
        }
    }

    static let encodedBytes = ConformanceCase(
        43,
        "encoded-content-is-not-decoded",
        "given bytes with content-encoding gzip, then the stored bytes come back, as many as the size says",
        grade: .hangsOn(.contentProps),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("page.gz")
        let zipped: [UInt8] = [
            0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, 0x86, 0xa6, 0x10, 0x36, 5, 0, 0, 0,
        ]
        let options = WriteOptions(size: Int64(zipped.count), properties: [("content-encoding", "gzip")])
        try subject.put(key, zipped, options)
        try expectBytes(try subject.get(key), zipped, "the object")
        let entry = try subject.look(key)
        try expectEqual(entry.size, Int64(zipped.count), "size")
        try expectEqual(entry.properties["content-encoding"], "gzip", "content-encoding")
    }
}
