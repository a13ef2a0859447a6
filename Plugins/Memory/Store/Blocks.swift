// The bytes of objects: blocks that are filled once and then shared by every reader.

import Glibc

/// A stretch of memory that one writer fills and many readers then share.
// Unchecked because `count` and the bytes change only before the commit that publishes the block under the store's lock.
final class Block: @unchecked Sendable {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    /// Nil if there is no memory.
    init?(capacity: Int) {
        guard let base = malloc(max(1, capacity)) else { return nil }
        self.base = base
        self.capacity = capacity
    }

    deinit { free(base) }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// The room that is left; `grow` says how much of it has been filled.
    var room: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base + count, count: capacity - count)
    }

    func grow(by filled: Int) { count += filled }

    /// Gives back the room that was not needed.
    func seal() {
        guard count < capacity, let smaller = realloc(base, max(1, count)) else { return }
        base = smaller
        capacity = count
    }
}

/// The bytes of one object, in order.
struct Blocks: Sendable {
    /// Large objects come in blocks of this size, so that no allocation is huge.
    static let largest = 1 << 20
    private static let smallest = 4096

    private var blocks: [Block] = []
    private(set) var count = 0

    /// A block with room for at least a byte: the last one, or a new one that suits what is still to come.
    mutating func roomy(expecting more: Int?) -> Block? {
        if let last = blocks.last, !last.room.isEmpty { return last }
        let wanted = more ?? max(Self.smallest, count)
        guard let block = Block(capacity: min(Self.largest, max(1, wanted))) else { return nil }
        blocks.append(block)
        return block
    }

    mutating func grow(_ block: Block, by filled: Int) {
        block.grow(by: filled)
        count += filled
    }

    func seal() { blocks.last?.seal() }

    /// Puts the bytes of `more` behind these; nobody fills either any more.
    mutating func join(_ more: Blocks) {
        blocks += more.blocks
        count += more.count
    }

    /// Walks the bytes from an offset.
    struct Cursor {
        private let blocks: [Block]
        private var block = 0
        private var offset: Int

        init(_ all: Blocks, at start: Int) {
            blocks = all.blocks
            offset = start
            while block < blocks.count, offset >= blocks[block].count {
                offset -= blocks[block].count
                block += 1
            }
        }

        /// Fills the front of `target`, answers how many bytes.
        mutating func read(into target: UnsafeMutableRawBufferPointer) -> Int {
            var done = 0
            while done < target.count, block < blocks.count {
                let source = blocks[block].bytes
                let count = min(source.count - offset, target.count - done)
                UnsafeMutableRawBufferPointer(rebasing: target[done..<done + count])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[offset..<offset + count]))
                done += count
                offset += count
                if offset == source.count {
                    block += 1
                    offset = 0
                }
            }
            return done
        }
    }
}
