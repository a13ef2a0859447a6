// The map from keys to objects, in byte order.

import CofferPluginSDK

/// Objects in byte order of their keys: a list of leaves, each a short sorted array.
///
/// Finding is two binary searches; inserting moves at most a leaf's worth of references, and now and then the list of
/// leaves. No leaf is empty.
struct SortedObjects {
    private static let leafSize = 256

    private final class Leaf {
        var objects: ContiguousArray<StoredObject>
        init(_ objects: ContiguousArray<StoredObject>) { self.objects = objects }
    }

    /// A place in the order; valid until the next change.
    struct Position {
        fileprivate var leaf: Int
        fileprivate var index: Int
    }

    private var leaves: ContiguousArray<Leaf> = []
    private(set) var count = 0

    /// The object under a key.
    func find(_ key: ByteString) -> StoredObject? {
        let position = first(notBefore: key)
        guard let object = self[position], object.key == key else { return nil }
        return object
    }

    /// The object at a position, or nil at the end.
    subscript(position: Position) -> StoredObject? {
        guard position.leaf < leaves.count else { return nil }
        return leaves[position.leaf].objects[position.index]
    }

    /// The position after this one.
    func next(_ position: Position) -> Position {
        if position.index + 1 < leaves[position.leaf].objects.count {
            return Position(leaf: position.leaf, index: position.index + 1)
        }
        return Position(leaf: position.leaf + 1, index: 0)
    }

    /// The first position whose key is not smaller than `key`.
    func first(notBefore key: ByteString) -> Position { first { $0.key.compare(key) >= 0 } }

    /// The first position whose key is greater than `key`.
    func first(after key: ByteString) -> Position { first { $0.key.compare(key) > 0 } }

    /// The first position for which `isReached`, which stays true once it is.
    private func first(_ isReached: (StoredObject) -> Bool) -> Position {
        // The first leaf that ends at or past the place.
        var (low, high) = (0, leaves.count)
        while low < high {
            let middle = (low + high) / 2
            let objects = leaves[middle].objects
            if isReached(objects[objects.count - 1]) { high = middle } else { low = middle + 1 }
        }
        guard low < leaves.count else { return Position(leaf: low, index: 0) }
        let objects = leaves[low].objects
        var (first, last) = (0, objects.count)
        while first < last {
            let middle = (first + last) / 2
            if isReached(objects[middle]) { last = middle } else { first = middle + 1 }
        }
        return Position(leaf: low, index: first)
    }

    /// Puts an object under its key; answers the one that was there.
    mutating func put(_ object: StoredObject) -> StoredObject? {
        guard let last = leaves.last else {
            leaves = [Leaf([object])]
            count = 1
            return nil
        }
        let position = first(notBefore: object.key)
        guard position.leaf < leaves.count else {
            // Past the end: a full last leaf stays full, so that keys that come in order pack well.
            if last.objects.count < Self.leafSize {
                last.objects.append(object)
            } else {
                leaves.append(Leaf([object]))
            }
            count += 1
            return nil
        }
        let leaf = leaves[position.leaf]
        let present = leaf.objects[position.index]
        if present.key == object.key {
            leaf.objects[position.index] = object
            return present
        }
        leaf.objects.insert(object, at: position.index)
        count += 1
        if leaf.objects.count > Self.leafSize {
            let half = leaf.objects.count / 2
            leaves.insert(Leaf(ContiguousArray(leaf.objects[half...])), at: position.leaf + 1)
            leaf.objects.removeLast(leaf.objects.count - half)
        }
        return nil
    }

    /// Takes the object under a key away; answers it.
    mutating func remove(_ key: ByteString) -> StoredObject? {
        let position = first(notBefore: key)
        guard let object = self[position], object.key == key else { return nil }
        leaves[position.leaf].objects.remove(at: position.index)
        if leaves[position.leaf].objects.isEmpty { leaves.remove(at: position.leaf) }
        count -= 1
        return object
    }
}
