// The three-valued table: what a store does itself, what the host does for it, and why the rest is not there.
import CofferModel

extension Capabilities {
    /// The grades of a store that declares `self`, with the host on top of it.
    func emulated(_ options: EmulationOptions) -> Capabilities {
        var result = Capabilities(facts: facts, unproven: unproven)
        for capability in Capability.allCases {
            if self[capability].grade == .native, !(options.refusesConditions && capability.isWriteCondition) {
                result[capability] = Entry(.native)
            } else {
                result[capability] = entry(capability, options)
            }
        }
        return result
    }

    /// The entry of a capability that the store does not have, or may not use.
    private func entry(_ capability: Capability, _ options: EmulationOptions) -> Entry {
        if capability.isWriteCondition, options.refusesConditions {
            return Entry(.none, reason: "switched off by conditions: none")
        }
        guard !options.mustNotEmulate.contains(capability) else {
            return Entry(.none, reason: "the store cannot, and says that the host must not stand in for it")
        }
        let reads = self[.read].grade == .native
        let writes = self[.write].grade == .native
        let removes = self[.remove].grade == .native
        let lists = self[.list].grade == .native
        switch capability {
        case .stat: return emulated(if: reads, "the host opens the object and reads nothing", "the store cannot read")
        case .readRange: return emulated(if: reads, "the host skips to the range", "the store cannot read")
        case .readCondition:
            return emulated(if: reads, "the host compares the token of what it opened", "the store cannot read")
        case .writeIngest:
            return emulated(if: writes, "the host reads the file and appends it", "the store cannot write")
        case .createIfAbsent, .ifMatch: return underLock(capability, if: writes, options)
        case .removeIfMatch: return underLock(capability, if: removes, options)
        case .copyCondition: return copyCondition(options, canStream: reads && writes)
        case .removeBatch:
            return emulated(if: removes, "the host removes one after the other", "the store cannot remove")
        case .listDelimiter: return emulated(if: lists, "the host groups the keys", "the store cannot list")
        case .listAfter: return emulated(if: lists, "the host skips what comes before", "the store cannot list")
        case .listSorted: return emulated(if: lists, "the host sorts the listing", "the store cannot list")
        case .copy:
            return emulated(if: reads && writes, "the host reads the source and writes the target", "the store cannot")
        case .move:
            let copies = self[.copy].grade == .native || (reads && writes)
            return emulated(
                if: copies && removes,
                "the host copies, verifies and removes the source",
                "the store cannot"
            )
        case .readPinned:
            return Entry(.none, reason: "the store gives no stable view, a reader may be told that the object changed")
        case .atomicReplace: return Entry(.none, reason: "the store shows objects while they are written")
        case .checksum: return Entry(.none, reason: "the store keeps no digest; a write still returns the host's")
        case .readDescriptor: return Entry(.none, reason: "the store keeps no plain files")
        default: return Entry(.none, reason: "the store cannot")
        }
    }

    private func emulated(if isPossible: Bool, _ how: String, _ whyNot: String) -> Entry {
        isPossible ? Entry(.emulated, reason: how) : Entry(.none, reason: whyNot)
    }

    private func underLock(_ capability: Capability, if isPossible: Bool, _ options: EmulationOptions) -> Entry {
        guard isPossible, self[.read].grade == .native || self[.stat].grade == .native else {
            return Entry(.none, reason: "the store cannot")
        }
        guard options.isExclusiveWriter else {
            let store =
                unproven.contains(capability)
                ? "nobody has proven yet that the store keeps it, which a probe can" : "the store cannot"
            return Entry(.none, reason: "\(store), and the host may only with writers: exclusive")
        }
        return Entry(.emulated, reason: "kept under the host's own lock, as writers: exclusive allows")
    }

    private func copyCondition(_ options: EmulationOptions, canStream: Bool) -> Entry {
        if self[.createIfAbsent].grade == .native, self[.ifMatch].grade == .native, canStream {
            return Entry(
                .emulated,
                reason: "a conditional copy is read and written by the host, whose writes are conditional"
            )
        }
        return underLock(.copyCondition, if: canStream, options)
    }
}

extension Capability {
    /// Whether this is a condition on a change.
    var isWriteCondition: Bool {
        switch self {
        case .createIfAbsent, .ifMatch, .removeIfMatch, .copyCondition: true
        default: false
        }
    }
}
