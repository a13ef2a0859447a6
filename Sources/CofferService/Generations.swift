// The current generation and its successors: one swap, seen by every request that begins after it.
package import CofferModel
package import CofferSystem
import Synchronization

/// Holds the current generation and swaps it.
///
/// Nothing waits here: who holds an old generation keeps it, and its stores close when the last holder lets go.
package final class Generations: Sendable {
    private let held: Locked<Generation>
    private let lastNumber: Atomic<Int>

    /// Begins with `first`.
    package init(_ first: Generation) {
        held = Locked(first)
        lastNumber = Atomic(first.number)
    }

    /// The generation that a request beginning now belongs to.
    package var current: Generation { held.withLock { $0 } }

    /// The number for the next generation; each is given once.
    package func nextNumber() -> Int { lastNumber.add(1, ordering: .acquiringAndReleasing).newValue }

    /// Makes `next` the current one, at once and for all requests that begin from now on.
    ///
    /// Ephemeral storages come along, unless `next` has one of the same name.
    package func swap(to next: Generation) {
        for storage in next.storages {
            if let old = try? current.storage(storage.name) { storage.inherit(from: old) }  // New ones inherit nothing.
        }
        // What is dropped is let go outside the lock, since it may close stores.
        let dropped = held.withLock { current -> Generation in
            let kept = current.storages.filter { old in
                old.isEphemeral && !next.storages.contains { $0.name.utf8.elementsEqual(old.name.utf8) }
            }
            let old = current
            current = kept.isEmpty ? next : next.with(storages: next.storages + kept)
            return old
        }
        _ = dropped
    }

    /// Adds a storage that was made at run time.
    ///
    /// - Throws: ``CofferError`` with `already_exists` where the name is taken.
    package func add(_ storage: Storage) throws(CofferError) {
        let isTaken = held.withLock { current -> Bool in
            if current.storages.contains(where: { $0.name.utf8.elementsEqual(storage.name.utf8) }) { return true }
            current = current.with(storages: current.storages + [storage])
            return false
        }
        guard !isTaken else {
            throw CofferError(.alreadyExists, "there is a storage called \(storage.name)", storage: storage.name)
        }
    }

    /// Drops a storage that was made at run time; its objects stay where they are.
    ///
    /// - Throws: ``CofferError`` with `not_found`, or `invalid_argument` for a configured one.
    package func drop(_ name: String) throws(CofferError) {
        let storage = try current.storage(name)
        guard storage.isEphemeral else {
            throw CofferError(.invalidArgument, "storage \(name) is configured: remove it from the YAML", storage: name)
        }
        let dropped = held.withLock { current -> Generation in
            let old = current
            current = current.with(storages: current.storages.filter { $0 !== storage })
            return old
        }
        _ = dropped
    }

    /// The storages of which something failed and whose time for another try has come.
    package func due(now: MonotonicTime = .now) -> [Storage] {
        current.storages.filter { storage in storage.nextTry.map { $0 <= now } ?? false }
    }
}
