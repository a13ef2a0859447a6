// Names and values, and checksums, packed so that passing them on costs no work.

/// Names and values in order: properties, user metadata, labels.
///
/// All of them lie in one array, so that keeping and passing on a set costs one reference. Values are bytes underneath.
public struct Properties: Sendable, Hashable, Sequence, ExpressibleByDictionaryLiteral {
    /// The packed bytes.
    var packed: PackedPairs

    init(packed: PackedPairs) { self.packed = packed }

    /// No names.
    public init() { packed = PackedPairs() }

    /// The pairs of a literal.
    public init(dictionaryLiteral elements: (String, String)...) {
        packed = PackedPairs()
        for (name, value) in elements { packed.append(Array(name.utf8), Array(value.utf8)) }
    }

    /// Whether there are no names.
    public var isEmpty: Bool { packed.isEmpty }

    /// How many names there are.
    public var count: Int { packed.count }

    /// The bytes of all names and values together.
    public var byteCount: Int { packed.byteCount }

    /// The value of a name, or nil; setting nil removes the name.
    public subscript(name: String) -> String? {
        get {
            let wanted = Array(name.utf8)
            for pair in packed where pair.name.elementsEqual(wanted) {
                return String(decoding: pair.value, as: UTF8.self)
            }
            return nil
        }
        set {
            let wanted = Array(name.utf8)
            var next = PackedPairs()
            var placed = false
            for pair in packed {
                guard pair.name.elementsEqual(wanted) else {
                    next.append(pair.name, pair.value)
                    continue
                }
                if let newValue, !placed { next.append(wanted, Array(newValue.utf8)) }
                placed = true
            }
            if let newValue, !placed { next.append(wanted, Array(newValue.utf8)) }
            packed = next
        }
    }

    /// Walks the names and values in order.
    public func makeIterator() -> AnyIterator<(name: String, value: String)> {
        var pairs = packed.makeIterator()
        return AnyIterator {
            pairs.next().map {
                (name: String(decoding: $0.name, as: UTF8.self), value: String(decoding: $0.value, as: UTF8.self))
            }
        }
    }
}

/// A digest of an object's bytes.
public struct Checksum: Sendable, Hashable {
    /// `sha256`, `crc32c`, `md5` and so on.
    public var algorithm: String
    /// Lower-case hexadecimal, most significant byte first.
    public var value: String
    /// Whether it is a digest of the parts' digests, not of the bytes.
    public var isComposite: Bool

    /// A digest.
    public init(algorithm: String, value: String, isComposite: Bool = false) {
        self.algorithm = algorithm
        self.value = value
        self.isComposite = isComposite
    }
}

/// Digests in order, packed like `Properties`.
public struct Checksums: Sendable, Hashable, Sequence, ExpressibleByArrayLiteral {
    /// The packed bytes; the tag holds the flags.
    var packed: PackedPairs

    init(packed: PackedPairs) { self.packed = packed }

    /// No digests.
    public init() { packed = PackedPairs() }

    /// The digests of a literal.
    public init(arrayLiteral elements: Checksum...) {
        packed = PackedPairs()
        for element in elements { append(element) }
    }

    /// Whether there are no digests.
    public var isEmpty: Bool { packed.isEmpty }

    /// How many digests there are.
    public var count: Int { packed.count }

    /// Adds a digest at the end.
    public mutating func append(_ checksum: Checksum) {
        packed.append(
            Array(checksum.algorithm.utf8),
            Array(checksum.value.utf8),
            tag: checksum.isComposite ? 1 : 0
        )
    }

    /// The first digest of an algorithm, or nil.
    public subscript(algorithm: String) -> Checksum? {
        first { $0.algorithm.utf8.elementsEqual(algorithm.utf8) }
    }

    /// These digests, and those of `others` whose algorithm is not here yet.
    public func merging(_ others: Checksums) -> Checksums {
        guard !isEmpty else { return others }
        var result = self
        for other in others where self[other.algorithm] == nil { result.append(other) }
        return result
    }

    /// Walks the digests in order.
    public func makeIterator() -> AnyIterator<Checksum> {
        var pairs = packed.makeIterator()
        return AnyIterator {
            pairs.next().map {
                Checksum(
                    algorithm: String(decoding: $0.name, as: UTF8.self),
                    value: String(decoding: $0.value, as: UTF8.self),
                    isComposite: $0.tag & 1 != 0
                )
            }
        }
    }
}

/// Pairs of bytes in one array: count, then for each tag, length of the name, length of the value, name, value.
struct PackedPairs: Sendable, Hashable, Sequence {
    private(set) var bytes: [UInt8] = []

    static let headLength = 4
    static let recordHeadLength = 12

    var isEmpty: Bool { bytes.isEmpty }
    var count: Int { bytes.isEmpty ? 0 : Int(number(at: 0)) }
    var byteCount: Int { Swift.max(0, bytes.count - Self.headLength - count * Self.recordHeadLength) }

    func number(at offset: Int) -> UInt32 {
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
    }

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    mutating func append(
        _ name: some Collection<UInt8>,
        _ value: some Collection<UInt8>,
        tag: UInt32 = 0
    ) {
        if bytes.isEmpty { push(0) }
        let next = number(at: 0) + 1
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: next, toByteOffset: 0, as: UInt32.self) }
        push(tag)
        push(UInt32(name.count))
        push(UInt32(value.count))
        bytes.append(contentsOf: name)
        bytes.append(contentsOf: value)
    }

    private mutating func push(_ value: UInt32) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }

    struct Iterator: IteratorProtocol {
        let pairs: PackedPairs
        var offset = PackedPairs.headLength

        mutating func next() -> (name: ArraySlice<UInt8>, value: ArraySlice<UInt8>, tag: UInt32)? {
            guard offset < pairs.bytes.count else { return nil }
            let tag = pairs.number(at: offset)
            let name = offset + PackedPairs.recordHeadLength
            let value = name + Int(pairs.number(at: offset + 4))
            let end = value + Int(pairs.number(at: offset + 8))
            offset = end
            return (pairs.bytes[name..<value], pairs.bytes[value..<end], tag)
        }
    }

    func makeIterator() -> Iterator { Iterator(pairs: self) }
}
