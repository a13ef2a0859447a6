// One root: what all operations on it share.

import CLocal
import CofferPluginSDK
import Glibc
import Synchronization

/// One root.
///
/// What every file knows of the others:
/// 1. A file at a key is never written to. It is made without a name, filled, given its record, synced, and only then
///    linked to the key or renamed over what is there. Removing and moving change names alone.
/// 2. Every change of a name happens under the lock of the key's stripe, conditions are checked under the same lock, and
///    the version token is taken from the file after the change and before the lock is let go.
/// 3. With `isDurable`, directories are synced after the lock and before the answer.
final class Store: Sendable {
    /// How it is set.
    struct Settings: Sendable {
        /// Whether an answer means that the change is on the medium.
        var isDurable = true
        /// Whether tokens hold the content's hash.
        var isHashing = false
        /// How keys become paths.
        var layout = Layout()
        /// The mode of new files.
        var fileMode: UInt32 = 0o600
        /// The mode of new directories.
        var directoryMode: UInt32 = 0o700
        /// How many bytes of names one listing keeps in memory.
        ///
        /// Arrays grow by doubling: what is resident stays under twice this.
        var listingBudget = 20 << 20
    }

    let settings: Settings
    let tree: Tree
    let sidecars: Sidecars
    let syncs = DirectorySyncs()
    /// Whether a sidecar may exist: then whoever removes an object looks for its sidecar.
    let hasSidecars: Atomic<Bool>
    /// The type of the file system, as `statfs` says it.
    let fileSystem: Int64
    /// Whether nothing could be written when the root was opened: a read-only mount, or somebody else's directory.
    let isReadOnly: Bool
    private let opened = Guarded<Reserve?>(nil)
    private let seed = UInt64.random(in: .min ... .max)
    private let counter = Atomic<UInt64>(0)
    /// Sweeps in the background, at the open and a few times an hour after somebody's write.
    let sweeper = Sweeper()

    /// Opens a root by its descriptor.
    init(root: Descriptor, settings: Settings, hasOpenat2: Bool = Store.kernelHasOpenat2) throws(Refusal) {
        self.settings = settings
        tree = Tree(root: root, directoryMode: settings.directoryMode, hasOpenat2: hasOpenat2)
        sidecars = Sidecars(tree: tree)
        hasSidecars = Atomic(sidecars.exist)
        var space = local_space()
        try Refusal.check(local_space_of(root.number, &space))
        fileSystem = space.type
        isReadOnly = local_writable(root.number) < 0
    }

    /// Whether this kernel has `openat2` (Linux 5.6).
    static let kernelHasOpenat2: Bool = {
        let result = withName([UInt8(ascii: "."), 0]) {
            local_openat2(AT_FDCWD, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, local_RESOLVE_INSIDE)
        }
        if result >= 0 { _ = local_close(result) }
        // A sandbox that filters the call says EPERM.
        return result != -ENOSYS && result != -EPERM
    }()

    /// A generation that no version had before: random, without asking the kernel each time.
    func nextGeneration() -> UInt64 {
        let generation = mix(seed &+ counter.wrappingAdd(1, ordering: .relaxed).newValue &* 0x9e37_79b9_7f4a_7c15)
        return generation == 0 ? 1 : generation
    }

    /// The reserved directory; made with the first change, so that reading leaves no trace in a foreign root.
    func reserve() throws(BackendError) -> Reserve {
        try opened.withLock { reserve throws(BackendError) in
            if let reserve { return reserve }
            let new = try explaining("cannot use the reserved directory") { () throws(Refusal) in
                try Reserve(tree: tree, fileMode: settings.fileMode)
            }
            reserve = new
            return new
        }
    }

    /// Sweeps in the background, if anybody has ever written here: what dead sessions left in the reserved directory.
    func sweepIfReserved() {
        guard !isReadOnly, (try? tree.openDirectory(Layout.reserved[...])) != nil else { return }
        sweeper.start(self)
    }

    /// What is at a place; nil if no object is there.
    ///
    /// Hashed as the settings say, unless the caller says so.
    func open(_ place: Place, hashing: Bool? = nil) throws(BackendError) -> Snapshot? {
        do throws(Refusal) {
            // A file that was replaced between the two calls has no name any more: the new one is there by now.
            for _ in 0..<1000 {
                let file = try tree.open(place.path, O_RDONLY)
                let facts = try file.facts()
                if facts.isDirectory { return nil }
                guard facts.isPlainFile else { throw Refusal(number: ENXIO) }
                if facts.links == 0 { continue }
                return try Snapshot(file, facts, sidecars: sidecars, hashing: hashing ?? settings.isHashing)
            }
            throw Refusal(number: EAGAIN)
        } catch {
            switch error.number {
            case ENOENT, ENOTDIR: return nil
            case ENXIO, ENODEV:
                throw BackendError(.permission, "not a plain file: \(place.words)", native: error.number)
            default: throw error.error("cannot open \(place.words)")
            }
        }
    }

    /// Syncs the directory at `path`, and what is owed above it, if changes have to last.
    func settle(_ directory: Descriptor, at path: ArraySlice<UInt8>, _ place: Place) throws(BackendError) {
        guard settings.isDurable else { return }
        do throws(Refusal) {
            try syncs.sync(directory)
            try syncs.settle(above: path, in: tree)
        } catch {
            var failure = error.error("cannot sync the directory of \(place.words)")
            failure.isMaybeApplied = true
            throw failure
        }
    }

    /// Syncs the directory at `path`, or the nearest one above that still exists.
    func settleSurvivor(of path: ArraySlice<UInt8>, _ place: Place) throws(BackendError) {
        guard settings.isDurable else { return }
        var path = path
        while true {
            if let directory = try? tree.openDirectory(path) { return try settle(directory, at: path, place) }
            // Somebody else removed it too: its removal is recorded above.
            guard !path.isEmpty else { throw Refusal(number: ENOENT).error("the root is gone") }
            path = path[..<(path.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex)]
        }
    }
}
