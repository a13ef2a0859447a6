// Finding what dead sessions left, by their names and their locks, never by an object's name.

import CLocal
import CofferPluginSDK
import Glibc

/// Removes what writers left that were killed: their sidecars, their unpublished files, their lock files.
///
///     sidecars ──▶ unpublished files ──▶ locks ──▶ done
///
/// 1. A step looks at as many names as one system call reads; between two steps a sweep may be given up.
/// 2. A session is known to be dead by its lock, so its lock goes last.
/// 3. A sidecar is judged and removed under the locks of the keys that it names, and read again under them: whoever
///    moves an object, or makes a file that got the same inode, writes it anew. If somebody holds such a lock now, the
///    sidecar is left to a later sweep.
/// 4. What fails is tried again by a later sweep.
final class Sweep {
    private enum Stage {
        case sidecars, files, done
    }

    private let store: Store
    private let reserve: Reserve
    private var stage = Stage.sidecars
    private var directory: Directory?
    private var alive: [[UInt8]: Bool] = [:]
    private var locks: [[UInt8]] = []
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 10, alignment: 16)

    /// A sweep from the beginning.
    init(_ store: Store, _ reserve: Reserve) {
        self.store = store
        self.reserve = reserve
    }

    deinit { buffer.deallocate() }

    /// Goes one step; false at the end.
    func step() -> Bool {
        switch stage {
        case .sidecars:
            if let names = names(store.sidecars.directory()) {
                for name in names { judge(sidecar: name + [0]) }
            } else {
                enter(.files)
            }
        case .files:
            if let names = names(reserve.temporary) {
                for name in names { judge(file: name) }
            } else {
                for name in locks { _ = withName(name + [0]) { local_unlinkat(reserve.temporary.number, $0, 0) } }
                enter(.done)
            }
        case .done: break
        }
        return stage != .done
    }

    private func enter(_ next: Stage) {
        stage = next
        directory = nil
    }

    /// The names of one step; nil at the end of the directory, or where it cannot be read.
    private func names(_ source: @autoclosure () -> Descriptor?) -> [[UInt8]]? {
        if directory == nil, let source = source() { directory = try? Directory(reopening: source) }
        guard let directory else { return nil }
        var names: [[UInt8]] = []
        guard (try? directory.forSome(buffer, { name, _ in names.append(Array(name)) })) == true else { return nil }
        return names
    }

    private func isAlive(_ session: [UInt8]) -> Bool {
        if let known = alive[session] { return known }
        let isAlive = reserve.isAlive(session)
        alive[session] = isAlive
        return isAlive
    }

    private func judge(file name: [UInt8]) {
        guard let dot = name.firstIndex(of: UInt8(ascii: ".")), !isAlive(Array(name[..<dot])) else { return }
        if name[(dot + 1)...].elementsEqual("lock".utf8) {
            locks.append(name)
        } else {
            _ = withName(name + [0]) { local_unlinkat(reserve.temporary.number, $0, 0) }
        }
    }

    private func judge(sidecar name: [UInt8]) {
        guard let seen = store.sidecars.read(name), !isAlive(seen.session) else { return }
        reserve.locks.lockingIfFree(seen.keys) {
            guard let sidecar = store.sidecars.read(name), sidecar.session == seen.session, sidecar.keys == seen.keys,
                !isWanted(sidecar)
            else { return }
            store.sidecars.remove(name)
        }
    }

    /// Whether the file that a sidecar describes still stands at one of its keys.
    private func isWanted(_ sidecar: Sidecar) -> Bool {
        for key in sidecar.keys {
            guard let place = try? store.settings.layout.place(of: key) else { continue }
            do {
                // The content is nobody's business here, and may be long.
                guard let found = try store.open(place, hashing: false) else { continue }
                if found.facts.inode == sidecar.inode || found.record?.generation == sidecar.record.generation {
                    return true
                }
            } catch {
                return true  // Nobody knows: keep it.
            }
        }
        return false
    }
}
