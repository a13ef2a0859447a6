// Finding what dead sessions left, by their names and their locks, never by an object's name.

import CLocal
import CofferPluginSDK
import Glibc
import Synchronization

/// Removes what writers left that were killed: their unpublished files, their sidecars, their lock files.
struct Sweep {
    let store: Store
    let reserve: Reserve

    /// Removes what can be told to be dead.
    ///
    /// What fails is tried again by the next sweep.
    func run() {
        sweepSidecars()
        sweepFiles()
    }

    /// Removes the unpublished files and the locks of dead sessions.
    func sweepFiles() {
        var alive: [[UInt8]: Bool] = [:]
        var locks: [[UInt8]] = []
        names(in: reserve.temporary) { name in
            guard let dot = name.firstIndex(of: UInt8(ascii: ".")) else { return }
            let session = Array(name[..<dot])
            let isAlive = alive[session] ?? reserve.isAlive(session)
            alive[session] = isAlive
            guard !isAlive else { return }
            if name[(dot + 1)...].elementsEqual("lock".utf8) {
                locks.append(name)
            } else {
                _ = withName(name + [0]) { local_unlinkat(reserve.temporary.number, $0, 0) }
            }
        }
        // Last: a session is known to be dead by its lock.
        for name in locks { _ = withName(name + [0]) { local_unlinkat(reserve.temporary.number, $0, 0) } }
    }

    private func sweepSidecars() {
        guard store.hasSidecars.load(ordering: .relaxed), let directory = store.sidecars.directory() else { return }
        names(in: directory) { name in
            let name = name + [0]
            guard let sidecar = store.sidecars.read(name), !reserve.isAlive(sidecar.session), !isWanted(sidecar)
            else { return }
            _ = withName(name) { local_unlinkat(directory.number, $0, 0) }
        }
    }

    /// Whether the file that a sidecar describes still stands at one of its keys.
    private func isWanted(_ sidecar: Sidecar) -> Bool {
        for key in sidecar.keys {
            guard let place = try? store.settings.layout.place(of: key) else { continue }
            do {
                guard let found = try store.open(place) else { continue }
                if found.facts.inode == sidecar.inode || found.record?.generation == sidecar.record.generation {
                    return true
                }
            } catch {
                return true  // Nobody knows: keep it.
            }
        }
        return false
    }

    private func names(in directory: Descriptor, _ body: ([UInt8]) -> Void) {
        var names: [[UInt8]] = []
        guard let copy = try? Directory(reopening: directory) else { return }
        // A directory that cannot be read to its end is swept as far as it could be.
        try? copy.forEach { name, _ in names.append(Array(name)) }
        for name in names { body(name) }
    }
}
