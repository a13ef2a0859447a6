import CCofferPlugin
import Glibc

// Structs of other lengths, and calls from other threads.

extension ConformanceCase {
    static let shapes = [senselessArguments, otherLengths, otherThreads]

    static let otherLengths = ConformanceCase(
        111,
        "structs-of-other-lengths-are-taken",
        "given structs that are longer or shorter than this header's, then nothing past their end is read or written",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        try subject.put(key, "content")
        // Longer: a newer host. What lies past the known fields is garbage, and is left alone.
        let longer = ShapedCall(subject, extra: 64)
        try expectCode(try longer.readOpen(key), COFFER_OK, in: "read_open with longer structs")
        try expectCode(try longer.write(trial.key("longer")), COFFER_OK, in: "write_begin with longer structs")
        try expectCode(try longer.open(trial), COFFER_OK, in: "open with longer structs")
        // Shorter: no host has such, so that they are refused or read up to their end.
        for size in [0, 1, 4, 7] {
            let code = try ShapedCall(subject, argumentSize: size).readOpen(key)
            try expectCode(code, COFFER_E_INVALID_ARGUMENT, in: "read_open with arguments of \(size) bytes")
        }
        let upToTheKey = ShapedCall(subject, argumentSize: 24)
        let reading = try upToTheKey.readOpen(key)
        try expectCode(reading, COFFER_OK, COFFER_E_INVALID_ARGUMENT, in: "read_open with arguments up to the key")
        let writing = try upToTheKey.write(trial.key("shorter"))
        try expectCode(writing, COFFER_OK, COFFER_E_INVALID_ARGUMENT, in: "write_begin with arguments up to the key")
        for size in [8, 24, 32] {
            let code = try ShapedCall(subject, errorSize: size).readOpen(trial.key("absent"))
            try expectCode(code, COFFER_E_NOT_FOUND, in: "read_open with an error struct of \(size) bytes")
        }
        let opened = try ShapedCall(subject, resultSize: 32).open(trial)
        try expectCode(opened, COFFER_OK, COFFER_E_INVALID_ARGUMENT, in: "open with a result up to no_emulation")
        try expectEqual(try subject.text(key), "content", "the object afterwards")
    }

    static let otherThreads = ConformanceCase(
        115,
        "threads-may-do-what-is-declared",
        "given calls from many threads as far as the plugin declares, and streams handed on, then nothing is lost or mixed",
        needs: [.write, .read, .remove],
        counts: Counts(quick: 25, full: 500),
        seconds: 30
    ) { trial in
        let subject = try trial.subject()
        // No handle knows its thread: each step of a write and of a read comes from another one.
        let handed = trial.key("handed")
        let writer = try subject.beginWrite(handed)
        for part in 0..<4 { try onOtherThread { try writer.append(pattern(10_000, seed: part)) } }
        try onOtherThread { _ = try writer.commit() }
        try onOtherThread { writer.close() }
        let reader = try subject.openRead(handed)
        let got = Guarded<[UInt8]>([])
        // A read may answer less than was asked for; nothing at all is the end.
        let atEnd = Guarded(false)
        while !atEnd.withLock({ $0 }) {
            try onOtherThread {
                let piece = try reader.read(4000)
                got.withLock { $0 += piece }
                atEnd.withLock { $0 = piece.isEmpty }
            }
        }
        try onOtherThread { reader.close() }
        let all = (0..<4).flatMap { pattern(10_000, seed: $0) }
        try expectBytes(got.withLock { $0 }, all, "an object written and read on many threads")

        let isParallel = trial.plugin.pointee.threads == COFFER_THREADS_PARALLEL
        let workers = trial.plugin.pointee.threads == COFFER_THREADS_SERIAL_PLUGIN ? 1 : 8
        // Where an instance takes one call at a time, each worker has an instance of its own.
        let subjects = try (0..<workers).map { $0 == 0 || isParallel ? subject : try trial.open() }
        let shared = trial.key("shared")
        if isParallel { try subject.put(shared, pattern(5000, seed: 0)) }
        let rounds = trial.count
        try inParallel(workers) { worker in
            let mine = subjects[worker]
            for round in 0..<rounds {
                let key = trial.key("w\(worker)/\(round % 5)")
                let content = pattern(500 + round * 37, seed: worker * 1000 + round)
                try mine.put(key, content)
                try expectBytes(try mine.get(key), content, "the object of worker \(worker)")
                if isParallel {
                    if round % 3 == worker % 3 { try mine.put(shared, pattern(5000, seed: worker)) }
                    let seen = try mine.get(shared)
                    let isWhole = (0..<workers).contains { seen == pattern(5000, seed: $0) }
                    try expect(isWhole, "one whole object of those that were written", got: "a mixture")
                }
                if mine.has(.list) {
                    let names = try mine.list(trial.key("w\(worker)/")).map(\.key)
                    try expect(names.contains(key), "the key of worker \(worker) in its listing", got: "\(names)")
                }
                if round % 5 == 4 { try mine.remove(key) }
            }
        }
    }
}

/// Runs `body` on a thread of its own, and throws what it throws.
private func onOtherThread(_ body: () throws -> Void) throws {
    try withoutActuallyEscaping(body) { body in
        let borrowed = Borrowed(body)
        try inParallel(1) { _ in try borrowed.body() }
    }
}

/// Unchecked because the thread that it goes to ends before its lender goes on.
private struct Borrowed: @unchecked Sendable {
    let body: () throws -> Void
    init(_ body: @escaping () throws -> Void) { self.body = body }
}

/// Calls whose structs claim to be other than this header's, with guarded bytes past their end.
private struct ShapedCall {
    let subject: Subject
    var extra = 0
    /// What arguments claim to be long, if not all of it.
    var argumentSize: Int?
    var errorSize: Int?
    var resultSize: Int?

    init(
        _ subject: Subject,
        extra: Int = 0,
        argumentSize: Int? = nil,
        errorSize: Int? = nil,
        resultSize: Int? = nil
    ) {
        self.subject = subject
        self.extra = extra
        self.argumentSize = argumentSize
        self.errorSize = errorSize
        self.resultSize = resultSize
    }

    private static let guardByte: UInt8 = 0xAB

    /// A copy that claims `size` bytes; every byte past them is a guard.
    private func shaped<Struct>(_ value: Struct, size: Int?, in arena: Arena) -> UnsafeMutablePointer<Struct> {
        let place = arena.place(value, extra: extra)
        let raw = UnsafeMutableRawPointer(place)
        let whole = MemoryLayout<Struct>.size
        raw.storeBytes(of: UInt32(size ?? whole + extra), as: UInt32.self)
        if let size {
            for at in max(size, 4)..<whole { raw.storeBytes(of: Self.guardByte, toByteOffset: at, as: UInt8.self) }
        }
        return place
    }

    /// Nothing was written past the end.
    private func check<Struct>(_ place: UnsafeMutablePointer<Struct>, size: Int?, _ what: String) throws {
        let raw = UnsafeRawPointer(place)
        let whole = MemoryLayout<Struct>.size
        for at in max(size ?? whole, 4)..<(whole + extra) {
            let byte = raw.load(fromByteOffset: at, as: UInt8.self)
            try expect(byte == Self.guardByte, "no write past the end of \(what)", got: "one at byte \(at)")
        }
    }

    /// Makes a call with shaped structs and looks at the guards.
    private func perform(
        _ what: String,
        _ body: (
            Arena, UnsafeMutablePointer<coffer_call>, UnsafePointer<coffer_sink>, UnsafeMutablePointer<coffer_error>
        ) -> coffer_status
    ) throws -> coffer_status {
        let arena = Arena()
        var call = coffer_call()
        call.deadline_ns = monotonicNanoseconds() + 30_000_000_000
        var error = coffer_error()
        error.message = arena.block(64).assumingMemoryBound(to: CChar.self)
        error.message_cap = 64
        let errorPlace = shaped(error, size: errorSize, in: arena)
        let status: coffer_status = Cancellation().withToken { token in
            call.token = token
            let callPlace = shaped(call, size: nil, in: arena)
            let collector = Collector()
            return collector.withSink { sink in
                body(arena, callPlace, UnsafePointer(shaped(sink.pointee, size: nil, in: arena)), errorPlace)
            }
        }
        subject.steps.note("\(what) with other lengths → \(codeName(status))")
        try withExtendedLifetime(arena) { try check(errorPlace, size: errorSize, "coffer_error") }
        return status
    }

    func readOpen(_ key: Name) throws -> coffer_status {
        let results = Arena()
        var result = coffer_read_result()
        result.fd = -1
        let place = shaped(result, size: nil, in: results)
        let status = try perform("read_open") { arena, call, sink, error in
            var arguments = coffer_read_args()
            arguments.key = arena.string(key)
            arguments.length = -1
            let shapedArguments = shaped(arguments, size: argumentSize, in: arena)
            return subject.ops.read_open?(subject.instance, call, shapedArguments, place, sink, error)
                ?? COFFER_E_UNSUPPORTED
        }
        try withExtendedLifetime(results) {
            try check(place, size: nil, "coffer_read_result")
            if status == COFFER_OK {
                try expectEqual(place.pointee.length, 7, "length of a read with other lengths")
                if let stream = place.pointee.stream { subject.ops.read_close?(stream) }
            }
        }
        return status
    }

    func write(_ key: Name) throws -> coffer_status {
        var stream: OpaquePointer?
        let status = try perform("write_begin") { arena, call, _, error in
            var arguments = coffer_write_args()
            arguments.key = arena.string(key)
            arguments.attempt = arena.string(attempt())
            arguments.size = -1
            let place = shaped(arguments, size: argumentSize, in: arena)
            return subject.ops.write_begin?(subject.instance, call, place, &stream, error) ?? COFFER_E_UNSUPPORTED
        }
        if let stream { subject.ops.write_close?(stream) }
        return status
    }

    func open(_ trial: Trial) throws -> coffer_status {
        let record = InstanceRecord(options: trial.options())
        let results = Arena()
        let place = shaped(coffer_open_result(), size: resultSize, in: results)
        let status = try perform("open") { arena, call, _, error in
            var arguments = coffer_open_args()
            arguments.host_instance = Unmanaged.passUnretained(record).toOpaque()
            arguments.name = arena.string("conformance")
            arguments.n_options = record.options.count
            arguments.options = arena.pairs(record.options)
            let shapedArguments = shaped(arguments, size: nil, in: arena)
            return subject.ops.open?(shapedArguments, call, place, error) ?? COFFER_E_UNSUPPORTED
        }
        try withExtendedLifetime((record, results)) {
            try check(place, size: resultSize, "coffer_open_result")
            if status == COFFER_OK, let instance = place.pointee.instance { subject.ops.close?(instance) }
        }
        return status
    }
}
