// An open descriptor that closes itself, and the facts of what it holds.

import CLocal
import Synchronization

/// An open descriptor: closed once, when nobody holds it any more.
final class Descriptor: Sendable {
    private let value: Atomic<Int32>

    /// The number.
    var number: Int32 { value.load(ordering: .relaxed) }

    /// Takes over a descriptor that nobody else closes.
    init(_ number: Int32) { value = Atomic(number) }

    deinit {
        if number >= 0 { _ = local_close(number) }
    }

    /// Gives the descriptor to somebody else, who closes it; nobody uses this one any more.
    func release() -> Int32 { value.exchange(-1, ordering: .relaxed) }

    /// Size, times and identity, by one system call.
    func facts() throws(Refusal) -> local_facts {
        var facts = local_facts()
        try Refusal.check(local_facts_of(number, &facts))
        return facts
    }
}

extension local_facts {
    private var format: UInt32 { mode & 0o170000 }

    /// Whether it is a plain file, and so an object.
    var isPlainFile: Bool { format == 0o100000 }

    /// Whether it is a directory.
    var isDirectory: Bool { format == 0o040000 }

    /// An empty set of facts, to be filled.
    static var none: local_facts { local_facts() }
}

extension Descriptor {
    /// Writes all of these bytes at `offset`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(Refusal) {
        try Refusal.check(tryWrite(bytes, at: offset))
    }

    /// Writes all of these bytes at `offset`.
    func write(_ bytes: [UInt8], at offset: UInt64) throws(Refusal) {
        try Refusal.check(bytes.withUnsafeBytes { tryWrite($0, at: offset) })
    }

    private func tryWrite(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) -> Int64 {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let result = local_pwrite(number, rest.baseAddress, rest.count, Int64(offset) + Int64(done))
            if result < 0 { return result }
            done += Int(result)
        }
        return 0
    }
}
