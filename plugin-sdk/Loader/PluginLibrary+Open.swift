public import CCofferPlugin

extension PluginLibrary {
    /// Opens a store: options are checked against the table, defaults are filled in, and the plugin's answer is checked.
    ///
    /// - Parameters:
    ///   - storage: the operator's name for it.
    ///   - options: what the operator set.
    ///   - liveOption: reads one option afresh; nil where it has no value.
    ///   - call: the call's deadline and cancellation.
    /// - Returns: the store, open.
    /// - Throws: ``PluginError``; `COFFER_E_CONFIG` names the option that is wrong.
    public func open(
        storage: String,
        options: [(name: String, value: String)],
        liveOption: @escaping @Sendable (String) -> String? = { _ in nil },
        call: UnsafePointer<coffer_call>
    ) throws(PluginError) -> PluginInstance {
        let complete = try description.completed(options)
        let context = InstanceContext(
            storage: storage,
            options: complete,
            declared: description.options,
            liveOption: { [description] in description.fresh($0, liveOption($0)) }
        )
        var result = coffer_open_result()
        result.struct_size = UInt32(MemoryLayout<coffer_open_result>.size)
        var problem: PluginError?
        withABIPairs(storage, complete) { name, pairs in
            var arguments = coffer_open_args()
            arguments.struct_size = UInt32(MemoryLayout<coffer_open_args>.size)
            arguments.host_instance = context.pointer
            arguments.name = name
            arguments.n_options = pairs.count
            arguments.options = pairs.baseAddress
            problem = failure { error in
                lock?.lock()
                defer { lock?.unlock() }
                return operations.open?(&arguments, call, &result, error) ?? COFFER_E_UNSUPPORTED
            }
        }
        if var problem {
            problem.message = context.masked(problem.message)
            throw problem
        }
        guard let pointer = result.instance else {
            throw PluginError(PluginError.brokenRule, "open gave no instance")
        }
        let instance = PluginInstance(self, context, pointer, result)
        let undeclared = instance.native.union(instance.unproven).subtracting(description.capabilities).words
        guard undeclared.isEmpty else {
            instance.close()
            throw PluginError(
                PluginError.brokenRule,
                "open promises \(undeclared.joined(separator: ", ")), which the plugin does not declare"
            )
        }
        let misplaced = instance.unproven.subtracting(CapabilityBits.changeConditions.subtracting(instance.native))
        guard misplaced.isEmpty else {
            instance.close()
            throw PluginError(
                PluginError.brokenRule,
                "open calls unproven what is native or no condition: \(misplaced.words.joined(separator: ", "))"
            )
        }
        return instance
    }
}

/// Runs `body` with texts as the ABI wants them: pointer, length, and a NUL behind.
private func withABIPairs(
    _ name: String,
    _ pairs: [(name: String, value: String)],
    _ body: (coffer_str, UnsafeBufferPointer<coffer_kv>) -> Void
) {
    let size = pairs.reduce(name.utf8.count + 1) { $0 + $1.name.utf8.count + $1.value.utf8.count + 2 }
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { texts in
        var used = 0
        func keep(_ text: String) -> coffer_str {
            let start = used
            for byte in text.utf8 {
                texts[used] = CChar(bitPattern: byte)
                used += 1
            }
            texts[used] = 0
            used += 1
            return coffer_str(ptr: texts.baseAddress.map { UnsafePointer($0 + start) }, len: text.utf8.count)
        }
        let name = keep(name)
        let kept = pairs.map { coffer_kv(key: keep($0.name), value: keep($0.value)) }
        kept.withUnsafeBufferPointer { body(name, $0) }
    }
}
