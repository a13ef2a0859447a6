import CCofferPlugin

// What goes into a plugin and what comes back, as Swift values.

/// A key, a token or any other string of bytes; equal and ordered as bytes.
struct Name: Hashable, Comparable, Sendable, ExpressibleByStringInterpolation, CustomStringConvertible {
    var bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }
    init(_ text: String) { bytes = Array(text.utf8) }
    init(stringLiteral text: String) { bytes = Array(text.utf8) }

    var isEmpty: Bool { bytes.isEmpty }

    func hasPrefix(_ other: Name) -> Bool { bytes.starts(with: other.bytes) }

    static func < (left: Name, right: Name) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
    static func + (left: Name, right: Name) -> Name { Name(left.bytes + right.bytes) }

    /// Printable, with everything else as `\xNN`, and cut where it gets long.
    var description: String {
        var text = "\""
        for byte in bytes.prefix(80) {
            if byte >= 0x20 && byte < 0x7F && byte != 0x5C && byte != 0x22 {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let hex = String(byte, radix: 16)
                text += "\\x" + (hex.count == 1 ? "0" : "") + hex
            }
        }
        return text + (bytes.count > 80 ? "…\" (\(bytes.count) bytes)" : "\"")
    }
}

/// An error that a plugin answered.
struct PluginError: Error, Sendable, Equatable {
    var code: coffer_status
    /// `coffer_error.code`: the same, if the plugin keeps the rule.
    var inner: coffer_status
    var flags: UInt32
    var message: String

    var description: String { codeName(code) + (message.isEmpty ? "" : " (\(message))") }
}

/// The word for a status, as in the header.
func codeName(_ code: coffer_status) -> String {
    let words = [
        "ok", "unsupported", "invalid_argument", "config", "not_found", "already_exists", "precondition", "permission",
        "unauthenticated", "rate_limited", "no_space", "too_large", "range", "not_empty", "timeout", "cancelled", "io",
        "unavailable", "corrupt", "internal", "again", "invalid_key", "changed", "checksum", "quota", "not_modified",
    ]
    let index = Int(code)
    return words.indices.contains(index) ? words[index] : "code \(code)"
}

/// A digest with its algorithm.
struct Digest: Sendable, Hashable {
    var algorithm: Name
    var value: Name
}

/// What a sink was told about an object.
struct Entry: Sendable {
    var kind: UInt32
    var key: Name
    var size: Int64
    var mtime: Int64
    var etag: Name
    var version: Name
    var properties: [Name: Name]
    var metadata: [Name: Name]
    var checksums: [Digest]
    /// The struct is as large as the header says, so that its fields may be read.
    var isWhole: Bool

    var isPrefix: Bool { kind == COFFER_KIND_PREFIX }

    init(_ raw: coffer_entry) {
        kind = raw.kind
        key = Name(bytes(raw.key))
        size = raw.size
        mtime = raw.mtime_ns
        etag = Name(bytes(raw.etag))
        version = Name(bytes(raw.version))
        properties = pairs(raw.props, raw.n_props)
        metadata = pairs(raw.meta, raw.n_meta)
        checksums = UnsafeBufferPointer(start: raw.checksums, count: raw.checksums == nil ? 0 : raw.n_checksums).map {
            Digest(algorithm: Name(bytes($0.algorithm)), value: Name(bytes($0.value)))
        }
        isWhole = Int(raw.struct_size) >= MemoryLayout<coffer_entry>.size
    }
}

/// What a write brings beside its bytes.
struct WriteOptions: Sendable {
    var size: Int64 = -1
    var ifMatch: Name = ""
    var ifNoneMatch: Name = ""
    var properties: [(Name, Name)] = []
    var metadata: [(Name, Name)] = []
    var checksums: [Digest] = []
    /// Only `checksums` of the commit.
    var lateChecksums: [Digest] = []
}

/// What a read, a stat or a remove brings beside its key.
struct ReadOptions: Sendable {
    var version: Name = ""
    var ifMatch: Name = ""
    var ifNoneMatch: Name = ""
    var offset: UInt64 = 0
    var length: Int64 = -1
    var flags: UInt32 = 0
}

/// What a copy or a move brings beside its two keys.
struct CopyOptions: Sendable {
    var sourceIfMatch: Name = ""
    var ifMatch: Name = ""
    var ifNoneMatch: Name = ""
    var replacesMeta = false
    var properties: [(Name, Name)] = []
    var metadata: [(Name, Name)] = []
}

func bytes(_ text: coffer_str) -> [UInt8] {
    guard let start = text.ptr, text.len > 0 else { return [] }
    return Array(UnsafeRawBufferPointer(start: start, count: text.len))
}

private func pairs(_ start: UnsafePointer<coffer_kv>?, _ count: Int) -> [Name: Name] {
    guard let start else { return [:] }
    var result: [Name: Name] = [:]
    for pair in UnsafeBufferPointer(start: start, count: count) {
        result[Name(bytes(pair.key))] = Name(bytes(pair.value))
    }
    return result
}
