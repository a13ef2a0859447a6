// Keys below the root in byte order, from directories that are in none.

import CLocal
import CofferPluginSDK
import Glibc

/// One listing: a walk down the tree with one frame for each directory on the way.
///
/// Invariants:
/// 1. Entries come in strictly rising byte order of key or prefix, since a directory sorts as its name with a slash.
/// 2. A directory is read only if a key below it can match; names that cannot are not even kept.
/// 3. All frames together keep at most `Settings.listingBudget` bytes of names; what is more is sorted and merged through unlinked files.
/// 4. What vanishes meanwhile is skipped. What is not a plain file is none of our business.
final class Listing: ListStream {
    /// One directory on the way.
    private struct Frame {
        /// The path of the directory: empty, or with a slash at the end.
        var path: [UInt8]
        /// Open, unless so many are open below it that it was closed again.
        var directory: Descriptor?
        /// The names still to come.
        var names: SortedNames
    }

    /// At least a twentieth of the budget is gathered before it is moved to a file, however much the others hold.
    private static let leastSpill = 20
    private static let openFrames = 32

    private let store: Store
    private let prefix: [UInt8]
    private let delimiter: [UInt8]
    private let start: [UInt8]
    private let wantsMetadata: Bool
    private var frames: [Frame] = []
    private var hasBegun = false
    private var skipped: [UInt8]?
    private var last: [UInt8] = []

    /// A listing of a root.
    init(of store: Store, _ request: ListRequest) {
        self.store = store
        prefix = request.prefix.bytes
        delimiter = request.delimiter.bytes
        start = (request.token.isEmpty ? request.startAfter : request.token).bytes
        last = start
        wantsMetadata = request.wantsMetadata
    }

    func next(limit: Int, into sink: EntrySink, call: Call) throws(BackendError) -> ListPage {
        do throws(Refusal) {
            if !hasBegun {
                hasBegun = true
                try begin(call)
            }
            var sent = 0
            var turns = 0
            while sent < limit {
                turns += 1
                if turns % 256 == 0 { try pass { () throws(BackendError) in try call.check() } }
                switch try step(call) {
                case .nothing: continue
                case .end: return .end
                case .prefix(let prefix):
                    try pass { () throws(BackendError) in try sink.sendPrefix(ByteString(prefix)) }
                    last = prefix
                case .object(let key, let facts):
                    guard try pass({ () throws(BackendError) in try send(key, facts, to: sink) }) else { continue }
                    last = key
                }
                sent += 1
            }
            return .more(token: ByteString(last))
        } catch {
            if let failure { throw failure }
            throw error.error("cannot list")
        }
    }

    func close() { frames = [] }

    /// An error of the host on its way through a body that throws refusals.
    private var failure: BackendError?

    private func pass<R>(_ body: () throws(BackendError) -> R) throws(Refusal) -> R {
        do throws(BackendError) { return try body() } catch {
            failure = error
            throw Refusal(number: ECANCELED)
        }
    }

    private func send(_ key: [UInt8], _ facts: local_facts, to sink: EntrySink) throws(BackendError) -> Bool {
        guard wantsMetadata else {
            let created = facts.btime_ns == 0 ? Entry.unknownTime : facts.btime_ns
            try sink.sendObject(
                key: ByteString(key),
                size: Int64(facts.size),
                modified: facts.mtime_ns,
                created: created,
                etag: .empty
            )
            return true
        }
        guard let snapshot = try store.open(try store.settings.layout.place(of: key)) else { return false }
        try sink.send(snapshot.entry(ByteString(key)))
        return true
    }

    // MARK: The walk

    private enum Step {
        case nothing, end
        case prefix([UInt8])
        case object([UInt8], local_facts)
    }

    private func begin(_ call: Call) throws(Refusal) {
        var path: [UInt8] = []
        if let slash = prefix.lastIndex(of: UInt8(ascii: "/")) {
            path = Array(prefix[...slash])
            // No object can lie below a path that no key may have.
            guard (try? store.settings.layout.place(of: path + [UInt8(ascii: "x")])) != nil else { return }
        }
        try descend(path, call)
    }

    private func step(_ call: Call) throws(Refusal) -> Step {
        guard let index = frames.indices.last else { return .end }
        if let skipped, frames[index].path.starts(with: skipped) {
            frames.removeLast()
            return .nothing
        }
        var key = frames[index].path
        guard try frames[index].names.next(appendingTo: &key) else {
            frames.removeLast()
            return .nothing
        }
        if let skipped, key.starts(with: skipped) { return .nothing }
        let isDirectory = key.last == UInt8(ascii: "/")
        if let common = commonPrefix(of: key) {
            if !start.isEmpty && !start.lexicographicallyPrecedes(common) {
                skipped = common
                return .nothing
            }
            if isDirectory, try !hasObject(key[...], call) { return .nothing }
            skipped = common
            return .prefix(common)
        }
        if isDirectory {
            try descend(key, call)
            return .nothing
        }
        guard let facts = try facts(of: key, index), facts.isPlainFile else { return .nothing }
        return .object(key, facts)
    }

    /// The part of a key up to the first delimiter behind the prefix; nil if there is none.
    private func commonPrefix(of key: [UInt8]) -> [UInt8]? {
        guard let first = delimiter.first, key.count >= prefix.count + delimiter.count else { return nil }
        for at in prefix.count...(key.count - delimiter.count)
        where key[at] == first && key[at..<(at + delimiter.count)].elementsEqual(delimiter) {
            return Array(key[..<(at + delimiter.count)])
        }
        return nil
    }

    /// Size and time of a file in the directory of a frame; nil if it is gone.
    private func facts(of key: [UInt8], _ index: Int) throws(Refusal) -> local_facts? {
        if store.settings.layout.levels > 0 { return shardedFacts(of: key) }
        guard let directory = try open(index) else { return nil }
        var facts = local_facts.none
        let name = key[frames[index].path.count...] + [0]
        let result = withName(Array(name)) { local_facts_at(directory.number, $0, &facts) }
        if result == -ENOENT || result == -ENOTDIR { return nil }
        try Refusal.check(result)
        return facts
    }

    private func shardedFacts(of key: [UInt8]) -> local_facts? {
        // The folder on the way could be swapped for a link: only an open resolves it safely.
        guard let place = try? store.settings.layout.place(of: key),
            let file = try? store.tree.open(place.path, local_O_PATH)
        else { return nil }
        return try? file.facts()
    }

    private func open(_ index: Int) throws(Refusal) -> Descriptor? {
        if let open = frames[index].directory { return open }
        let opened = try directory(frames[index].path[...])
        frames[index].directory = opened
        return opened
    }

    /// Opens a directory by its path with a slash at the end; nil if there is none that may be walked.
    private func directory(_ path: ArraySlice<UInt8>) throws(Refusal) -> Descriptor? {
        do throws(Refusal) { return try store.tree.openDirectory(path.dropLast()) } catch {
            switch error.number {
            case ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG: return nil
            default: throw error
            }
        }
    }

    // MARK: Reading a directory

    private func descend(_ path: [UInt8], _ call: Call) throws(Refusal) {
        guard let directory = try directory(path[...]) else { return }
        var names = SortedNames()
        try gather(Directory(directory), path, into: &names, call)
        try names.finish()
        frames.append(Frame(path: path, directory: directory, names: names))
        if frames.count > Self.openFrames { frames[frames.count - 1 - Self.openFrames].directory = nil }
    }

    /// Adds the names of a directory, and of the folders that its files are spread over.
    private func gather(
        _ directory: Directory,
        _ path: [UInt8],
        into names: inout SortedNames,
        _ call: Call,
        folders: Int = 0
    ) throws(Refusal) {
        let layout = store.settings.layout
        let others = frames.reduce(0) { $0 + $1.names.weight }
        let budget = store.settings.listingBudget
        let limit = max(budget - others, budget / Self.leastSpill)
        var inside: [[UInt8]] = []
        var turns = 0
        try directory.forEach { name, kind throws(Refusal) in
            turns += 1
            if turns % 1024 == 0 { try pass { () throws(BackendError) in try call.check() } }
            guard let isDirectory = directory.isDirectory(name, kind) else { return }
            if isDirectory {
                if layout.isReserved(name, atRoot: path.isEmpty && folders == 0) {
                    if layout.levels > folders, name.starts(with: Layout.shard) { inside.append(Array(name)) }
                    return
                }
                guard folders == 0 else { return }
            } else if layout.levels != folders {
                return
            }
            guard canMatch(path, name, isDirectory: isDirectory) else { return }
            names.add(name, isDirectory: isDirectory)
            if names.weight > limit, let file = temporaryFile() { try names.spill(to: file) }
        }
        for folder in inside {
            let opened = withName(folder + [0]) {
                local_openat(directory.descriptor.number, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
            }
            guard opened >= 0 else { continue }  // Removed meanwhile, or not a directory any more.
            try gather(Directory(Descriptor(opened)), path, into: &names, call, folders: folders + 1)
        }
    }

    /// Whether a name can be, or lead to, a key that is asked for.
    private func canMatch(_ path: [UInt8], _ name: UnsafeRawBufferPointer, isDirectory: Bool) -> Bool {
        if prefix.isEmpty && start.isEmpty { return path.count + name.count <= 1024 }
        let full = path + Array(name) + (isDirectory ? [UInt8(ascii: "/")] : [])
        guard full.starts(with: prefix) || isDirectory && prefix.starts(with: full) else { return false }
        if start.isEmpty || start.lexicographicallyPrecedes(full) { return true }
        return isDirectory && start.starts(with: full)
    }

    /// Where names go that are too many for memory; nil where nothing can be written, and memory must do.
    private func temporaryFile() -> Descriptor? {
        guard let reserve = try? store.reserve() else { return nil }
        let directory = reserve.temporary.number
        if reserve.abilities.hasUnnamedFiles {
            let flags = O_RDWR | local_O_TMPFILE | O_CLOEXEC
            let result = withName([UInt8(ascii: "."), 0]) { local_openat(directory, $0, flags, 0o600) }
            return result < 0 ? nil : Descriptor(result)
        }
        let name = reserve.name(attempt: "listing")
        let result = withName(name) { local_openat(directory, $0, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
        guard result >= 0 else { return nil }
        _ = withName(name) { local_unlinkat(directory, $0, 0) }
        return Descriptor(result)
    }

    /// Whether any object lies below a directory: an empty one is no prefix of anything.
    private func hasObject(_ path: ArraySlice<UInt8>, _ call: Call) throws(Refusal) -> Bool {
        var waiting = [Array(path)]
        while let next = waiting.popLast() {
            try pass { () throws(BackendError) in try call.check() }
            guard let descriptor = try directory(next[...]) else { continue }
            let directory = Directory(descriptor)
            var found = false
            do throws(Refusal) {
                try directory.forEach { name, kind throws(Refusal) in
                    switch directory.isDirectory(name, kind) {
                    case true?: waiting.append(next + Array(name) + [UInt8(ascii: "/")])
                    case false?:
                        found = true
                        throw Refusal(number: ECANCELED)
                    case nil: break
                    }
                }
            } catch {
                guard found else { throw error }
            }
            if found { return true }
        }
        return false
    }
}
