import CofferBackend
import CofferModel
import CofferSystem

/// The opened stores, shared by the generations that use them.
///
/// A storage whose backend and options are the same after a switch keeps its instance: its connections, the locks under
/// which the host keeps conditions, and what a `memory` storage holds. The pool itself keeps nothing alive.
final class InstancePool: Sendable {
    /// What makes two storages share an instance.
    struct Identity: Hashable {
        var storage: String
        var backend: String
        /// The plugin's file: a configuration may name another one for the same backend.
        var library: String
        var options: [String: String]
        var isExclusiveWriter: Bool
        var refusesConditions: Bool
    }

    private struct Slot {
        weak var instance: EmulatedBackend?
    }

    private let slots = Locked<[Identity: Slot]>([:])

    /// The instance of `identity`, opened by `open` if nobody has it open.
    func instance(
        _ identity: Identity,
        open: () throws(CofferError) -> EmulatedBackend
    ) throws(CofferError) -> EmulatedBackend {
        if let open = slots.withLock({ $0[identity]?.instance }) { return open }
        let instance = try open()
        slots.withLock { slots in
            slots = slots.filter { $0.value.instance != nil }
            slots[identity] = Slot(instance: instance)
        }
        return instance
    }

    /// How many instances are open.
    var count: Int { slots.withLock { slots in slots.values.count { $0.instance != nil } } }
}
