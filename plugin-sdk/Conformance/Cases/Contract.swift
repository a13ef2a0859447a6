import CCofferPlugin

// What the host relies on, whatever the store is.

extension ConformanceCase {
    static let contract = [openAndClose, wrongOptions, trueDeclarations]

    static let senselessArguments = ConformanceCase(
        110,
        "senseless-arguments-are-refused",
        "given NULL, huge and misaligned arguments, then invalid_argument or invalid_key, never a crash",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        try subject.put(trial.key("k"), "x")
        for (pointer, length) in [(nil, 0), (nil, 5), ("k", Int.max), ("k", 1 << 40)] as [(StaticString?, Int)] {
            var arguments = coffer_read_args()
            arguments.struct_size = UInt32(MemoryLayout<coffer_read_args>.size)
            arguments.length = -1
            let start = pointer.map { UnsafeRawPointer($0.utf8Start).assumingMemoryBound(to: CChar.self) }
            arguments.key = coffer_str(ptr: start, len: length)
            var result = coffer_read_result()
            result.struct_size = UInt32(MemoryLayout<coffer_read_result>.size)
            let collector = Collector()
            let code = subject.code {
                try subject.perform("read_open with a key of \(length) bytes at \(pointer == nil ? "NULL" : "1 byte")")
                {
                    call,
                    error in
                    collector.withSink {
                        subject.ops.read_open?(subject.instance, call, &arguments, &result, $0, error) ?? COFFER_OK
                    }
                }
            }
            try expectCode(code, COFFER_E_INVALID_KEY, COFFER_E_INVALID_ARGUMENT, in: "read_open of a senseless key")
        }
        try everyEntryOfNothing(subject)
        let negative = subject.code { subject.drop(try subject.beginWrite(trial.key("n"), WriteOptions(size: -5))) }
        try expectCode(negative, COFFER_E_INVALID_ARGUMENT, in: "write_begin of size -5")
        // Many pairs at no address, and a message buffer that is too short.
        let nowhere = subject.code {
            let arena = Arena()
            var arguments = subject.writeArguments(trial.key("pairs"), WriteOptions(), arena)
            arguments.n_props = 3
            arguments.n_meta = Int.max
            let place = arena.place(arguments)
            var stream: OpaquePointer?
            defer { if let stream { subject.ops.write_close?(stream) } }
            try subject.perform("write_begin with pairs at NULL") { call, error in
                subject.ops.write_begin?(subject.instance, call, place, &stream, error) ?? COFFER_OK
            }
        }
        try expectCode(nowhere, COFFER_E_INVALID_ARGUMENT, COFFER_E_UNSUPPORTED, in: "write_begin with pairs at NULL")
        try shortMessages(subject, trial.key("absent"))
        try expectEqual(try subject.text(trial.key("k")), "x", "the object afterwards")
    }

    /// Every function with NULL for all that it takes: refused, or without effect where there is nothing to answer.
    private static func everyEntryOfNothing(_ subject: Subject) throws {
        let (ops, instance) = (subject.ops, subject.instance)
        for instance in [instance, nil] as [OpaquePointer?] {
            let codes: [(String, coffer_status?)] = [
                ("open", ops.open?(nil, nil, nil, nil)), ("stat", ops.stat?(instance, nil, nil, nil, nil)),
                ("read_open", ops.read_open?(instance, nil, nil, nil, nil, nil)),
                ("read", ops.read?(nil, nil, nil, 0, nil, nil)),
                ("write_begin", ops.write_begin?(instance, nil, nil, nil, nil)),
                ("write_append", ops.write_append?(nil, nil, nil, 0, nil)),
                ("write_ingest", ops.write_ingest?(nil, nil, -1, 0, 0, nil, nil)),
                ("write_commit", ops.write_commit?(nil, nil, nil, nil, nil)),
                ("remove", ops.remove?(instance, nil, nil, nil)),
                ("list_open", ops.list_open?(instance, nil, nil, nil, nil)),
                ("list_next", ops.list_next?(nil, nil, 0, nil, nil, nil)),
                ("copy", ops.copy?(instance, nil, nil, nil, nil)), ("move", ops.move?(instance, nil, nil, nil, nil)),
                ("presign", ops.presign?(instance, nil, nil, nil, nil)),
            ]
            for (name, code) in codes {
                guard let code else { continue }
                subject.steps.note("\(name) of nothing but NULL → \(codeName(code))")
                try expectCode(
                    code,
                    COFFER_E_INVALID_ARGUMENT,
                    COFFER_E_INVALID_KEY,
                    COFFER_E_UNSUPPORTED,
                    in: "\(name) of nothing but NULL"
                )
            }
        }
        try everyUploadOfNothing(subject)
        ops.close?(nil)
        ops.read_close?(nil)
        ops.write_close?(nil)
        ops.list_close?(nil)
        for code in [ops.health?(nil, nil, nil, nil), ops.remove_batch?(nil, nil, nil, 1, 0, nil, nil)] {
            guard let code else { continue }
            try expect(code != COFFER_OK, "a call without an instance to be refused", got: "ok")
        }
    }

    private static func everyUploadOfNothing(_ subject: Subject) throws {
        guard let uploads = subject.uploads else { return }
        let nothing = coffer_str(ptr: nil, len: 0)
        for instance in [subject.instance, nil] as [OpaquePointer?] {
            let codes: [(String, coffer_status?)] = [
                ("create", uploads.create?(instance, nil, nil, nil, nil)),
                ("part", uploads.part?(instance, nil, nothing, 0, -1, nil, nil)),
                ("complete", uploads.complete?(instance, nil, nothing, nil, nil, 1, 0, nil, nil)),
                ("list_parts", uploads.list_parts?(instance, nil, nothing, nil, nil)),
                ("abort", uploads.abort?(instance, nil, nothing, nil)),
            ]
            for (name, code) in codes {
                guard let code else { continue }
                try expectCode(
                    code,
                    COFFER_E_INVALID_ARGUMENT,
                    COFFER_E_INVALID_KEY,
                    COFFER_E_UNSUPPORTED,
                    COFFER_E_NOT_FOUND,
                    in: "upload \(name) of nothing but NULL"
                )
            }
        }
    }

    /// A message ends where the caller's buffer does.
    private static func shortMessages(_ subject: Subject, _ key: Name) throws {
        let arena = Arena()
        let arguments = subject.readArguments(key, ReadOptions(), arena)
        for room in [0, 1, 5] {
            var result = coffer_read_result()
            result.struct_size = UInt32(MemoryLayout<coffer_read_result>.size)
            var error = coffer_error()
            error.struct_size = UInt32(MemoryLayout<coffer_error>.size)
            let buffer = arena.block(64).assumingMemoryBound(to: CChar.self)
            buffer.update(repeating: 0x55, count: 64)
            error.message = room == 0 ? nil : buffer
            error.message_cap = UInt32(room)
            let collector = Collector()
            let code = collector.withSink { sink in
                subject.ops.read_open?(subject.instance, nil, arguments, &result, sink, &error) ?? COFFER_OK
            }
            try expectCode(
                code,
                COFFER_E_NOT_FOUND,
                COFFER_E_INVALID_ARGUMENT,
                in: "read_open of an absent key without a coffer_call"
            )
            try expect(
                error.message_len <= UInt32(room),
                "a message of at most \(room) bytes",
                got: "\(error.message_len)"
            )
            for at in room..<64 { try expectEqual(buffer[at], 0x55, "byte \(at) past a message of \(room)") }
        }
    }

    static let openAndClose = ConformanceCase(
        113,
        "opening-and-closing-leaks-nothing",
        "given many openings and closings, then descriptors and threads return to the start",
        counts: Counts(quick: 50, full: 10_000),
        seconds: 30
    ) { trial in
        for _ in 0..<5 { try Subject(trial).close() }
        let (descriptors, threads, memory) = (trial.openDescriptors(), trial.runningThreads(), trial.residentBytes())
        for _ in 0..<trial.count { try Subject(trial).close() }
        try expect(
            trial.openDescriptors() <= descriptors,
            "\(descriptors) descriptors",
            got: "\(trial.openDescriptors())"
        )
        try expect(trial.runningThreads() <= threads, "\(threads) threads", got: "\(trial.runningThreads())")
        let grown = trial.residentBytes() - memory
        try expect(grown < 32 << 20, "less than 32 MiB more", got: "\(grown >> 20) MiB")
    }

    static let wrongOptions = ConformanceCase(
        114,
        "a-wrong-option-is-named",
        "given openings without a required option, with a wrong value or an unknown one, then config names it, no secret is told, nothing is left open"
    ) { trial in
        let options = trial.factory.declared
        let given = trial.options()
        let descriptors = trial.openDescriptors()
        func expectNamed(_ option: String, _ changed: [(Name, Name)], mayOpen: Bool, _ what: String) throws {
            do {
                try Subject(trial, options: changed).close()
                try expect(mayOpen, "open \(what) to fail", got: "ok")
            } catch let error as PluginError {
                if !mayOpen { try expectCode(error.code, COFFER_E_CONFIG, in: "open \(what)") }
                if error.code == COFFER_E_CONFIG {
                    try expect(error.message.contains(option), "\(option) in the message", got: error.message)
                }
                for secret in options where secret.flags & COFFER_OPTF_SECRET != 0 {
                    let value = changed.first { $0.0 == Name(secret.name) }.map {
                        String(decoding: $0.1.bytes, as: UTF8.self)
                    }
                    if let value, !value.isEmpty {
                        try expect(!error.message.contains(value), "no secret in the message", got: "\(secret.name)")
                    }
                }
            }
        }
        for option in options {
            let name = Name(option.name)
            let others = given.filter { $0.0 != name }
            if option.flags & COFFER_OPTF_REQUIRED != 0 {
                try expectNamed(option.name, others, mayOpen: false, "without \(option.name)")
            }
            // The host checks values against the table, so that a plugin need not: but it survives them.
            for value in ["", "\u{1}", "-1", "99999999999999999999", "{", String(repeating: "x", count: 70_000)] {
                try expectNamed(
                    option.name,
                    others + [(name, Name(value))],
                    mayOpen: true,
                    "with a wrong \(option.name)"
                )
            }
        }
        try expectNamed("no_such_option", given + [("no_such_option", "x")], mayOpen: true, "with an unknown option")
        try expect(
            trial.openDescriptors() <= descriptors,
            "\(descriptors) descriptors",
            got: "\(trial.openDescriptors())"
        )
        try Subject(trial).close()
    }

    static let trueDeclarations = ConformanceCase(
        117,
        "declarations-are-true",
        "given each capability, then what is native has its function, and what is none, or unproven, is refused without effect"
    ) { trial in
        let subject = try trial.subject()
        let bound = Capabilities(rawValue: trial.plugin.pointee.caps)
        let beyond = subject.native.union(subject.unproven).subtracting(bound)
        try expect(
            beyond.isEmpty,
            "native and unproven within coffer_plugin.caps",
            got: beyond.names.joined(separator: ", ")
        )
        let misplaced = subject.unproven.subtracting(Capabilities.changeConditions.subtracting(subject.native))
        try expect(
            misplaced.isEmpty,
            "unproven to hold conditions on changes alone, and none that is native",
            got: misplaced.names.joined(separator: ", ")
        )
        // What rests on another ability is not there without it.
        let foundations: [(Capabilities, Capabilities)] = [
            (.read, [.range, .readDescriptor, .pinned, .readCondition]),
            (.write, [.ingest, .atomic, .createIfAbsent, .ifMatch, .contentType, .contentProps, .userMeta, .mtime]),
            (.remove, .removeIfMatch), (.list, [.delimiter, .startAfter, .sorted]),
            (.copy, [.copyCondition, .copyMeta]),
        ]
        for (foundation, others) in foundations where !subject.has(foundation) {
            let lost = subject.native.intersection(others).names.joined(separator: ", ")
            try expect(lost.isEmpty, "nothing that rests on \(foundation.names.joined())", got: lost)
        }
        try expect(
            !subject.has(.readOnly) || !subject.has(.write),
            "a read-only store without write",
            got: "both"
        )
        try expectEqual(try trial.open().native, subject.native, "what the same options are native for, opened again")
        let functions: [(Capabilities, Bool)] = [
            (.stat, subject.ops.stat != nil), (.read, subject.ops.read_open != nil && subject.ops.read != nil),
            (.write, subject.ops.write_begin != nil && subject.ops.write_commit != nil),
            (.ingest, subject.ops.write_ingest != nil), (.remove, subject.ops.remove != nil),
            (.removeBatch, subject.ops.remove_batch != nil), (.list, subject.ops.list_open != nil),
            (.copy, subject.ops.copy != nil), (.move, subject.ops.move != nil),
            (.presign, subject.ops.presign != nil), (.publicURL, subject.ops.public_url != nil),
            (.containers, subject.ops.container_list != nil), (.usage, subject.ops.usage != nil),
            (.resume, subject.uploads != nil),
        ]
        for (capability, isThere) in functions where subject.has(capability) {
            try expect(isThere, "a function for \(capability.names.joined())", got: "NULL")
        }
        for (capability, _) in Capabilities.abilities where !subject.has(capability) {
            _ = try Refusals.prove(capability, on: subject, in: trial)
        }
    }
}
