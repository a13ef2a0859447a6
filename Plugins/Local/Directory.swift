// Reading a directory, name by name, straight from the kernel's records.

import CLocal
import Glibc

/// A directory that is read once from its start.
struct Directory {
    /// What the kernel says that a name is.
    enum Kind {
        case file, directory, unknown, other
    }

    let descriptor: Descriptor

    /// Reads an open directory, from where its descriptor stands.
    init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    /// Reads an open directory from its start, through a descriptor of its own.
    init(reopening other: Descriptor) throws(Refusal) {
        let result = withName([UInt8(ascii: "."), 0]) {
            local_openat(other.number, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        }
        descriptor = Descriptor(try Refusal.check(result))
    }

    /// Hands over each name but `.` and `..`; the bytes are valid during the call.
    func forEach(_ body: (UnsafeRawBufferPointer, Kind) throws(Refusal) -> Void) throws(Refusal) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { buffer.deallocate() }
        while try forSome(buffer, body) {}
    }

    /// Hands over the next few names: what the kernel says at once; false at the end.
    func forSome(
        _ buffer: UnsafeMutableRawBufferPointer,
        _ body: (UnsafeRawBufferPointer, Kind) throws(Refusal) -> Void
    ) throws(Refusal) -> Bool {
        let count = try Refusal.check(local_getdents(descriptor.number, buffer.baseAddress, buffer.count))
        if count == 0 { return false }
        try Self.parse(UnsafeRawBufferPointer(rebasing: buffer[..<count]), body)
        return true
    }

    /// Whether a name is a directory's, or a plain file's; nil for anything else, and for what is gone.
    func isDirectory(_ name: UnsafeRawBufferPointer, _ kind: Kind) -> Bool? {
        switch kind {
        case .file: return false
        case .directory: return true
        case .other: return nil
        case .unknown:
            var facts = local_facts.none
            let result = withName(Array(name) + [0]) { local_facts_at(descriptor.number, $0, &facts) }
            if result < 0 { return nil }
            return facts.isDirectory ? true : facts.isPlainFile ? false : nil
        }
    }

    /// linux_dirent64: inode (8), offset (8), length of the record (2), type (1), name and NUL.
    private static func parse(
        _ records: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer, Kind) throws(Refusal) -> Void
    ) throws(Refusal) {
        var at = 0
        while at + 19 < records.count {
            let length = Int(records.loadUnaligned(fromByteOffset: at + 16, as: UInt16.self))
            let type = records[at + 18]
            let text = UnsafeRawBufferPointer(rebasing: records[(at + 19)..<(at + length)])
            at += length
            let name = UnsafeRawBufferPointer(rebasing: text[..<(text.firstIndex(of: 0) ?? text.count)])
            if name[0] == UInt8(ascii: ".") && (name.count == 1 || name.count == 2 && name[1] == UInt8(ascii: ".")) {
                continue
            }
            switch type {
            case 8: try body(name, .file)
            case 4: try body(name, .directory)
            case 0: try body(name, .unknown)
            default: try body(name, .other)
            }
        }
    }
}
