/// Bytes that came and are not used yet, in one kept piece of memory.
///
/// Unchecked because one worker owns it.
final class InputBuffer: @unchecked Sendable {
    private let base: UnsafeMutableRawPointer
    private let capacity: Int
    private var start = 0
    private var end = 0

    init(capacity: Int) {
        base = .allocate(byteCount: capacity, alignment: 16)
        self.capacity = capacity
    }

    deinit { base.deallocate() }

    var isEmpty: Bool { start == end }
    var count: Int { end - start }
    var unread: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base + start, count: end - start) }

    /// Where the next bytes go.
    func makeRoom() -> UnsafeMutableRawBufferPointer {
        if start == end {
            start = 0
            end = 0
        } else if capacity - end < capacity / 2 && start > 0 {
            (base).copyMemory(from: base + start, byteCount: count)
            end -= start
            start = 0
        }
        return UnsafeMutableRawBufferPointer(start: base + end, count: capacity - end)
    }

    func advance(by count: Int) { end += count }

    func drop(_ count: Int) { start += count }

    func removeAll() {
        start = 0
        end = 0
    }

    /// Takes back what a connection kept.
    func load(_ bytes: inout [UInt8]) {
        removeAll()
        guard !bytes.isEmpty else { return }
        bytes.withUnsafeBytes { bytes in
            if let from = bytes.baseAddress { base.copyMemory(from: from, byteCount: bytes.count) }
        }
        end = bytes.count
        bytes = []
    }

    /// What is unread, for a connection to keep.
    func save() -> [UInt8] {
        let bytes = isEmpty ? [] : [UInt8](unread)
        removeAll()
        return bytes
    }
}
