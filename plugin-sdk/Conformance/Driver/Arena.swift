import CCofferPlugin

/// Memory for the arguments of one call; all of it goes with the arena.
///
/// Blocks are exactly as long as asked, so that the sanitizers see a plugin that reads past them.
final class Arena {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// Zeroed memory.
    func block(_ size: Int) -> UnsafeMutableRawPointer {
        let block = UnsafeMutableRawPointer.allocate(byteCount: max(size, 1), alignment: 16)
        block.initializeMemory(as: UInt8.self, repeating: 0, count: max(size, 1))
        blocks.append(block)
        return block
    }

    /// A string followed by a NUL that its length does not count; the empty one is NULL.
    func string(_ name: Name) -> coffer_str {
        guard !name.isEmpty else { return coffer_str(ptr: nil, len: 0) }
        let copy = block(name.bytes.count + 1)
        copy.copyMemory(from: name.bytes, byteCount: name.bytes.count)
        return coffer_str(ptr: UnsafePointer(copy.assumingMemoryBound(to: CChar.self)), len: name.bytes.count)
    }

    func pairs(_ list: [(Name, Name)]) -> UnsafePointer<coffer_kv>? {
        array(list.map { coffer_kv(key: string($0.0), value: string($0.1)) })
    }

    func digests(_ list: [Digest]) -> UnsafePointer<coffer_checksum>? {
        array(list.map { coffer_checksum(algorithm: string($0.algorithm), value: string($0.value), flags: 0) })
    }

    func array<Element>(_ list: [Element]) -> UnsafePointer<Element>? {
        guard !list.isEmpty else { return nil }
        let start = block(list.count * MemoryLayout<Element>.stride).assumingMemoryBound(to: Element.self)
        start.initialize(from: list, count: list.count)
        return UnsafePointer(start)
    }

    /// A copy of `value` with room for `extra` bytes of a future version, which are not zero.
    func place<Struct>(_ value: Struct, extra: Int = 0) -> UnsafeMutablePointer<Struct> {
        let size = MemoryLayout<Struct>.size
        let start = block(size + extra)
        for offset in size..<(size + extra) { start.storeBytes(of: 0xAB, toByteOffset: offset, as: UInt8.self) }
        let typed = start.assumingMemoryBound(to: Struct.self)
        typed.initialize(to: value)
        return typed
    }
}
