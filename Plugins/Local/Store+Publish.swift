// Putting a finished file at its key, and taking one away.

import CLocal
import CofferPluginSDK
import Glibc
import Synchronization

extension Store {
    /// Publishes a sealed draft at a key, if the conditions hold; answers what stat would.
    ///
    /// `unless` is asked under the lock, before anything changes, with the token of what is there.
    func publish(
        _ draft: Draft,
        at place: Place,
        conditions: Conditions,
        call: Call,
        unless: ((ByteString?) throws(BackendError) -> Void)? = nil
    ) throws(BackendError) -> Entry {
        let key = ByteString(place.key)
        var directory: Descriptor?
        let entry = try reserve().locks.locking([place.key], call: call) { () throws(BackendError) in
            var current: Snapshot?
            if !conditions.isEmpty || unless != nil || hasSidecars.load(ordering: .relaxed) {
                current = try open(place)
            }
            try conditions.checkWrite(key, existing: current?.token)
            try unless?(current?.token)
            let isCreateOnly = conditions.ifNoneMatch == "*"
            directory = try install(draft, at: place, isCreateOnly: isCreateOnly)
            let published = try explaining("cannot look at \(place.words)") { () throws(Refusal) in
                try draft.snapshot()
            }
            draft.didPublish()
            // While the old file is open, no other gets its inode, and so the name of its sidecar.
            withExtendedLifetime(current) {
                if let old = current?.sidecar, old != published.sidecar { sidecars.remove(old) }
            }
            return published.entry(key)
        }
        if let directory { try settle(directory, at: place.parent, place) }
        sweeper.startIfDue(self)
        return entry
    }

    /// Links the draft to its key, or renames it over the plain file that is there; answers the directory.
    private func install(_ draft: Draft, at place: Place, isCreateOnly: Bool) throws(BackendError) -> Descriptor {
        do throws(Refusal) {
            // Directories may be removed, and files come and go, between two steps: then the next turn sees it.
            for _ in 0..<1000 {
                let directory = try makeParent(of: place)
                let result = try create(draft, in: directory, place.name)
                if result == 0 { return directory }
                if result == -ENOENT { continue }
                guard result == -EEXIST else { throw Refusal(number: -result) }
                if isCreateOnly { throw Refusal(number: EEXIST) }
                guard try isReplaceable(place.name, in: directory) else { continue }
                let name = try draft.giveName()
                let from = try reserveDirectory().number
                let renamed = withName(name) { from_ in
                    withName(place.name) { local_renameat(from, from_, directory.number, $0, 0) }
                }
                if renamed == 0 { return directory }
                guard renamed == -ENOENT else { throw Refusal(number: -renamed) }
            }
            throw Refusal(number: EAGAIN)
        } catch {
            throw occupied(error, place)
        }
    }

    /// Gives the draft its name in `directory`; `-EEXIST` if something is there.
    private func create(_ draft: Draft, in directory: Descriptor, _ name: [UInt8]) throws(Refusal) -> Int32 {
        guard let unpublished = draft.name else {
            return withName(name) { local_link_open(draft.file.number, directory.number, $0) }
        }
        let from = try reserveDirectory().number
        return withName(unpublished) { old in
            withName(name) { new in
                var result = local_renameat(from, old, directory.number, new, 1)
                // File systems without that flag: a link, which refuses what exists, and the old name goes.
                if result == -EINVAL || result == -ENOSYS {
                    result = local_linkat(from, old, directory.number, new)
                    if result == 0 { _ = local_unlinkat(from, old, 0) }
                }
                return result
            }
        }
    }

    private func reserveDirectory() throws(Refusal) -> Descriptor {
        // A draft exists, so the reserve is open.
        guard let reserve = try? reserve() else { throw Refusal(number: EIO) }
        return reserve.temporary
    }

    /// Opens the directory of a place, and makes what is missing of it.
    func makeParent(of place: Place) throws(Refusal) -> Descriptor {
        try tree.makeDirectory(place.parent) { path in
            if settings.isDurable { syncs.owe(path) }
        }
    }

    /// Whether a plain file is there, that may be replaced; false if nothing is there any more.
    private func isReplaceable(_ name: [UInt8], in directory: Descriptor) throws(Refusal) -> Bool {
        var facts = local_facts.none
        let result = withName(name) { local_facts_at(directory.number, $0, &facts) }
        if result == -ENOENT { return false }
        try Refusal.check(result)
        if facts.isDirectory { throw Refusal(number: EISDIR) }
        guard facts.isPlainFile else { throw Refusal(number: ENXIO) }
        return true
    }

    /// What it means that a key could not be written to.
    private func occupied(_ refusal: Refusal, _ place: Place) -> BackendError {
        switch refusal.number {
        case EEXIST: BackendError(.alreadyExists, "already exists: \(place.words)", native: EEXIST)
        case EISDIR: BackendError(.alreadyExists, "other keys lie below it: \(place.words)", native: EISDIR)
        case ENOTDIR: BackendError(.alreadyExists, "part of its path is an object: \(place.words)", native: ENOTDIR)
        case ENXIO: BackendError(.permission, "not a plain file stands there: \(place.words)", native: ENXIO)
        default: refusal.error("cannot write \(place.words)")
        }
    }

    /// Removes the object at a place, if the request allows it.
    func remove(_ request: RemoveRequest, at place: Place, call: Call) throws(BackendError) {
        // Nothing is there: answered without a trace in the root.
        if request.ifMatch.isEmpty, try !isOccupied(place) {
            _ = try request.check(existing: nil)
            return
        }
        let isRemoved = try reserve().locks.locking([place.key], call: call) { () throws(BackendError) in
            guard let current = try open(place) else { return try request.check(existing: nil) }
            guard try request.check(existing: current.token) else { return false }
            try explaining("cannot remove \(place.words)") { () throws(Refusal) in
                let directory = try tree.openDirectory(place.parent)
                try Refusal.check(withName(place.name) { local_unlinkat(directory.number, $0, 0) })
            }
            withExtendedLifetime(current) {
                if let sidecar = current.sidecar { sidecars.remove(sidecar) }
            }
            return true
        }
        if isRemoved { try settleSurvivor(of: tree.prune(place.parent), place) }
    }

    private func isOccupied(_ place: Place) throws(BackendError) -> Bool {
        do throws(Refusal) {
            let directory = try tree.openDirectory(place.parent)
            var facts = local_facts.none
            try Refusal.check(withName(place.name) { local_facts_at(directory.number, $0, &facts) })
            return true
        } catch {
            if error.number == ENOENT || error.number == ENOTDIR { return false }
            throw error.error("cannot look at \(place.words)")
        }
    }
}
