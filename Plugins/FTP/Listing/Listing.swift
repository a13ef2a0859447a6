// Keys below the root in byte order, from a server that sorts by nothing, or by something else.

import CofferPluginSDK
import Glibc

/// One listing: a walk down the tree, with one frame for each directory on the way.
///
/// 1. Entries come in strictly rising byte order of key or prefix, since a directory sorts as its name with a slash.
/// 2. A directory is read whole, once, when the walk enters it, and only if a key below it can match; then its connection
///    is free again.
/// 3. All frames together keep about `budget` bytes of names; what is more lies in unlinked files.
/// 4. What vanishes meanwhile is skipped. A directory that holds no object is no prefix of anything.
final class Listing: ListStream {
    private struct Frame {
        /// The keys of a directory begin so: empty, or with a slash at the end.
        var path: [UInt8]
        var entries: SortedEntries
    }

    /// What a page is made of.
    private enum Item {
        case prefix([UInt8])
        case object([UInt8], size: Int64, modified: Int64, token: UInt64)
    }

    private static let budget = 32 << 20
    /// How many entries are gathered before they are sent: so many times are asked for together.
    private static let together = 64

    private let store: Store
    private let prefix: [UInt8]
    private let delimiter: [UInt8]
    private let start: [UInt8]
    private var frames: [Frame] = []
    private var hasBegun = false
    /// Everything that begins so was told as one prefix.
    private var told: [UInt8]?
    private var last: [UInt8]

    /// A listing of a store.
    init(_ store: Store, _ request: ListRequest) {
        self.store = store
        prefix = request.prefix.bytes
        delimiter = request.delimiter.bytes
        start = (request.token.isEmpty ? request.startAfter : request.token).bytes
        last = start
    }

    func next(limit: Int, into sink: EntrySink, call: Call) throws(BackendError) -> ListPage {
        let patience = store.patience(call)
        if !hasBegun {
            hasBegun = true
            try begin(patience)
        }
        var sent = 0
        while sent < limit {
            var items: [Item] = []
            let wanted = min(limit - sent, Self.together)
            while items.count < wanted, let item = try item(patience) { items.append(item) }
            if items.isEmpty { return .end }
            try complete(&items, patience)
            for item in items { try send(item, sink) }
            sent += items.count
            if items.count < wanted { return .end }
        }
        return .more(token: ByteString(last))
    }

    func close() { frames = [] }

    private func send(_ item: Item, _ sink: EntrySink) throws(BackendError) {
        switch item {
        case .prefix(let prefix):
            try sink.sendPrefix(ByteString(prefix))
            last = prefix
        case .object(let key, let size, let modified, let token):
            let tag = store.hasTokens ? Facts.tag(token) : .empty
            try sink.sendObject(key: ByteString(key), size: size, modified: modified, etag: tag)
            last = key
        }
    }

    // MARK: Times

    /// Asks for the times of what LIST told: its own are too coarse, and in a zone that nobody knows.
    private func complete(_ items: inout [Item], _ patience: Patience) throws(BackendError) {
        guard !store.server.hasMLSD, store.server.look == .sizeAndTime else { return }
        var wanted: [(index: Int, path: [UInt8])] = []
        for (index, item) in items.enumerated() {
            guard case .object(let key, _, _, _) = item, let name = try? store.names.name(of: key) else { continue }
            wanted.append((index, store.path(name)))
        }
        guard !wanted.isEmpty else { return }
        let times = try meaning { () throws(Fault) in
            try store.pool.repeating(patience) { control throws(Fault) in
                for item in wanted { control.send(try store.command("MDTM", item.path)) }
                var times: [Int64] = []
                for _ in wanted {
                    let reply = try control.answer(patience)
                    let time = reply.code == 213 ? Timestamp.parse(Looking.word(reply)) : nil
                    times.append(time ?? Entry.unknownTime)
                }
                return times
            }
        }
        for (item, time) in zip(wanted, times) {
            guard case .object(let key, let size, _, let token) = items[item.index] else { continue }
            items[item.index] = .object(key, size: size, modified: time, token: token)
        }
    }

    // MARK: The walk

    private func begin(_ patience: Patience) throws(BackendError) {
        guard let slash = prefix.lastIndex(of: UInt8(ascii: "/")) else { return try descend([], patience) }
        let path = Array(prefix[...slash])
        // No object lies below a path that no key may have.
        guard (try? store.names.name(of: path + [UInt8(ascii: "x")])) != nil else { return }
        try descend(path, patience)
    }

    private func item(_ patience: Patience) throws(BackendError) -> Item? {
        var turns = 0
        while let index = frames.indices.last {
            turns += 1
            if turns % 256 == 0 { try meaning { () throws(Fault) in try patience.check() } }
            if let told, frames[index].path.starts(with: told) {
                frames.removeLast()
                continue
            }
            guard let entry = try frames[index].entries.take() else {
                frames.removeLast()
                continue
            }
            let key = frames[index].path + entry.name
            if let told, key.starts(with: told) { continue }
            let isDirectory = entry.name.last == UInt8(ascii: "/")
            if let common = commonPrefix(of: key) {
                guard start.isEmpty || start.lexicographicallyPrecedes(common) else {
                    told = common
                    continue
                }
                if isDirectory, try !holdsObject(key, patience) { continue }
                told = common
                return .prefix(common)
            }
            guard isDirectory else {
                return .object(key, size: entry.size, modified: entry.modified, token: entry.token)
            }
            try descend(key, patience)
        }
        return nil
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

    // MARK: Directories

    /// Reads a directory and makes a frame of it.
    private func descend(_ path: [UInt8], _ patience: Patience) throws(BackendError) {
        let others = frames.reduce(0) { $0 + $1.entries.weight }
        let limit = max(Self.budget - others, Self.budget / 16)
        let entries = try read(path, patience) { () in
            SortedEntries(limit: limit)
        } body: {
            entries,
            facts,
            segment throws(BackendError) in
            guard canMatch(path, segment, isDirectory: facts.kind == .directory) else { return true }
            try entries.add(segment, facts)
            return true
        }
        var sorted = entries
        sorted.finish()
        frames.append(Frame(path: path, entries: sorted))
    }

    /// Whether any object lies below a directory.
    private func holdsObject(_ path: [UInt8], _ patience: Patience) throws(BackendError) -> Bool {
        var waiting = [path]
        while let next = waiting.popLast() {
            let found = try read(next, patience) { () in
                (hasFile: false, inside: [[UInt8]]())
            } body: {
                found,
                facts,
                segment in
                if facts.kind == .file { found.hasFile = true } else { found.inside.append(segment) }
                return !found.hasFile
            }
            if found.hasFile { return true }
            waiting += found.inside.map { next + $0 + [UInt8(ascii: "/")] }
        }
        return false
    }

    /// Reads a directory from the beginning, again if the connection breaks; `body` answers whether it wants more.
    private func read<Result>(
        _ path: [UInt8],
        _ patience: Patience,
        _ make: () -> Result,
        body: (inout Result, Facts, [UInt8]) throws(BackendError) -> Bool
    ) throws(BackendError) -> Result {
        let name = path.isEmpty ? [] : try store.names.name(of: Array(path.dropLast()))
        return try meaning { () throws(Fault) in
            try store.pool.repeating(patience) { control throws(Fault) in
                var result = make()
                let directory = name.isEmpty ? store.server.base : store.path(name)
                try DirectoryReader(control).forEach(in: directory, patience) { facts, name throws(Fault) in
                    guard facts.kind != .other, let segment = store.names.segment(of: name),
                        !(path.isEmpty && store.names.isReserved(segment[...]))
                    else { return true }
                    return try fatal { () throws(BackendError) in try body(&result, facts, segment) }
                }
                return result
            }
        }
    }

    /// Whether a name can be, or lead to, a key that is asked for.
    private func canMatch(_ path: [UInt8], _ segment: [UInt8], isDirectory: Bool) -> Bool {
        guard path.count + segment.count <= 1024 else { return false }
        if prefix.isEmpty && start.isEmpty { return true }
        let full = path + segment + (isDirectory ? [UInt8(ascii: "/")] : [])
        guard full.starts(with: prefix) || isDirectory && prefix.starts(with: full) else { return false }
        if start.isEmpty || start.lexicographicallyPrecedes(full) { return true }
        return isDirectory && start.starts(with: full)
    }
}
