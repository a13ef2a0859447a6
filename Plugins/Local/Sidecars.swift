// Records that do not fit into an extended attribute, or cannot be one, in files beside the objects.

import CLocal
import CofferPluginSDK
import Glibc

/// A record in a file of its own, and the file that it describes.
struct Sidecar: Sendable {
    private static let magic = Array("CFS1".utf8)

    /// The session that wrote it: as long as that lives, nobody else judges the sidecar.
    var session: [UInt8]
    /// The inode that it describes, and when that was made; 0 if the file system does not know.
    var inode: UInt64
    var made: Int64
    /// The size and time at the commit, which identify the file where its making is not known.
    var size: UInt64
    var modified: Int64
    /// The keys at which the object may be: two while it moves.
    var keys: [[UInt8]]
    /// The record.
    var record: Record

    /// The bytes to keep.
    var encoded: [UInt8] {
        var out = Encoder()
        out.bytes = Self.magic
        out.text(session)
        for number in [inode, UInt64(bitPattern: made), size, UInt64(bitPattern: modified), UInt64(keys.count)] {
            out.number(number, bytes: 8)
        }
        for key in keys { out.text(key) }
        out.text(record.encoded)
        return out.bytes
    }

    /// A sidecar of a file.
    init(session: [UInt8], facts: local_facts, keys: [[UInt8]], record: Record) {
        self.session = session
        self.keys = keys
        self.record = record
        inode = facts.inode
        made = facts.btime_ns
        size = facts.size
        modified = facts.mtime_ns
    }

    /// Reads a sidecar; nil if these bytes are none.
    init?(decoding bytes: UnsafeRawBufferPointer) {
        var input = Decoder(bytes)
        guard input.take(Self.magic.count) == Self.magic, let session = input.text(),
            let inode = input.number(bytes: 8), let made = input.number(bytes: 8),
            let size = input.number(bytes: 8), let modified = input.number(bytes: 8),
            let count = input.number(bytes: 8), count <= 2
        else { return nil }
        var keys: [[UInt8]] = []
        for _ in 0..<count {
            guard let key = input.text() else { return nil }
            keys.append(key)
        }
        guard let text = input.text(), let record = text.withUnsafeBytes({ Record(decoding: $0) }) else { return nil }
        self.session = session
        self.inode = inode
        self.made = Int64(bitPattern: made)
        self.size = size
        self.modified = Int64(bitPattern: modified)
        self.keys = keys
        self.record = record
    }

    /// Whether it describes this file, and not one that came later and got the same inode.
    func describes(_ facts: local_facts) -> Bool {
        guard inode == facts.inode else { return false }
        if made != 0 && facts.btime_ns != 0 { return made == facts.btime_ns }
        return size == facts.size && modified == facts.mtime_ns
    }
}

/// The sidecars of a root, in `.coffer/meta`.
///
/// Where files have attributes, a stub there names the sidecar by its generation, so a stale one is never believed.
/// Where they have none, it is named by the inode and says when that was made.
struct Sidecars: Sendable {
    private static let path = Layout.reserved + Array("/meta".utf8)
    let tree: Tree

    /// The name of the sidecar that a stub of this generation points to.
    static func name(generation: UInt64) -> [UInt8] { Array("g".utf8) + hexadecimal(generation) + [0] }
    /// The name of the sidecar of a file without attributes.
    static func name(inode: UInt64) -> [UInt8] { Array("i".utf8) + hexadecimal(inode) + [0] }

    /// The sidecar of this name; nil if there is none that can be read.
    func read(_ name: [UInt8]) -> Sidecar? {
        // A sidecar that is gone, or broken, means that the metadata is unknown; the object itself is whole.
        guard let file = try? tree.open(Self.path + [UInt8(ascii: "/")] + name, O_RDONLY),
            let facts = try? file.facts(), facts.size <= 1 << 24
        else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: Int(facts.size) + 1, alignment: 8) { buffer in
            let count = local_pread(file.number, buffer.baseAddress, buffer.count, 0)
            guard count == Int64(facts.size) else { return nil }
            return Sidecar(decoding: UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)]))
        }
    }

    /// Writes a sidecar whole, and syncs it and its name if it has to last.
    func write(_ sidecar: Sidecar, as name: [UInt8], reserve: Reserve, durable: Bool) throws(Refusal) {
        let meta = try tree.makeDirectory(Self.path[...]) { _ in }
        let unpublished = reserve.name(attempt: "sidecar")
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC
        let result = withName(unpublished) { local_openat(reserve.temporary.number, $0, flags, 0o600) }
        let file = Descriptor(try Refusal.check(result))
        do throws(Refusal) {
            try file.write(sidecar.encoded, at: 0)
            if durable { try Refusal.check(local_fsync(file.number)) }
            try reserve.locks.lockingSidecars { () throws(Refusal) in
                _ = try Refusal.check(
                    withName(unpublished) { from in
                        withName(name) { local_renameat(reserve.temporary.number, from, meta.number, $0, 0) }
                    }
                )
            }
        } catch {
            _ = withName(unpublished) { local_unlinkat(reserve.temporary.number, $0, 0) }
            throw error
        }
        if durable { try Refusal.check(local_fsync(meta.number)) }
    }

    /// Removes the sidecar of this name, if it is there.
    func remove(_ name: [UInt8]) {
        // What cannot be removed now is found by the next sweep.
        guard let meta = try? tree.openDirectory(Self.path[...]) else { return }
        _ = withName(name) { local_unlinkat(meta.number, $0, 0) }
    }

    /// Whether there has ever been a sidecar.
    var exist: Bool { (try? tree.openDirectory(Self.path[...])) != nil }

    /// The directory, to be walked.
    func directory() -> Descriptor? { try? tree.openDirectory(Self.path[...]) }
}
