// Listing a page at a time: the lock is held for a few hundred objects, and the place is kept as a key.

package import CofferPluginSDK

extension MemoryStore {
    package func openList(_ request: ListRequest) -> any ListStream { MemoryListStream(request, in: self) }

    /// All of a listing at once, for a store that pretends not to be sorted.
    package func listAll(_ request: ListRequest) -> [Entry] {
        let listing = MemoryListStream(request, in: self, tellsAll: true)
        var all: [Entry] = []
        while !listing.isAtEnd { all.append(contentsOf: listing.nextEntries()) }
        return all
    }
}

/// One listing; inserts and removals between pages disturb nothing else.
final class MemoryListStream: ListStream {
    private enum Item {
        case line(ByteString, ListedFacts)
        case object(StoredObject)
        case prefix(ByteString)
    }

    /// How many objects are looked at under one hold of the lock.
    private static let slice = 512

    private let store: MemoryStore
    private let request: ListRequest
    private let tellsAll: Bool
    private var last: ByteString
    private var items: [Item] = []
    fileprivate private(set) var isAtEnd = false

    init(_ request: ListRequest, in store: MemoryStore, tellsAll: Bool = false) {
        self.request = request
        self.store = store
        self.tellsAll = tellsAll || request.wantsMetadata
        // An entry's own bytes are its token: what follows is strictly greater than the last one given.
        last = request.token.isEmpty ? request.startAfter : request.token
        items.reserveCapacity(Self.slice)
    }

    func next(limit: Int, into sink: EntrySink, call: Call) throws(BackendError) -> ListPage {
        var left = limit
        var tag = store.tags.start
        while left > 0 && !isAtEnd {
            try call.check()
            store.lock.reading { gather(min(left, Self.slice)) }
            for item in items {
                switch item {
                case .prefix(let prefix):
                    try sink.sendPrefix(prefix)
                case .object(let object):
                    try sink.send(store.tags.entry(of: object))
                case .line(let key, let facts):
                    store.tags.end(&tag, generation: facts.generation)
                    try sink.sendObject(
                        key: key,
                        size: Int64(facts.size),
                        modified: facts.modified,
                        created: facts.created,
                        etag: ByteString(tag)
                    )
                }
            }
            left -= items.count
            moveOn()
        }
        items.removeAll(keepingCapacity: true)
        return isAtEnd ? .end : .more(token: last)
    }

    func close() { items = [] }

    /// One slice as entries with all that is known.
    fileprivate func nextEntries() -> [Entry] {
        store.lock.reading { gather(Self.slice) }
        moveOn()
        return items.map { item in
            switch item {
            case .prefix(let prefix), .line(let prefix, _): Entry(prefix, kind: .prefix)
            case .object(let object): store.tags.entry(of: object)
            }
        }
    }

    private func moveOn() {
        switch items.last {
        case .prefix(let key), .line(let key, _): last = key
        case .object(let object): last = object.key
        case nil: break
        }
    }

    /// Under the lock: up to `limit` items that follow `last`.
    private func gather(_ limit: Int) {
        items.removeAll(keepingCapacity: true)
        var position =
            last < request.prefix
            ? store.objects.first(notBefore: request.prefix) : store.objects.first(after: last)
        while true {
            guard let key = store.objects.key(at: position), key.hasPrefix(request.prefix) else {
                isAtEnd = true
                return
            }
            guard let prefix = commonPrefix(of: key) else {
                if items.count == limit { return }
                items.append(
                    tellsAll ? .object(store.objects[position]) : .line(key, store.objects.facts(at: position))
                )
                position = store.objects.next(position)
                continue
            }
            if prefix > last {
                if items.count == limit { return }
                items.append(.prefix(prefix))
            }
            // Past everything that starts with it, without looking at any of it.
            guard let successor = prefix.successor else {
                isAtEnd = true
                return
            }
            position = store.objects.first(notBefore: successor)
        }
    }

    /// The part of a key up to the first delimiter behind the prefix.
    private func commonPrefix(of key: ByteString) -> ByteString? {
        let delimiter = request.delimiter.bytes
        guard let first = delimiter.first else { return nil }
        var at = request.prefix.count
        while at + delimiter.count <= key.count {
            if key.bytes[at] == first && key.bytes[at..<at + delimiter.count].elementsEqual(delimiter) {
                return ByteString(Array(key.bytes[..<(at + delimiter.count)]))
            }
            at += 1
        }
        return nil
    }
}

extension ByteString {
    /// The smallest bytes that are greater than everything that starts with these; nil if there are none.
    fileprivate var successor: ByteString? {
        var next = bytes
        while let byte = next.popLast() {
            if byte < 255 {
                next.append(byte + 1)
                return ByteString(next)
            }
        }
        return nil
    }
}
