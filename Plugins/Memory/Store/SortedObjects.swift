// The map from keys to objects, in byte order.

import CofferPluginSDK

/// Objects in byte order of their keys: a list of leaves, each a short sorted array.
///
/// Finding is two binary searches; inserting moves at most a leaf's worth of references, and now and then the list of
/// leaves. Keys stand beside the objects, and the last key of each leaf beside the leaves: a search reads keys alone and
/// touches no object but the one it finds. No leaf is empty.
struct SortedObjects {
    private static let leafSize = 128

    private final class Leaf {
        var keys: ContiguousArray<ByteString>
        var facts: ContiguousArray<ListedFacts>
        var objects: ContiguousArray<StoredObject>

        init(_ object: StoredObject) {
            keys = [object.key]
            facts = [ListedFacts(object)]
            objects = [object]
        }

        /// The second half of a leaf that is too long.
        init(splitting leaf: Leaf) {
            let half = leaf.keys.count / 2
            keys = ContiguousArray(leaf.keys[half...])
            facts = ContiguousArray(leaf.facts[half...])
            objects = ContiguousArray(leaf.objects[half...])
            leaf.keys.removeSubrange(half...)
            leaf.facts.removeSubrange(half...)
            leaf.objects.removeSubrange(half...)
        }
    }

    /// A place in the order; valid until the next change.
    struct Position {
        fileprivate var leaf: Int
        fileprivate var index: Int
    }

    private var leaves: ContiguousArray<Leaf> = []
    private var lastKeys: ContiguousArray<ByteString> = []
    private(set) var count = 0

    /// The object under a key.
    func find(_ key: ByteString) -> StoredObject? {
        let position = first(notBefore: key)
        return holds(position, key) ? leaves[position.leaf].objects[position.index] : nil
    }

    /// The object at a position.
    subscript(position: Position) -> StoredObject { leaves[position.leaf].objects[position.index] }

    /// The key at a position, or nil at the end.
    func key(at position: Position) -> ByteString? {
        position.leaf < leaves.count ? leaves[position.leaf].keys[position.index] : nil
    }

    /// What a listing tells of the object at a position.
    func facts(at position: Position) -> ListedFacts { leaves[position.leaf].facts[position.index] }

    /// The position after this one.
    func next(_ position: Position) -> Position {
        if position.index + 1 < leaves[position.leaf].keys.count {
            return Position(leaf: position.leaf, index: position.index + 1)
        }
        return Position(leaf: position.leaf + 1, index: 0)
    }

    /// The first position whose key is not smaller than `key`.
    func first(notBefore key: ByteString) -> Position { first(key, isReachedAt: 0) }

    /// The first position whose key is greater than `key`.
    func first(after key: ByteString) -> Position { first(key, isReachedAt: 1) }

    private func holds(_ position: Position, _ key: ByteString) -> Bool {
        position.leaf < leaves.count && leaves[position.leaf].keys[position.index] == key
    }

    /// The first position whose key compares with `key` as `least` or above.
    private func first(_ key: ByteString, isReachedAt least: Int) -> Position {
        let leaf = Self.search(lastKeys, key, least)
        guard leaf < leaves.count else { return Position(leaf: leaf, index: 0) }
        return Position(leaf: leaf, index: Self.search(leaves[leaf].keys, key, least))
    }

    private static func search(_ keys: ContiguousArray<ByteString>, _ key: ByteString, _ least: Int) -> Int {
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if keys[middle].compare(key) >= least { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// Puts an object under its key; answers the one that was there.
    mutating func put(_ object: StoredObject) -> StoredObject? {
        let position = first(notBefore: object.key)
        guard position.leaf < leaves.count else {
            append(object)
            return nil
        }
        let leaf = leaves[position.leaf]
        if leaf.keys[position.index] == object.key {
            let present = leaf.objects[position.index]
            leaf.facts[position.index] = ListedFacts(object)
            leaf.objects[position.index] = object
            return present
        }
        leaf.keys.insert(object.key, at: position.index)
        leaf.facts.insert(ListedFacts(object), at: position.index)
        leaf.objects.insert(object, at: position.index)
        count += 1
        if leaf.keys.count > Self.leafSize {
            let second = Leaf(splitting: leaf)
            leaves.insert(second, at: position.leaf + 1)
            lastKeys.insert(leaf.keys[leaf.keys.count - 1], at: position.leaf)
        }
        return nil
    }

    /// Puts an object behind all others; a full last leaf stays full, so that keys that come in order pack well.
    private mutating func append(_ object: StoredObject) {
        count += 1
        guard let last = leaves.last, last.keys.count < Self.leafSize else {
            leaves.append(Leaf(object))
            lastKeys.append(object.key)
            return
        }
        last.keys.append(object.key)
        last.facts.append(ListedFacts(object))
        last.objects.append(object)
        lastKeys[lastKeys.count - 1] = object.key
    }

    /// Takes the object under a key away; answers it.
    mutating func remove(_ key: ByteString) -> StoredObject? {
        let position = first(notBefore: key)
        guard holds(position, key) else { return nil }
        let leaf = leaves[position.leaf]
        leaf.keys.remove(at: position.index)
        leaf.facts.remove(at: position.index)
        let object = leaf.objects.remove(at: position.index)
        count -= 1
        if let last = leaf.keys.last {
            lastKeys[position.leaf] = last
        } else {
            leaves.remove(at: position.leaf)
            lastKeys.remove(at: position.leaf)
        }
        return object
    }
}
