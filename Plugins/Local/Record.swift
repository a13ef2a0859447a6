// What Coffer keeps about an object beside its bytes, in the fewest bytes: ext4 has about 60 of them free in an inode,
// and a record that fits there costs no block of its own.

import CofferPluginSDK

/// What Coffer keeps about an object; an object without one was not written by Coffer.
///
/// On disk: version, flags, generation (8), stamp (4), then items of a tag, lengths and bytes. Numbers are
/// little-endian, lengths are LEB128. A reader refuses a version that it does not know, and skips nothing.
struct Record: Sendable {
    /// The extended attribute that holds it.
    static let attribute = Array("user.coffer".utf8) + [0]

    /// Different for each version that Coffer writes.
    var generation: UInt64
    /// Made of the size and the modification time at the commit: while they still agree, so do the digests.
    var stamp: UInt32 = 0
    /// Whether the modification time was given by the writer.
    var hasGivenTime = false
    /// Properties: content-type and its like.
    var properties = Properties()
    /// User metadata.
    var metadata = Properties()
    /// Digests of the bytes.
    var digests = Checksums()
    /// The hash of the bytes at the commit, where foreign writers may hide; nil elsewhere.
    var contentHash: UInt64?
    /// Whether this is only the head, and the rest lies in a sidecar.
    var isStub = false

    /// A record of this generation.
    init(generation: UInt64) { self.generation = generation }

    /// The stamp of a file of this size and time.
    static func stamp(size: UInt64, time: Int64) -> UInt32 {
        let mixed = mix(size &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(bitPattern: time))
        return UInt32(truncatingIfNeeded: mixed)
    }

    /// The head alone: what stays in the attribute when the rest does not fit.
    var stub: Record {
        var stub = Record(generation: generation)
        stub.stamp = stamp
        stub.hasGivenTime = hasGivenTime
        stub.contentHash = contentHash
        stub.isStub = true
        return stub
    }
}

/// A well-mixed 64-bit value of a number (the finaliser of SplitMix64).
func mix(_ value: UInt64) -> UInt64 {
    var value = value
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
}

extension Record {
    private static let version: UInt8 = 1
    /// Properties with a tag of their own, from `firstKnown` on.
    ///
    /// Appended to only.
    private static let known = [
        "content-type", "content-encoding", "content-disposition", "content-language", "cache-control",
    ].map { Array($0.utf8) }
    private static let firstKnown: UInt8 = 0x10
    /// Digests with a tag of their own, from `firstDigest` on, and their sizes.
    ///
    /// Appended to only.
    private static let digests: [(name: [UInt8], size: Int)] = [
        ("sha256", 32), ("crc32c", 4), ("sha512", 64), ("md5", 16), ("sha1", 20),
    ].map { (Array($0.0.utf8), $0.1) }
    private static let firstDigest: UInt8 = 0x20
    private enum Tag {
        static let property: UInt8 = 1
        static let metadata: UInt8 = 2
        static let digest: UInt8 = 3
        static let compositeDigest: UInt8 = 4
        static let contentHash: UInt8 = 5
    }

    /// The bytes to keep.
    var encoded: [UInt8] {
        var out = Encoder()
        out.bytes = [Self.version, (isStub ? 1 : 0) | (hasGivenTime ? 2 : 0)]
        out.number(generation, bytes: 8)
        out.number(UInt64(stamp), bytes: 4)
        if let contentHash {
            out.bytes.append(Tag.contentHash)
            out.number(contentHash, bytes: 8)
        }
        for digest in digests {
            let algorithm = Array(digest.algorithm.utf8)
            let value = Array(digest.value.utf8)
            let known = Self.digests.firstIndex { $0.name == algorithm }
            if let known, !digest.isComposite, let raw = binary(value), raw.count == Self.digests[known].size {
                out.bytes.append(Self.firstDigest + UInt8(known))
                out.bytes.append(contentsOf: raw)
            } else {
                out.bytes.append(digest.isComposite ? Tag.compositeDigest : Tag.digest)
                out.text(algorithm)
                out.text(value)
            }
        }
        for (name, value) in properties {
            let name = Array(name.utf8)
            if let known = Self.known.firstIndex(of: name) {
                out.bytes.append(Self.firstKnown + UInt8(known))
            } else {
                out.bytes.append(Tag.property)
                out.text(name)
            }
            out.text(Array(value.utf8))
        }
        for (name, value) in metadata {
            out.bytes.append(Tag.metadata)
            out.text(Array(name.utf8))
            out.text(Array(value.utf8))
        }
        return out.bytes
    }

    /// Reads a record; nil if these bytes are none.
    init?(decoding bytes: UnsafeRawBufferPointer) {
        var input = Decoder(bytes)
        guard input.byte() == Self.version, let flags = input.byte(), let generation = input.number(bytes: 8),
            let stamp = input.number(bytes: 4)
        else { return nil }
        self.init(generation: generation)
        self.stamp = UInt32(stamp)
        isStub = flags & 1 != 0
        hasGivenTime = flags & 2 != 0
        while let tag = input.byte() {
            switch tag {
            case Self.firstDigest..<(Self.firstDigest + UInt8(Self.digests.count)):
                let (name, size) = Self.digests[Int(tag - Self.firstDigest)]
                guard let raw = input.take(size) else { return nil }
                digests.append(Checksum(algorithm: string(name), value: string(text(raw))))
            case Self.firstKnown..<(Self.firstKnown + UInt8(Self.known.count)):
                guard let value = input.text() else { return nil }
                properties[string(Self.known[Int(tag - Self.firstKnown)])] = string(value)
            case Tag.contentHash:
                guard let hash = input.number(bytes: 8) else { return nil }
                contentHash = hash
            default:
                guard let name = input.text(), let value = input.text() else { return nil }
                switch tag {
                case Tag.property: properties[string(name)] = string(value)
                case Tag.metadata: metadata[string(name)] = string(value)
                case Tag.digest: digests.append(Checksum(algorithm: string(name), value: string(value)))
                case Tag.compositeDigest:
                    digests.append(
                        Checksum(algorithm: string(name), value: string(value), isComposite: true)
                    )
                default: return nil
                }
            }
        }
    }

    private func string(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// The bytes of a lower-case hexadecimal text; nil if it is none.
    private func binary(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text {
            let digit: UInt8
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return bytes
    }

    /// The lower-case hexadecimal text of bytes.
    private func text(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(hexadecimal(byte >> 4))
            text.append(hexadecimal(byte & 15))
        }
        return text
    }
}
