// A file that is written and not yet published.

import CLocal
import CofferPluginSDK
import Glibc
import Synchronization

/// A file that is written and not yet published: without a name, or with one in the reserved directory.
///
///     empty ──write, copy──▶ filled ──seal──▶ sealed ──Store.publish──▶ published
///       └────────────────────── discard ──────────┘
final class Draft {
    /// The file.
    let file: Descriptor
    /// How many bytes were written.
    private(set) var size: UInt64 = 0
    /// Its name in the reserved directory, with a NUL, if it has one.
    var name: [UInt8]?
    /// The name of its sidecar, if it has one.
    private(set) var sidecar: [UInt8]?
    private let store: Store
    private let reserve: Reserve
    private let attempt: ByteString
    private var record: Record?

    /// An empty file in the file system of the root.
    init(in store: Store, attempt: ByteString) throws(BackendError) {
        self.store = store
        self.attempt = attempt
        let reserve = try store.reserve()
        self.reserve = reserve
        let mode = store.settings.fileMode
        do throws(Refusal) {
            if reserve.abilities.hasUnnamedFiles {
                let flags = O_RDWR | local_O_TMPFILE | O_CLOEXEC
                let dot = [UInt8(ascii: "."), 0]
                let result = withName(dot) { local_openat(reserve.temporary.number, $0, flags, mode) }
                file = Descriptor(try Refusal.check(result))
            } else {
                let name = reserve.name(attempt: attempt)
                let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC
                let result = withName(name) { local_openat(reserve.temporary.number, $0, flags, mode) }
                file = Descriptor(try Refusal.check(result))
                self.name = name
            }
            // The umask may have taken more than the operator wants, but never what the owner has.
            if mode & 0o077 != 0 { try Refusal.check(local_chmod(file.number, mode)) }
        } catch {
            throw error.error("cannot make a new file")
        }
    }

    /// Appends bytes.
    func append(_ bytes: UnsafeRawBufferPointer) throws(BackendError) {
        try explaining("cannot write") { () throws(Refusal) in try file.write(bytes, at: size) }
        size += UInt64(bytes.count)
    }

    /// Notes that `count` bytes were copied to the end by somebody else.
    func extend(by count: UInt64) { size += count }

    /// Gives the file its record and its time, and syncs it if it has to last.
    ///
    /// It is never written to again.
    func seal(_ record: Record, modified: Int64?, keys: [[UInt8]]) throws(BackendError) {
        var record = record
        do throws(Refusal) {
            if let modified { try Refusal.check(local_set_mtime(file.number, modified)) }
            let facts = try file.facts()
            record.stamp = Record.stamp(size: facts.size, time: facts.mtime_ns)
            record.contentHash = store.settings.isHashing ? try ContentHash.of(file) : nil
            try keep(record, facts, keys)
            if store.settings.isDurable { try Refusal.check(local_fsync(file.number)) }
        } catch {
            throw error.error("cannot finish the new file")
        }
        self.record = record
    }

    private func keep(_ record: Record, _ facts: local_facts, _ keys: [[UInt8]]) throws(Refusal) {
        let isDurable = store.settings.isDurable
        var result = reserve.abilities.hasAttributes ? setAttribute(record.encoded) : -ENOTSUP
        guard result < 0 else { return }
        let name: [UInt8]
        switch result {
        case -ENOTSUP, -EPERM:
            name = Sidecars.name(inode: facts.inode)
        case -ENOSPC, -E2BIG, -ERANGE:
            result = setAttribute(record.stub.encoded)
            try Refusal.check(result)
            name = Sidecars.name(generation: record.generation)
        default:
            throw Refusal(number: -result)
        }
        let described = Sidecar(session: reserve.session, facts: facts, keys: keys, record: record)
        store.hasSidecars.store(true, ordering: .relaxed)
        sidecar = name
        try store.sidecars.write(described, as: name, reserve: reserve, durable: isDurable)
    }

    private func setAttribute(_ bytes: [UInt8]) -> Int32 {
        bytes.withUnsafeBytes { bytes in
            withName(Record.attribute) { local_setxattr(file.number, $0, bytes.baseAddress, bytes.count) }
        }
    }

    /// Gives the file a name in the reserved directory, if it has none: what is to be renamed must have one.
    func giveName() throws(Refusal) -> [UInt8] {
        if let name { return name }
        let name = reserve.name(attempt: attempt)
        try Refusal.check(withName(name) { local_link_open(file.number, reserve.temporary.number, $0) })
        self.name = name
        return name
    }

    /// What stat would say of the published file, taken while the key's lock is held.
    func snapshot() throws(Refusal) -> Snapshot {
        try Snapshot(
            file,
            try file.facts(),
            sidecars: store.sidecars,
            hashing: store.settings.isHashing
        )
    }

    /// The file is at its key: nothing of it is ours any more.
    func didPublish() {
        name = nil
        sidecar = nil
    }

    /// Removes what the kernel does not remove by itself.
    func discard() {
        // What cannot be removed now is found by its session in a later sweep.
        if let name { _ = withName(name) { local_unlinkat(reserve.temporary.number, $0, 0) } }
        if let sidecar { store.sidecars.remove(sidecar) }
        didPublish()
    }
}
