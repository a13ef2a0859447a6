import CCofferPlugin

// What the host relies on, whatever the store is.

extension ConformanceCase {
    static let contract = [openAndClose, wrongOptions, trueDeclarations]
    static let shapes = [senselessArguments]

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
        let bare = subject.ops.read_open?(subject.instance, nil, nil, nil, nil, nil) ?? COFFER_E_INVALID_ARGUMENT
        try expectCode(bare, COFFER_E_INVALID_ARGUMENT, COFFER_E_INVALID_KEY, in: "read_open of nothing but NULL")
        let begin = subject.ops.write_begin?(subject.instance, nil, nil, nil, nil) ?? COFFER_E_INVALID_ARGUMENT
        try expectCode(begin, COFFER_E_INVALID_ARGUMENT, COFFER_E_INVALID_KEY, in: "write_begin of nothing but NULL")
        let negative = subject.code { subject.drop(try subject.beginWrite(trial.key("n"), WriteOptions(size: -5))) }
        try expectCode(negative, COFFER_E_INVALID_ARGUMENT, in: "write_begin of size -5")
        try expectEqual(try subject.text(trial.key("k")), "x", "the object afterwards")
    }

    static let openAndClose = ConformanceCase(
        113,
        "opening-and-closing-leaks-nothing",
        "given many openings and closings, then descriptors and threads return to the start",
        counts: Counts(quick: 50, full: 10_000),
        seconds: 30
    ) { trial in
        for _ in 0..<5 { try Subject(trial).close() }
        let (descriptors, threads, memory) = (openDescriptors(), runningThreads(), residentBytes())
        for _ in 0..<trial.count { try Subject(trial).close() }
        try expect(openDescriptors() <= descriptors, "\(descriptors) descriptors", got: "\(openDescriptors())")
        try expect(runningThreads() <= threads, "\(threads) threads", got: "\(runningThreads())")
        let grown = residentBytes() - memory
        try expect(grown < 32 << 20, "less than 32 MiB more", got: "\(grown >> 20) MiB")
    }

    static let wrongOptions = ConformanceCase(
        114,
        "a-missing-option-is-named",
        "given an opening without a required option, then config, and the message names it without any secret"
    ) { trial in
        let required = trial.factory.declared.filter { $0.flags & COFFER_OPTF_REQUIRED != 0 }
        if required.isEmpty { throw Skip(reason: "no option is required") }
        let given = trial.options()
        for option in required {
            do {
                try Subject(trial, options: given.filter { $0.0 != Name(option.name) }).close()
                throw Mismatch(expected: "open without \(option.name) to fail", got: "ok", line: #line)
            } catch let error as PluginError {
                try expectCode(error.code, COFFER_E_CONFIG, in: "open without \(option.name)")
                try expect(error.message.contains(option.name), "\(option.name) in the message", got: error.message)
                for secret in trial.factory.declared where secret.flags & COFFER_OPTF_SECRET != 0 {
                    let value = given.first { $0.0 == Name(secret.name) }.map {
                        String(decoding: $0.1.bytes, as: UTF8.self)
                    }
                    if let value, !value.isEmpty {
                        try expect(!error.message.contains(value), "no secret in the message", got: "\(secret.name)")
                    }
                }
            }
        }
    }

    static let trueDeclarations = ConformanceCase(
        117,
        "declarations-are-true",
        "given each capability, then what is native has its function, and what is none is refused without effect"
    ) { trial in
        let subject = try trial.subject()
        let bound = Capabilities(rawValue: trial.plugin.pointee.caps)
        let beyond = subject.native.subtracting(bound)
        try expect(beyond.isEmpty, "native within coffer_plugin.caps", got: beyond.names.joined(separator: ", "))
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
