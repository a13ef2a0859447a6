// The backend's own directory at the root: locks, unpublished files, sidecars, and who is alive.

import CLocal
import CofferPluginSDK
import Glibc
import Synchronization

/// The reserved directory `.coffer` of a root.
///
///     .coffer/lock              one byte for each stripe of keys: `StripeLocks`
///     .coffer/tmp/S.lock        locked as long as session S lives: an instance of this plugin in some process
///     .coffer/tmp/S.ATTEMPT.N   an unpublished file of session S
///     .coffer/meta/…            sidecars: `Sidecars`
///
/// What a dead session left is found by its name and removed by whoever comes next; the kernel frees its lock.
final class Reserve: Sendable {
    /// What the file system can do, found out on a file of our own.
    struct Abilities: Sendable {
        /// A file without a name, and giving it one.
        var hasUnnamedFiles = false
        /// Extended attributes of users.
        var hasAttributes = false
    }

    /// The directory of unpublished files.
    let temporary: Descriptor
    /// Locks of keys.
    let locks: StripeLocks
    /// The name of this session: 16 hexadecimal digits.
    let session: [UInt8]
    /// What the file system can do.
    let abilities: Abilities
    private let sessionLock: Descriptor
    private let counter = Atomic<UInt64>(0)

    /// Opens the reserved directory of a root, and makes it if it is missing.
    init(tree: Tree, fileMode: UInt32) throws(Refusal) {
        let base = try tree.makeDirectory(Layout.reserved[...]) { _ in }
        temporary = try tree.makeDirectory((Layout.reserved + Array("/tmp".utf8))[...]) { _ in }
        let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW
        let lock = withName(Array("lock".utf8) + [0]) { local_openat(base.number, $0, flags, 0o600) }
        locks = StripeLocks(file: Descriptor(try Refusal.check(lock)))
        (session, sessionLock) = try Self.begin(in: temporary)
        abilities = Self.probe(temporary, name: session + Array(".probe".utf8) + [0])
    }

    deinit {
        _ = withName(session + Array(".lock".utf8) + [0]) { local_unlinkat(temporary.number, $0, 0) }
    }

    /// A name for an unpublished file, with a NUL behind it: it carries the session and the attempt.
    func name(attempt: ByteString) -> [UInt8] {
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
        let isPlain = attempt.bytes.allSatisfy {
            ($0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z"))
                || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) || $0 == UInt8(ascii: "-")
        }
        let mark = isPlain && attempt.count <= 64 ? attempt.bytes : Array("x".utf8) + hexadecimal(hash(attempt.bytes))
        return session + Array(".".utf8) + mark + Array(".\(number)".utf8) + [0]
    }

    /// Whether a session other than this one lives: its lock is held.
    func isAlive(_ session: [UInt8]) -> Bool {
        if session == self.session { return true }
        let name = session + Array(".lock".utf8) + [0]
        let file = withName(name) { local_openat(temporary.number, $0, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0) }
        guard file >= 0 else { return file != -ENOENT }
        let lock = Descriptor(file)
        return withExtendedLifetime(lock) { local_lock_byte(lock.number, 0, 1) != 0 }
    }

    private static func begin(in directory: Descriptor) throws(Refusal) -> ([UInt8], Descriptor) {
        while true {
            let session = hexadecimal(UInt64.random(in: .min ... .max))
            let name = session + Array(".lock".utf8) + [0]
            let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
            let result = withName(name) { local_openat(directory.number, $0, flags, 0o600) }
            if result == -EEXIST { continue }
            let file = Descriptor(try Refusal.check(result))
            // A sweeper may have come between: then the lock, or the name, is gone.
            guard local_lock_byte(file.number, 0, 1) == 0 else { continue }
            var facts = local_facts.none
            guard withName(name, { local_facts_at(directory.number, $0, &facts) }) == 0 else { continue }
            guard try file.facts().inode == facts.inode else { continue }
            return (session, file)
        }
    }

    private static func probe(_ directory: Descriptor, name: [UInt8]) -> Abilities {
        var abilities = Abilities()
        let dot = [UInt8(ascii: "."), 0]
        var result = withName(dot) { local_openat(directory.number, $0, O_RDWR | local_O_TMPFILE | O_CLOEXEC, 0o600) }
        if result >= 0 {
            let file = Descriptor(result)
            abilities.hasUnnamedFiles = withName(name) { local_link_open(file.number, directory.number, $0) } == 0
            abilities.hasAttributes = hasAttributes(file)
        } else {
            result = withName(name) { local_openat(directory.number, $0, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
            if result >= 0 { abilities.hasAttributes = hasAttributes(Descriptor(result)) }
        }
        _ = withName(name) { local_unlinkat(directory.number, $0, 0) }
        return abilities
    }

    private static func hasAttributes(_ file: Descriptor) -> Bool {
        withName(Record.attribute) { name in
            [1].withUnsafeBytes { local_setxattr(file.number, name, $0.baseAddress, 1) }
        } == 0
    }
}

/// The 16 hexadecimal digits of a number.
func hexadecimal(_ value: UInt64) -> [UInt8] {
    (0..<16).map { hexadecimal(UInt8(truncatingIfNeeded: value >> (60 - 4 * UInt64($0))) & 15) }
}

/// A hash of bytes that is the same in every process (FNV-1a).
func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash ^ hash >> 32
}
