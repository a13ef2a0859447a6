// An open descriptor that closes itself, and the facts of what it holds.

import CLocal

/// An open descriptor: closed once, when nobody holds it any more.
final class Descriptor: Sendable {
    /// The number.
    let number: Int32

    /// Takes over a descriptor that nobody else closes.
    init(_ number: Int32) { self.number = number }

    deinit { _ = local_close(number) }

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
