// Syncs of directories, shared by writers that arrive while one is running.

import CLocal
import Glibc

/// Syncs directories, one system call for all who wait for the same one.
///
///     idle ──sync──▶ running ──ends, nobody waits──▶ idle
///                     │  ▲
///      others wait ───┘  └── ends, others wait: one of them syncs for all of them
///
/// 1. A sync counts only for what was done before it began: who comes while one runs waits for the next.
/// 2. A directory that a writer made, and whose entry above is not synced yet, is owed to every writer beneath it: each
///    syncs it before it acknowledges, not only the one that made it.
final class DirectorySyncs: @unchecked Sendable {  // Everything is under the mutex.
    private struct Identity: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    /// The syncs of one directory, numbered as they begin.
    private struct Line {
        var begun = 0
        var ended = 0
        var isRunning = false
        var waiting = 0
        var failures: [Int: Int32] = [:]
    }

    private var lines: [Identity: Line] = [:]
    private var owed: [[UInt8]: Int] = [:]
    private var debts = 0
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// Nothing runs.
    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Returns when everything done in the directory before this call is on the medium.
    func sync(_ directory: Descriptor) throws(Refusal) {
        let facts = try directory.facts()
        let identity = Identity(device: facts.device, inode: facts.inode)
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        let wanted = lines[identity, default: Line()].begun + 1
        lines[identity, default: Line()].waiting += 1
        while lines[identity, default: Line()].ended < wanted {
            if lines[identity, default: Line()].isRunning {
                pthread_cond_wait(changed, mutex)
            } else {
                run(directory, identity)
            }
        }
        let result = lines[identity]?.failures[wanted] ?? 0
        lines[identity, default: Line()].waiting -= 1
        if lines[identity]?.waiting == 0 { lines[identity] = nil }
        try Refusal.check(result)
    }

    /// Syncs with the mutex released; it is held before and after.
    private func run(_ directory: Descriptor, _ identity: Identity) {
        lines[identity, default: Line()].isRunning = true
        lines[identity, default: Line()].begun += 1
        let number = lines[identity, default: Line()].begun
        pthread_mutex_unlock(mutex)
        let result = local_fsync(directory.number)
        pthread_mutex_lock(mutex)
        if result < 0 { lines[identity, default: Line()].failures[number] = result }
        lines[identity, default: Line()].isRunning = false
        lines[identity, default: Line()].ended = number
        pthread_cond_broadcast(changed)
    }

    /// Notes that a directory was made inside the one at `path`, whose sync is owed from now on.
    func owe(_ path: ArraySlice<UInt8>) {
        pthread_mutex_lock(mutex)
        debts += 1
        owed[Array(path)] = debts
        pthread_mutex_unlock(mutex)
    }

    /// Syncs what is owed above the directory at `path`, upward to the first that is not.
    func settle(above path: ArraySlice<UInt8>, in tree: Tree) throws(Refusal) {
        var path = path
        while !path.isEmpty {
            path = path[..<(path.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex)]
            pthread_mutex_lock(mutex)
            let isNothingOwed = owed.isEmpty
            let debt = isNothingOwed ? nil : owed[Array(path)]
            pthread_mutex_unlock(mutex)
            if isNothingOwed { return }
            guard let debt else { continue }
            try sync(try tree.openDirectory(path))
            pthread_mutex_lock(mutex)
            if owed[Array(path)] == debt { owed[Array(path)] = nil }
            pthread_mutex_unlock(mutex)
        }
    }
}
