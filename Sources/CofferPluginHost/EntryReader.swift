// What a plugin says of an object, copied before it returns; every number and every text is a stranger's.
import CCofferPlugin
import CofferModel
import Glibc

/// An entry as wide as ours, whatever the size of the plugin's; nil if it is too small to be one.
@inline(__always)
func wholeEntry(_ pointer: UnsafePointer<coffer_entry>) -> coffer_entry? {
    let size = Int(pointer.pointee.struct_size)
    if size >= MemoryLayout<coffer_entry>.size { return pointer.pointee }
    return narrowEntry(UnsafeRawPointer(pointer), size)
}

@inline(never)
private func narrowEntry(_ raw: UnsafeRawPointer, _ size: Int) -> coffer_entry? {
    guard let least = MemoryLayout<coffer_entry>.offset(of: \.mtime_ns), size >= least else { return nil }
    var entry = coffer_entry()
    entry.mtime_ns = .min
    entry.ctime_ns = .min
    withUnsafeMutableBytes(of: &entry) {
        $0.copyMemory(from: UnsafeRawBufferPointer(start: raw, count: min(size, $0.count)))
    }
    return entry
}

extension coffer_str {
    /// The bytes, which are the plugin's and valid until its call returns; nil for a length that cannot be.
    @inline(__always)
    var borrowed: UnsafeRawBufferPointer? {
        guard len > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        guard let ptr, len <= 16 << 20 else { return nil }
        return UnsafeRawBufferPointer(start: ptr, count: len)
    }

    /// The text; nil if it is not UTF-8.
    var copied: String? {
        guard let borrowed, isUTF8(borrowed) else { return nil }
        return String(decoding: borrowed, as: UTF8.self)
    }

    /// Whether the bytes are those of `word`.
    @inline(__always)
    func spells(_ word: StaticString) -> Bool {
        guard let borrowed, let start = borrowed.baseAddress else { return false }
        return borrowed.count == word.utf8CodeUnitCount && memcmp(start, word.utf8Start, borrowed.count) == 0
    }

    /// Whether there are only digits of lower-case hexadecimal.
    var isHexadecimal: Bool {
        guard let borrowed else { return false }
        for byte in borrowed where byte &- 0x30 > 9 && byte &- 0x61 > 5 { return false }
        return true
    }

    /// Whether the bytes are those of `text`.
    @inline(__always)
    func hasBytes(of text: String) -> Bool {
        guard let borrowed, text.utf8.count == borrowed.count else { return false }
        var text = text
        return text.withUTF8 { bytes in
            guard let left = bytes.baseAddress, let right = borrowed.baseAddress else { return true }
            return memcmp(left, right, bytes.count) == 0
        }
    }
}

/// Whether `bytes` are UTF-8; ASCII, which most keys are, goes by eight bytes a step.
@inline(__always)
func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var position = 0
    var high: UInt64 = 0
    while position + 8 <= bytes.count {
        high |= bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
        position += 8
    }
    while position < bytes.count {
        high |= UInt64(bytes[position])
        position += 1
    }
    return high & 0x8080_8080_8080_8080 == 0 || String(validating: bytes, as: UTF8.self) != nil
}

/// A rule of the ABI that an entry breaks.
struct BrokenEntry: Error {
    var reason: String
}

extension ObjectInfo {
    /// Copies `entry`; `expected` is the key that was asked for, and is used again where the plugin says the same.
    init(_ entry: coffer_entry, expected: Key) throws(BrokenEntry) {
        func broken(_ reason: String) -> BrokenEntry { BrokenEntry(reason: reason) }
        func text(_ text: coffer_str, _ name: StaticString) throws(BrokenEntry) -> String {
            guard let copied = text.copied else { throw broken("\(name) is not UTF-8") }
            return copied
        }
        func optional(_ value: coffer_str, _ name: StaticString) throws(BrokenEntry) -> String? {
            value.len == 0 ? nil : try text(value, name)
        }
        guard entry.kind == COFFER_KIND_OBJECT else {
            throw broken("the entry is of kind \(entry.kind), not an object")
        }
        guard entry.size >= -1 else { throw broken("the size is \(entry.size)") }
        let isExpected = entry.key.len == 0 || entry.key.hasBytes(of: expected.text)
        self.init(
            key: isExpected ? expected : Key(try text(entry.key, "the key")),
            size: entry.size < 0 ? nil : entry.size,
            etag: try optional(entry.etag, "the etag"),
            version: try optional(entry.version, "the version"),
            modified: entry.mtime_ns == .min ? nil : Timestamp(nanoseconds: entry.mtime_ns),
            created: entry.ctime_ns == .min ? nil : Timestamp(nanoseconds: entry.ctime_ns)
        )
        if entry.n_props > 0 || entry.n_meta > 0 || entry.n_checksums > 0 { try addExtras(entry) }
    }

    @inline(never)
    private mutating func addExtras(_ entry: coffer_entry) throws(BrokenEntry) {
        for pair in try array(entry.props, entry.n_props, "properties") {
            let value = try pairText(pair.value)
            if pair.key.spells("content-type") {
                metadata.contentType = value
            } else if pair.key.spells("content-encoding") {
                metadata.contentEncoding = value
            } else if pair.key.spells("content-disposition") {
                metadata.contentDisposition = value
            } else if pair.key.spells("content-language") {
                metadata.contentLanguage = value
            } else if pair.key.spells("cache-control") {
                metadata.cacheControl = value
            } else {
                _ = try pairText(pair.key)
            }
        }
        for pair in try array(entry.meta, entry.n_meta, "metadata") {
            metadata.user.append(UserMetadata(try pairText(pair.key), try pairText(pair.value)))
        }
        metadata.user.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        for checksum in try array(entry.checksums, entry.n_checksums, "checksums") {
            guard checksum.value.isHexadecimal else {
                throw BrokenEntry(reason: "a checksum is not lower-case hexadecimal")
            }
            checksums.append(
                Checksum(
                    try algorithm(checksum.algorithm),
                    try pairText(checksum.value),
                    isComposite: checksum.flags & UInt64(COFFER_CHECKSUM_COMPOSITE) != 0
                )
            )
        }
    }

    private func array<T>(
        _ base: UnsafePointer<T>?,
        _ count: Int,
        _ name: String
    ) throws(BrokenEntry) -> UnsafeBufferPointer<T> {
        guard count >= 0, count <= 65_536, base != nil || count == 0 else {
            throw BrokenEntry(reason: "the array of \(name) has \(count) elements")
        }
        return UnsafeBufferPointer(start: base, count: count)
    }

    private func algorithm(_ name: coffer_str) throws(BrokenEntry) -> Checksum.Algorithm {
        name.spells("sha256") ? .sha256 : Checksum.Algorithm(rawValue: try pairText(name))
    }

    private func pairText(_ text: coffer_str) throws(BrokenEntry) -> String {
        guard let copied = text.copied else { throw BrokenEntry(reason: "a property is not UTF-8") }
        return copied
    }
}
