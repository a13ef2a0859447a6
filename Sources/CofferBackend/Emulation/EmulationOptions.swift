// What the host may add to a store, and with what.
package import CofferModel

/// How far the host may stand in for a store.
package struct EmulationOptions: Sendable {
    /// The operator's word that this host alone writes here: conditions may be kept under the host's own locks.
    package var isExclusiveWriter: Bool
    /// Whether conditions on writes are refused whatever the store can.
    package var refusesConditions: Bool
    /// What the host must not stand in for, because in this store it would go wrong.
    package var mustNotEmulate: Set<Capability>
    /// How much memory one listing may take to be sorted; what is more goes to temporary files.
    package var sortMemory: Int
    /// Where those temporary files lie.
    package var spillDirectory: String
    /// Gets the work of closing the store when its last user has gone.
    package var closer: @Sendable (@escaping @Sendable () -> Void) -> Void

    package init(
        isExclusiveWriter: Bool = false,
        refusesConditions: Bool = false,
        mustNotEmulate: Set<Capability> = [],
        sortMemory: Int = 32 << 20,
        spillDirectory: String = "/tmp",
        closer: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void = { $0() }
    ) {
        self.isExclusiveWriter = isExclusiveWriter
        self.refusesConditions = refusesConditions
        self.mustNotEmulate = mustNotEmulate
        self.sortMemory = sortMemory
        self.spillDirectory = spillDirectory
        self.closer = closer
    }
}
