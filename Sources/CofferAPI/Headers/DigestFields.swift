package import CofferModel

/// `Content-Digest` and `Repr-Digest` (RFC 9530).
package enum DigestFields {
    private static let algorithms: [(name: String, algorithm: Checksum.Algorithm, length: Int)] = [
        ("sha-256", .sha256, 32), ("sha-512", .sha512, 64), ("crc32c", .crc32c, 4), ("md5", .md5, 16),
    ]

    /// How the digests may be computed that `Trailer` fields announce: the field names them, and not their algorithms.
    package static func announced(trailer fields: [String]) -> [Checksum.Algorithm] {
        let names = fields.flatMap { $0.split(separator: ",").map { $0.trimmed.lowercasedASCII } }
        let isAnnounced = names.contains("content-digest") || names.contains("repr-digest")
        return isAnnounced ? algorithms.map(\.algorithm) : []
    }

    /// The digests that a request announces, in a head or in trailers; both fields say the same of a whole body.
    ///
    /// - Throws: ``CofferError`` with `unsupported` for an algorithm that we do not know, `invalid_argument` for a
    ///   field that is malformed.
    package static func parse(_ fields: FieldLookup) throws(CofferError) -> [Checksum] {
        var checksums: [Checksum] = []
        for name in ["content-digest", "repr-digest"] {
            for value in fields(name) {
                for checksum in try parse(value, field: name) {
                    if let same = checksums.first(where: { $0.algorithm == checksum.algorithm }) {
                        guard same.value == checksum.value else {
                            throw CofferError(.invalidArgument, "two different \(checksum.algorithm.rawValue) digests")
                        }
                    } else {
                        checksums.append(checksum)
                    }
                }
            }
        }
        return checksums
    }

    /// The digests of one field's value.
    package static func parse(_ value: String, field: String) throws(CofferError) -> [Checksum] {
        var checksums: [Checksum] = []
        for item in value.split(separator: ",") {
            let item = item.trimmed
            guard let equals = item.utf8.firstIndex(of: UInt8(ascii: "=")) else { throw malformed(field) }
            let name = item[..<equals].lowercasedASCII
            guard let known = algorithms.first(where: { $0.name == name }) else {
                let names = algorithms.map(\.name).joined(separator: ", ")
                throw CofferError(.unsupported, "\(field): unknown algorithm \(name); known are \(names)")
            }
            // A byte sequence between colons; what follows it are parameters, which mean nothing here.
            let sequence = Array(item.utf8[item.utf8.index(after: equals)...])
            guard sequence.first == UInt8(ascii: ":"),
                let end = sequence.dropFirst().firstIndex(of: UInt8(ascii: ":")),
                end + 1 == sequence.count || sequence[end + 1] == UInt8(ascii: ";"),
                let digest = Base64.decode(sequence[1..<end])
            else { throw malformed(field) }
            guard digest.count == known.length else {
                throw CofferError(
                    .invalidArgument,
                    "\(field): a \(name) digest has \(known.length) bytes, not \(digest.count)"
                )
            }
            checksums.append(Checksum(known.algorithm, Hexadecimal.encode(digest)))
        }
        return checksums
    }

    /// Appends an answer's field of what of `checksums` may stand in it; nothing where nothing may.
    ///
    /// Only whole digests, and only those that RFC 9530 calls active.
    package static func append(_ checksums: [Checksum], to bytes: inout [UInt8]) {
        let start = bytes.count
        for known in algorithms where known.algorithm == .sha256 || known.algorithm == .sha512 {
            for checksum in checksums where checksum.algorithm == known.algorithm && !checksum.isComposite {
                let before = bytes.count
                if before > start { bytes.append(contentsOf: ", ".utf8) }
                bytes.append(contentsOf: known.name.utf8)
                bytes.append(contentsOf: "=:".utf8)
                if Base64.append(hexadecimal: checksum.value, length: known.length, to: &bytes) {
                    bytes.append(UInt8(ascii: ":"))
                } else {
                    bytes.removeLast(bytes.count - before)
                }
            }
        }
    }

    /// The field's value for digests that a request announces, all of them.
    ///
    /// - Throws: ``CofferError`` with `unsupported` for an algorithm that we do not know or a digest of digests,
    ///   `invalid_argument` for what is no digest.
    package static func announcement(_ checksums: [Checksum]) throws(CofferError) -> String {
        var bytes: [UInt8] = []
        for checksum in checksums {
            let word = checksum.algorithm.rawValue
            guard let known = algorithms.first(where: { $0.algorithm == checksum.algorithm }), !checksum.isComposite
            else {
                let words = algorithms.map(\.algorithm.rawValue).joined(separator: ", ")
                throw CofferError(.unsupported, "checksums: no \(word) of whole objects; known are \(words)")
            }
            bytes.append(contentsOf: "\(bytes.isEmpty ? "" : ", ")\(known.name)=:".utf8)
            guard Base64.append(hexadecimal: checksum.value, length: known.length, to: &bytes) else {
                let digits = 2 * known.length
                throw CofferError(.invalidArgument, "checksums: a \(word) is \(digits) hexadecimal digits")
            }
            bytes.append(UInt8(ascii: ":"))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func malformed(_ field: String) -> CofferError {
        CofferError(.invalidArgument, "\(field) must be like sha-256=:base64:")
    }
}
