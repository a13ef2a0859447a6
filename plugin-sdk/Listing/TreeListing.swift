// Keys in byte order, from directories that are in none.

public import CofferPluginSDK

/// One listing: a walk down a tree with one frame for each directory on the way.
///
/// 1. Entries come in strictly rising byte order of key or prefix, since a directory sorts as its name with a slash.
/// 2. A directory is read only if a key below it can match; names that cannot are not even kept.
/// 3. All frames together keep about `budget` bytes; what is more is sorted and merged through unlinked files.
/// 4. The token of a page is the last key or prefix given: what comes and goes meanwhile disturbs nothing else.
/// 5. A directory without any object below it is no prefix.
public final class TreeListing: ListStream {
    private struct Frame {
        /// The path of the directory: empty, or with a slash at the end.
        var path: [UInt8]
        /// What is still to come.
        var items: SortedItems
        /// What came last.
        var previous: [UInt8] = []
    }

    private enum Step {
        case nothing, end
        case prefix([UInt8])
        case object(ListedObject)
    }

    /// What is sent next, in order.
    private enum Line {
        case prefix([UInt8])
        /// The next of the objects.
        case object
    }

    private static let slash = UInt8(ascii: "/")
    /// How many entries are gathered before they are sent, so that a tree can complete them together.
    private static let together = 64
    /// However much the other frames hold, a twentieth of the budget is gathered before it moves to a file.
    private static let leastShare = 20

    private let tree: any DirectoryTree
    private let budget: Int
    private let prefix: [UInt8]
    private let delimiter: [UInt8]
    private let start: [UInt8]
    private var frames: [Frame] = []
    private var hasBegun = false
    private var skipped: [UInt8]?
    private var last: [UInt8]

    /// A listing of a tree; `budget` is how many bytes of names it may keep in memory.
    public init(of tree: any DirectoryTree, _ request: ListRequest, budget: Int = 16 << 20) {
        self.tree = tree
        self.budget = budget
        prefix = request.prefix.bytes
        delimiter = request.delimiter.bytes
        start = (request.token.isEmpty ? request.startAfter : request.token).bytes
        last = start
    }

    /// Sends up to `limit` entries, then says whether there are more.
    public func next(limit: Int, into sink: EntrySink, call: Call) throws(BackendError) -> ListPage {
        if !hasBegun {
            // A prefix names the directory to begin in, up to its last slash.
            let path = prefix.lastIndex(of: Self.slash).map { Array(prefix[...$0]) } ?? []
            try descend(path, call)
            hasBegun = true
        }
        var sent = 0
        while sent < limit {
            let wanted = min(limit - sent, Self.together)
            let (lines, objects) = try gather(wanted, call)
            var next = objects.makeIterator()
            for line in lines {
                switch line {
                case .prefix(let prefix):
                    try sink.sendPrefix(ByteString(prefix))
                    last = prefix
                case .object:
                    guard let object = next.next() else { break }
                    try sink.sendObject(
                        key: ByteString(object.key),
                        size: object.size,
                        modified: object.modified,
                        etag: object.etag
                    )
                    last = object.key
                }
            }
            sent += lines.count
            if lines.count < wanted { return .end }
        }
        return .more(token: ByteString(last))
    }

    /// The next entries, fewer than wanted only at the end.
    private func gather(_ wanted: Int, _ call: Call) throws(BackendError) -> ([Line], [ListedObject]) {
        var lines: [Line] = []
        var objects: [ListedObject] = []
        var turns = 0
        gathering: while lines.count < wanted {
            turns += 1
            if turns % 256 == 0 { try call.check() }
            switch try step(call) {
            case .nothing: continue
            case .end: break gathering
            case .prefix(let prefix): lines.append(.prefix(prefix))
            case .object(let object):
                lines.append(.object)
                objects.append(object)
            }
        }
        if !objects.isEmpty { try tree.complete(&objects, call: call) }
        return (lines, objects)
    }

    /// Ends the listing.
    public func close() { frames = [] }

    private func step(_ call: Call) throws(BackendError) -> Step {
        guard let index = frames.indices.last else { return .end }
        if let skipped, frames[index].path.starts(with: skipped) {
            frames.removeLast()
            return .nothing
        }
        guard let item = try frames[index].items.take() else {
            frames.removeLast()
            return .nothing
        }
        // A directory that changes while it is read may name something twice.
        if item.name == frames[index].previous { return .nothing }
        frames[index].previous = item.name
        let key = frames[index].path + item.name
        if let skipped, key.starts(with: skipped) { return .nothing }
        let isDirectory = key.last == Self.slash
        if let common = commonPrefix(of: key) {
            if !start.isEmpty && !start.lexicographicallyPrecedes(common) {
                skipped = common
                return .nothing
            }
            if isDirectory, try !hasObject(key, call) { return .nothing }
            skipped = common
            return .prefix(common)
        }
        if isDirectory {
            try descend(key, call)
            return .nothing
        }
        return .object(ListedObject(key: key, size: item.size, modified: item.modified, etag: item.etag))
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

    private func descend(_ path: [UInt8], _ call: Call) throws(BackendError) {
        let others = frames.reduce(0) { $0 + $1.items.weight }
        let limit = max(budget - others, budget / Self.leastShare)
        var items = SortedItems()
        var turns = 0
        try tree.readDirectory(path, call: call) { item throws(BackendError) in
            turns += 1
            if turns % 1024 == 0 { try call.check() }
            if canMatch(path, item) { try items.add(item, limit: limit) }
        }
        try items.finish()
        frames.append(Frame(path: path, items: items))
    }

    /// Whether a name can be, or lead to, a key that is asked for.
    private func canMatch(_ path: [UInt8], _ item: DirectoryItem) -> Bool {
        guard path.count + item.name.count <= 1024 else { return false }
        if prefix.isEmpty && start.isEmpty { return true }
        let full = path + item.name + (item.isDirectory ? [Self.slash] : [])
        guard full.starts(with: prefix) || item.isDirectory && prefix.starts(with: full) else { return false }
        if start.isEmpty || start.lexicographicallyPrecedes(full) { return true }
        return item.isDirectory && start.starts(with: full)
    }

    /// Whether any object lies below a directory.
    private func hasObject(_ path: [UInt8], _ call: Call) throws(BackendError) -> Bool {
        var waiting = [path]
        while let next = waiting.popLast() {
            try call.check()
            var isFound = false
            var inside: [[UInt8]] = []
            do throws(BackendError) {
                try tree.readDirectory(next, call: call) { item throws(BackendError) in
                    guard item.isDirectory else {
                        isFound = true
                        throw BackendError(.cancelled, "an object is found")
                    }
                    inside.append(next + item.name + [Self.slash])
                }
            } catch {
                if !isFound { throw error }
            }
            if isFound { return true }
            waiting += inside
        }
        return false
    }
}
