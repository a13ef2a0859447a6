// Whether a store can do what the storage's settings promise: asked before the first request, never found out by it.
import CofferModel

/// Compares what settings need with what a store has.
enum GradeCheck {
    /// Refuses settings that the store cannot keep.
    ///
    /// - Throws: ``CofferError`` with `config_invalid`, naming the setting, what is missing and the ways out.
    static func check(_ policy: StoragePolicy, _ capabilities: Capabilities, storage: String) throws(CofferError) {
        guard !policy.isReadOnly else { return }
        guard capabilities.has(.write) else { return }
        if policy.atomic == .required, !capabilities.has(.atomicReplace) {
            throw error(
                "atomic: required, but this store shows objects while they are written",
                ["atomic: best_effort to accept that"],
                storage
            )
        }
        if policy.conditions == .required {
            for capability in [Capability.createIfAbsent, .ifMatch] where !capabilities.has(capability) {
                throw error(
                    "conditions: required, but \(missing(capability, capabilities))",
                    exclusive(policy) + probe(capability, capabilities, storage) + ["conditions: auto"],
                    storage
                )
            }
        }
        if policy.onConflict != .replace, policy.conditions != .none, !capabilities.has(.createIfAbsent) {
            throw error(
                "on_conflict: \(policy.onConflict.rawValue), but \(missing(.createIfAbsent, capabilities))",
                exclusive(policy) + probe(.createIfAbsent, capabilities, storage) + [
                    "on_conflict: replace",
                    "conditions: none to look before writing, which two writers at once can defeat",
                ],
                storage
            )
        }
    }

    private static func missing(_ capability: Capability, _ capabilities: Capabilities) -> String {
        "\(capability.rawValue) is not to be had: \(capabilities[capability].reason ?? "the store cannot")"
    }

    private static func exclusive(_ policy: StoragePolicy) -> [String] {
        policy.writers == .exclusive ? [] : ["writers: exclusive if this host alone writes there"]
    }

    /// A probe, where it could prove anything.
    private static func probe(
        _ capability: Capability,
        _ capabilities: Capabilities,
        _ storage: String
    ) -> [String] {
        guard capabilities.unproven.contains(capability) else { return [] }
        return ["`coffer storages \(storage) --probe` to prove that the store keeps it"]
    }

    private static func error(_ what: String, _ waysOut: [String], _ storage: String) -> CofferError {
        CofferError(.configInvalid, "\(what); ways out: \(waysOut.joined(separator: "; "))", storage: storage)
    }
}
