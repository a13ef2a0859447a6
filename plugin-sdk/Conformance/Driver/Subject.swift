import CCofferPlugin

/// An open instance of the plugin under test, and its calls with Swift values.
///
/// Unchecked because plugins are called from any thread; cases keep to what the plugin declares in `threads`.
final class Subject: @unchecked Sendable {
    let plugin: UnsafePointer<coffer_plugin>
    let ops: coffer_ops
    let instance: OpaquePointer
    let native: Capabilities
    /// Conditions that the plugin does not vouch for: refused like what is none, unless a call says otherwise.
    let unproven: Capabilities
    let result: coffer_open_result
    let steps: Steps
    unowned let trial: Trial
    private let record: InstanceRecord
    private let isClosed = Guarded(false)

    /// Opens with the options of the trial, or with others.
    init(_ trial: Trial, options: [(Name, Name)]? = nil) throws {
        self.trial = trial
        plugin = trial.plugin
        steps = trial.steps
        guard let table = plugin.pointee.ops else {
            throw Mismatch(expected: "an operations table", got: "NULL", line: 0)
        }
        ops = copied(table)
        record = InstanceRecord(options: options ?? trial.options())
        let arena = Arena()
        var arguments = coffer_open_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_open_args>.size)
        arguments.host_instance = Unmanaged.passUnretained(record).toOpaque()
        arguments.name = arena.string("conformance")
        arguments.n_options = record.options.count
        arguments.options = arena.pairs(record.options)
        let place = arena.place(arguments)
        var answer = coffer_open_result()
        answer.struct_size = UInt32(MemoryLayout<coffer_open_result>.size)
        let open = ops.open
        try performCall(steps, "open") { call, error in
            withUnsafeMutablePointer(to: &answer) { open?(place, call, $0, error) ?? COFFER_E_UNSUPPORTED }
        }
        guard let made = answer.instance else {
            throw Mismatch(expected: "an instance from open", got: "NULL", line: 0)
        }
        instance = made
        native = Capabilities(rawValue: answer.native)
        unproven = Capabilities(rawValue: answer.unproven)
        result = answer
    }

    func has(_ capabilities: Capabilities) -> Bool { native.isSuperset(of: capabilities) }

    func close() {
        let first = isClosed.withLock { closed in
            defer { closed = true }
            return !closed
        }
        if first { ops.close?(instance) }
    }

    /// The status of a call instead of its error; `COFFER_OK` when it throws nothing.
    func code(_ body: () throws -> Void) -> coffer_status {
        do {
            try body()
            return COFFER_OK
        } catch let error as PluginError {
            return error.code
        } catch {
            return -1
        }
    }

    func perform(
        _ step: String,
        cancellation: Cancellation? = nil,
        _ body: (UnsafePointer<coffer_call>, UnsafeMutablePointer<coffer_error>) -> coffer_status
    ) throws {
        try performCall(steps, step, cancellation: cancellation, body)
    }

    // MARK: objects

    func readArguments(_ key: Name, _ options: ReadOptions, _ arena: Arena) -> UnsafePointer<coffer_read_args> {
        var arguments = coffer_read_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_read_args>.size)
        arguments.flags = options.flags
        arguments.key = arena.string(key)
        arguments.version = arena.string(options.version)
        arguments.if_match = arena.string(options.ifMatch)
        arguments.if_none_match = arena.string(options.ifNoneMatch)
        arguments.offset = options.offset
        arguments.length = options.length
        return UnsafePointer(arena.place(arguments))
    }

    func stat(_ key: Name, _ options: ReadOptions = ReadOptions()) throws -> Entry {
        let arena = Arena()
        let arguments = readArguments(key, options, arena)
        let collector = Collector()
        try perform("stat \(key)") { call, error in
            collector.withSink { ops.stat?(instance, call, arguments, $0, error) ?? COFFER_E_UNSUPPORTED }
        }
        return try single(collector, "stat")
    }

    /// The object's entry, by stat or, where the store cannot, by opening it.
    func look(_ key: Name) throws -> Entry {
        if has(.stat) { return try stat(key) }
        let reader = try openRead(key)
        defer { reader.close() }
        return reader.entry
    }

    /// Whether the key holds an object.
    func exists(_ key: Name) throws -> Bool {
        do {
            _ = try look(key)
            return true
        } catch let error as PluginError where error.code == COFFER_E_NOT_FOUND {
            return false
        }
    }

    func remove(_ key: Name, _ options: ReadOptions = ReadOptions(), quiet: Bool = false) throws {
        let arena = Arena()
        let arguments = readArguments(key, options, arena)
        try performCall(steps, quiet ? "" : "remove \(key)") { call, error in
            ops.remove?(instance, call, arguments, error) ?? COFFER_E_UNSUPPORTED
        }
    }

    func single(_ collector: Collector, _ what: String, line: Int = #line) throws -> Entry {
        guard collector.entries.count == 1, let entry = collector.entries.first else {
            throw Mismatch(expected: "one entry from \(what)", got: "\(collector.entries.count)", line: line)
        }
        try expect(entry.isWhole, "struct_size of an entry to cover its fields", got: "less", line: line)
        return entry
    }

    func copy(_ from: Name, _ to: Name, _ options: CopyOptions = CopyOptions()) throws -> Entry {
        try copyOrMove("copy", ops.copy, from, to, options)
    }

    func move(_ from: Name, _ to: Name, _ options: CopyOptions = CopyOptions(), cancellation: Cancellation? = nil)
        throws -> Entry
    {
        try copyOrMove("move", ops.move, from, to, options, cancellation: cancellation)
    }

    private func copyOrMove(
        _ verb: String,
        _ function: (
            (
                OpaquePointer?, UnsafePointer<coffer_call>?, UnsafePointer<coffer_copy_args>?,
                UnsafePointer<coffer_sink>?, UnsafeMutablePointer<coffer_error>?
            ) -> coffer_status
        )?,
        _ from: Name,
        _ to: Name,
        _ options: CopyOptions,
        cancellation: Cancellation? = nil
    ) throws -> Entry {
        let arena = Arena()
        var arguments = coffer_copy_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_copy_args>.size)
        arguments.from = arena.string(from)
        arguments.source_if_match = arena.string(options.sourceIfMatch)
        arguments.to = arena.string(to)
        arguments.if_match = arena.string(options.ifMatch)
        arguments.if_none_match = arena.string(options.ifNoneMatch)
        arguments.attempt = arena.string(attempt())
        arguments.meta_mode = options.replacesMeta ? COFFER_META_REPLACE : COFFER_META_KEEP
        arguments.n_props = options.properties.count
        arguments.props = arena.pairs(options.properties)
        arguments.n_meta = options.metadata.count
        arguments.meta = arena.pairs(options.metadata)
        let place = arena.place(arguments)
        let collector = Collector()
        trial.willWrite(to)
        try perform("\(verb) \(from) to \(to)", cancellation: cancellation) { call, error in
            collector.withSink { function?(instance, call, place, $0, error) ?? COFFER_E_UNSUPPORTED }
        }
        return try single(collector, verb)
    }
}

/// The operations table up to the plugin's own size; what lies past it stays NULL.
func copied(_ table: UnsafePointer<coffer_ops>) -> coffer_ops {
    var ops = coffer_ops()
    let size = min(Int(table.pointee.struct_size), MemoryLayout<coffer_ops>.size)
    withUnsafeMutableBytes(of: &ops) {
        $0.copyMemory(from: UnsafeRawBufferPointer(start: table, count: size))
    }
    return ops
}

/// A token that no other attempt has.
func attempt() -> Name {
    Name("at-" + String(UInt64.random(in: 0...UInt64.max), radix: 36))
}

/// Makes one call with its deadline and error struct, notes it, and throws what it answers.
func performCall(
    _ steps: Steps,
    _ step: String,
    cancellation: Cancellation? = nil,
    _ body: (UnsafePointer<coffer_call>, UnsafeMutablePointer<coffer_error>) -> coffer_status
) throws {
    var call = coffer_call()
    call.struct_size = UInt32(MemoryLayout<coffer_call>.size)
    call.deadline_ns = monotonicNanoseconds() + 30_000_000_000
    var error = coffer_error()
    error.struct_size = UInt32(MemoryLayout<coffer_error>.size)
    let failure: PluginError? = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { message in
        error.message = message.baseAddress
        error.message_cap = 256
        let status = (cancellation ?? Cancellation()).withToken { token in
            call.token = token
            return body(&call, &error)
        }
        guard status != COFFER_OK else { return nil }
        let text = UnsafeRawBufferPointer(message).prefix(Int(min(error.message_len, 256)))
        return PluginError(
            code: status,
            inner: error.code,
            flags: error.flags,
            message: String(decoding: text, as: UTF8.self)
        )
    }
    if !step.isEmpty { steps.note(step + (failure.map { " → " + $0.description } ?? "")) }
    if let failure { throw failure }
}
