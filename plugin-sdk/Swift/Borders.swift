// The border between C and Swift: structs are read no further than the other side wrote them, bytes are copied in and
// lent out. Nothing else in the kit looks at a length or a pointer of the host.

import CCofferPlugin
import Glibc

/// More than anybody means: a length above it is nonsense.
private let longestText = 16 << 20
private let mostPairs = 65_536

/// Copies what the caller wrote of a struct over `defaults`: fields past its `struct_size` keep their default.
@inline(__always)
func readStruct<T: BitwiseCopyable>(_ pointer: UnsafePointer<T>?, over defaults: T) throws(BackendError) -> T {
    guard let pointer, UInt(bitPattern: pointer) & 7 == 0 else { throw nonsense("a struct is missing") }
    let raw = UnsafeRawPointer(pointer)
    // Rounded down to whole fields: half a pointer must never look like one.
    let size = min(Int(raw.load(as: UInt32.self)), MemoryLayout<T>.size) & ~7
    guard size >= 8 else { throw nonsense("a struct has no size") }
    var copy = defaults
    withUnsafeMutableBytes(of: &copy) { $0.copyMemory(from: UnsafeRawBufferPointer(start: raw, count: size)) }
    return copy
}

/// Copies one item of an array of structs, as far as its writer knew the struct.
func item<T: BitwiseCopyable>(
    _ array: UnsafePointer<T>,
    _ index: Int,
    stride: Int,
    least: Int
) throws(BackendError) -> T {
    guard stride >= least, stride % 8 == 0 else { throw nonsense("the items of an array have no size") }
    let source = UnsafeRawPointer(array) + index * stride
    return try withUnsafeTemporaryAllocation(of: T.self, capacity: 1) { place throws(BackendError) in
        let raw = UnsafeMutableRawBufferPointer(place)
        let size = min(Int(source.load(as: UInt32.self)), stride, raw.count)
        guard let base = raw.baseAddress, let first = place.baseAddress, size >= least else {
            throw nonsense("an item of an array has no size")
        }
        memset(base, 0, raw.count)
        memcpy(base, source, size & ~7)
        return first.pointee
    }
}

/// Copies `value` out, but for its size and no further than the caller's struct reaches.
func writeStruct<T: BitwiseCopyable>(_ value: T, to pointer: UnsafeMutablePointer<T>?, atLeast needed: Int)
    throws(BackendError)
{
    let size = try room(in: pointer, atLeast: needed)
    let raw = UnsafeMutableRawPointer(mutating: UnsafeRawPointer(pointer.unsafelyUnwrapped))
    withUnsafeBytes(of: value) { bytes in
        guard let from = bytes.baseAddress else { return }
        memcpy(raw + 4, from + 4, size - 4)
    }
}

/// How much of a result struct may be written; throws if the least that is needed does not fit.
@discardableResult
func room<T>(in pointer: UnsafeMutablePointer<T>?, atLeast needed: Int) throws(BackendError) -> Int {
    guard let pointer, UInt(bitPattern: pointer) & 7 == 0 else { throw nonsense("a result is missing") }
    let size = min(Int(UnsafeRawPointer(pointer).load(as: UInt32.self)), MemoryLayout<T>.size)
    guard size >= needed else { throw nonsense("a result is too small") }
    return size
}

@inline(never)
func nonsense(_ what: String) -> BackendError { BackendError(.invalidArgument, what) }

extension coffer_sink {
    /// A sink as far as the caller wrote it; no sink at all takes everything and keeps nothing.
    static func read(_ pointer: UnsafePointer<coffer_sink>?) throws(BackendError) -> coffer_sink {
        guard pointer != nil else { return coffer_sink() }
        return try readStruct(pointer, over: coffer_sink())
    }
}

extension ByteString {
    /// A copy of borrowed bytes; nil if they are nonsense.
    init?(borrowing text: coffer_str) {
        guard text.len > 0 else {
            self = .empty
            return
        }
        guard let pointer = text.ptr, text.len <= longestText else { return nil }
        self.init(Array(UnsafeRawBufferPointer(start: pointer, count: text.len)))
    }

    /// A copy of borrowed bytes that are no key.
    init(_ text: coffer_str, _ what: StaticString) throws(BackendError) {
        guard let copy = ByteString(borrowing: text) else { throw nonsense("\(what) has no bytes or too many") }
        self = copy
    }

    /// A copy of a key: 1 to 1024 bytes of UTF-8, no NUL.
    init(key text: coffer_str) throws(BackendError) {
        guard text.len > 0, let pointer = text.ptr else {
            throw text.len == 0
                ? BackendError(.invalidKey, "a key is never empty") : nonsense("a key has no bytes")
        }
        guard text.len <= 1024 else { throw BackendError(.invalidKey, "a key has at most 1024 bytes") }
        let bytes = UnsafeRawBufferPointer(start: pointer, count: text.len)
        guard bytes.isKey else { throw BackendError(.invalidKey, "a key is UTF-8 without NUL") }
        self.init(Array(bytes))
    }

    /// Lends the bytes to C.
    @inline(__always)
    func withC<R>(_ body: (coffer_str) -> R) -> R {
        bytes.withUnsafeBytes {
            body(coffer_str(ptr: $0.baseAddress?.assumingMemoryBound(to: CChar.self), len: $0.count))
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these are UTF-8 without NUL.
    var isKey: Bool {
        var rest: UInt8 = 0
        for byte in self {
            guard byte != 0 else { return false }
            rest |= byte
        }
        return rest < 0x80 || String(validating: self, as: UTF8.self) != nil
    }
}

extension PackedPairs {
    init(_ pairs: UnsafePointer<coffer_kv>?, count: Int) throws(BackendError) {
        self.init()
        guard count != 0 else { return }
        guard let pairs, count > 0, count <= mostPairs else { throw nonsense("a list of names and values is missing") }
        for index in 0..<count {
            let pair = pairs[index]
            append(
                try ByteString(pair.key, "a name").bytes,
                try ByteString(pair.value, "a value").bytes
            )
        }
    }

    init(_ checksums: UnsafePointer<coffer_checksum>?, count: Int) throws(BackendError) {
        self.init()
        guard count != 0 else { return }
        guard let checksums, count > 0, count <= mostPairs else { throw nonsense("a list of checksums is missing") }
        for index in 0..<count {
            let checksum = checksums[index]
            append(
                try ByteString(checksum.algorithm, "an algorithm").bytes,
                try ByteString(checksum.value, "a checksum").bytes,
                tag: UInt32(truncatingIfNeeded: checksum.flags)
            )
        }
    }

    /// Lends the pairs to C.
    @inline(__always)
    func withC<R>(_ body: (UnsafeBufferPointer<coffer_kv>) -> R) -> R {
        guard !isEmpty else { return body(UnsafeBufferPointer(start: nil, count: 0)) }
        return withRecords(of: coffer_kv.self, { name, value, _ in coffer_kv(key: name, value: value) }, body)
    }

    /// Lends the pairs to C as checksums.
    @inline(__always)
    func withChecksums<R>(_ body: (UnsafeBufferPointer<coffer_checksum>) -> R) -> R {
        guard !isEmpty else { return body(UnsafeBufferPointer(start: nil, count: 0)) }
        return withRecords(
            of: coffer_checksum.self,
            { coffer_checksum(algorithm: $0, value: $1, flags: UInt64($2)) },
            body
        )
    }

    private func withRecords<Record, R>(
        of type: Record.Type,
        _ make: (coffer_str, coffer_str, UInt32) -> Record,
        _ body: (UnsafeBufferPointer<Record>) -> R
    ) -> R {
        bytes.withUnsafeBytes { all in
            withUnsafeTemporaryAllocation(of: Record.self, capacity: count) { records in
                var offset = Self.headLength
                for index in 0..<records.count {
                    let tag = all.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                    let nameLength = Int(all.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
                    let valueLength = Int(all.loadUnaligned(fromByteOffset: offset + 8, as: UInt32.self))
                    let name = offset + Self.recordHeadLength
                    offset = name + nameLength + valueLength
                    let start = all.baseAddress?.assumingMemoryBound(to: CChar.self)
                    records.initializeElement(
                        at: index,
                        to: make(
                            coffer_str(ptr: start.map { $0 + name }, len: nameLength),
                            coffer_str(ptr: start.map { $0 + name + nameLength }, len: valueLength),
                            tag
                        )
                    )
                }
                defer { records.deinitialize() }
                return body(UnsafeBufferPointer(records))
            }
        }
    }
}

extension Entry {
    /// Lends the entry to C.
    func withC(_ body: (UnsafePointer<coffer_entry>) -> Void) {
        key.withC { key in
            etag.withC { etag in
                version.withC { version in
                    properties.packed.withC { props in
                        metadata.packed.withC { meta in
                            checksums.packed.withChecksums { checksums in
                                var entry = coffer_entry()
                                entry.struct_size = UInt32(MemoryLayout<coffer_entry>.size)
                                entry.kind = kind.rawValue
                                entry.flags =
                                    (isLatest ? COFFER_ENTRY_LATEST : 0)
                                    | (isDeleteMarker ? COFFER_ENTRY_DELETE_MARKER : 0)
                                entry.key = key
                                entry.size = size
                                entry.mtime_ns = modified
                                entry.ctime_ns = created
                                entry.etag = etag
                                entry.version = version
                                entry.n_props = props.count
                                entry.props = props.baseAddress
                                entry.n_meta = meta.count
                                entry.meta = meta.baseAddress
                                entry.n_checksums = checksums.count
                                entry.checksums = checksums.baseAddress
                                body(&entry)
                            }
                        }
                    }
                }
            }
        }
    }
}

extension BackendError {
    /// Fills the caller's struct as far as it reaches, and answers the status.
    func report(to pointer: UnsafeMutablePointer<coffer_error>?) -> coffer_status {
        guard let pointer, UInt(bitPattern: pointer) & 7 == 0 else { return code.rawValue }
        let size = Int(pointer.pointee.struct_size)
        let reaches = { (field: PartialKeyPath<coffer_error>, width: Int) in
            size >= (MemoryLayout<coffer_error>.offset(of: field) ?? .max) + width
        }
        if reaches(\.code, 4) { pointer.pointee.code = code.rawValue }
        if reaches(\.flags, 4) {
            pointer.pointee.flags =
                (isRetryable ? COFFER_ERR_RETRYABLE : 0) | (isMaybeApplied ? COFFER_ERR_MAYBE_APPLIED : 0)
        }
        if reaches(\.native, 4) { pointer.pointee.native = native }
        if reaches(\.retry_after_ms, 4) { pointer.pointee.retry_after_ms = retryAfterMilliseconds }
        guard reaches(\.message, 8) else { return code.rawValue }
        pointer.pointee.message_len = 0
        guard let buffer = pointer.pointee.message else { return code.rawValue }
        var text = message
        pointer.pointee.message_len = text.withUTF8 { bytes in
            var length = min(bytes.count, Int(pointer.pointee.message_cap))
            // Cut at a character: never in front of a continuation byte.
            while length > 0, length < bytes.count, bytes[length] & 0xC0 == 0x80 { length -= 1 }
            if let from = bytes.baseAddress { memcpy(buffer, from, length) }
            return UInt32(length)
        }
        return code.rawValue
    }

    /// Lends the error to C.
    func withC(_ body: (UnsafePointer<coffer_error>) -> Void) {
        var text = message
        text.withUTF8 { bytes in
            var error = coffer_error()
            error.struct_size = UInt32(MemoryLayout<coffer_error>.size)
            error.code = code.rawValue
            error.flags = (isRetryable ? COFFER_ERR_RETRYABLE : 0) | (isMaybeApplied ? COFFER_ERR_MAYBE_APPLIED : 0)
            error.native = native
            error.retry_after_ms = retryAfterMilliseconds
            error.message_cap = UInt32(truncatingIfNeeded: bytes.count)
            error.message_len = error.message_cap
            error.message = bytes.baseAddress.map {
                UnsafeMutableRawPointer(mutating: UnsafeRawPointer($0)).assumingMemoryBound(to: CChar.self)
            }
            body(&error)
        }
    }
}
