// One version of one object, open: its bytes, what is known of it, and the token that names it.

import CLocal
import CofferPluginSDK
import Glibc

/// One version of one object.
///
/// The open descriptor is the version: a replaced file lives on as long as it is read.
struct Snapshot: Sendable {
    /// The file.
    let file: Descriptor
    /// Its facts.
    let facts: local_facts
    /// What Coffer kept of it; nil for a file that Coffer did not write.
    let record: Record?
    /// The name of its sidecar, if it has one.
    let sidecar: [UInt8]?
    /// The version token: generation, inode, size and change time, and the content's hash where foreign writers may hide.
    let token: ByteString
    /// The hash of what the file holds now, where foreign writers may hide.
    private let contentHash: UInt64?

    /// Looks at an open plain file.
    init(_ file: Descriptor, _ facts: local_facts, sidecars: Sidecars, hashing: Bool) throws(Refusal) {
        self.file = file
        self.facts = facts
        (record, sidecar) = try Self.record(of: file, facts, sidecars)
        contentHash = hashing ? try ContentHash.of(file) : nil
        token = Self.token(record?.generation, facts, contentHash)
    }

    /// Whether the bytes are still those that Coffer committed.
    var isUnchanged: Bool {
        guard let record else { return false }
        // Size and time can be set back; the bytes cannot.
        if let contentHash, let committed = record.contentHash, committed != contentHash { return false }
        return record.stamp == Record.stamp(size: facts.size, time: facts.mtime_ns)
    }

    /// All that is known, for the key that it was found at.
    func entry(_ key: ByteString) -> Entry {
        var entry = Entry(
            key,
            size: Int64(facts.size),
            modified: facts.mtime_ns,
            created: facts.btime_ns == 0 ? Entry.unknownTime : facts.btime_ns,
            etag: token
        )
        if let record {
            entry.properties = record.properties
            entry.metadata = record.metadata
            if isUnchanged { entry.checksums = record.digests }
        }
        return entry
    }

    private static func token(_ generation: UInt64?, _ facts: local_facts, _ hash: UInt64?) -> ByteString {
        var text: [UInt8] = []
        text.reserveCapacity(80)
        func append(_ number: UInt64) {
            if !text.isEmpty { text.append(UInt8(ascii: "-")) }
            var shift = UInt64(number == 0 ? 0 : (63 - number.leadingZeroBitCount) / 4 * 4)
            while true {
                text.append(hexadecimal(UInt8(truncatingIfNeeded: number >> shift) & 15))
                if shift == 0 { return }
                shift -= 4
            }
        }
        append(generation ?? 0)
        append(facts.inode)
        append(facts.size)
        append(UInt64(bitPattern: facts.ctime_ns))
        if let hash { append(hash) }
        return ByteString(text)
    }

    private static func record(
        of file: Descriptor,
        _ facts: local_facts,
        _ sidecars: Sidecars
    ) throws(Refusal) -> (Record?, [UInt8]?) {
        var (result, record) = attribute(of: file, capacity: 2048)
        if result == Int64(-ERANGE) { (result, record) = attribute(of: file, capacity: 65_536) }
        switch result {
        case Int64(-ENOTSUP):
            let name = Sidecars.name(inode: facts.inode)
            guard let sidecar = sidecars.read(name), sidecar.describes(facts) else { return (nil, nil) }
            return (sidecar.record, name)
        case Int64(-ENODATA):
            return (nil, nil)
        default:
            try Refusal.check(result)
        }
        guard let record, record.isStub else { return (record, nil) }
        let name = Sidecars.name(generation: record.generation)
        guard let sidecar = sidecars.read(name), sidecar.record.generation == record.generation else {
            return (record, nil)
        }
        return (sidecar.record, name)
    }

    private static func attribute(of file: Descriptor, capacity: Int) -> (Int64, Record?) {
        withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 8) { buffer in
            let count = withName(Record.attribute) {
                local_getxattr(file.number, $0, buffer.baseAddress, buffer.count)
            }
            guard count >= 0 else { return (count, nil) }
            return (count, Record(decoding: UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)])))
        }
    }
}

/// A hash of a whole file, by which a change is seen that left size and times alone.
enum ContentHash {
    /// Hashes what the file holds now: two lanes of multiply and fold, 16 bytes a step.
    ///
    /// Not for adversaries.
    static func of(_ file: Descriptor) throws(Refusal) -> UInt64 {
        var state = (UInt64(0x9e37_79b9_7f4a_7c15), UInt64(0xd6e8_feb8_6659_fd93))
        var offset: Int64 = 0
        var failure: Refusal?
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { buffer in
            do throws(Refusal) {
                while true {
                    var filled = 0
                    while filled < buffer.count {
                        let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                        let count = try Refusal.check(
                            local_pread(file.number, rest.baseAddress, rest.count, offset + Int64(filled))
                        )
                        if count == 0 { break }
                        filled += count
                    }
                    offset += Int64(filled)
                    fold(UnsafeRawBufferPointer(rebasing: buffer[..<filled]), into: &state)
                    if filled < buffer.count { return }
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        return mix(state.0 ^ mix(state.1 ^ UInt64(offset)))
    }

    private static func fold(_ bytes: UnsafeRawBufferPointer, into state: inout (UInt64, UInt64)) {
        func multiply(_ left: UInt64, _ right: UInt64) -> UInt64 {
            let product = left.multipliedFullWidth(by: right)
            return product.high ^ product.low
        }
        var at = 0
        while at + 16 <= bytes.count {
            let first = bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)
            let second = bytes.loadUnaligned(fromByteOffset: at + 8, as: UInt64.self)
            state.0 = multiply(state.0 ^ first, 0xa076_1d64_78bd_642f) &+ second
            state.1 = multiply(state.1 ^ second, 0xe703_7ed1_a0b4_28db) &+ first
            at += 16
        }
        for byte in bytes[at...] { state.0 = multiply(state.0 ^ UInt64(byte), 0x8ebc_6af0_9c88_c6e3) &+ 1 }
    }
}
