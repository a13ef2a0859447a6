// User metadata as header fields can hold them, and the host's digest beside them.

import CofferCrypto
package import CofferPluginSDK

/// User metadata as the header fields of object stores can hold them.
///
/// 1. What a field can hold stands there as it is, so that whoever uses Libcloud directly reads it.
/// 2. Other values are encoded words (RFC 2047). Names that a field cannot have are refused.
/// 3. Names that begin with `coffer-` are ours: they are never shown, and nobody may use them.
package enum MetadataCode {
    private static let own = "coffer-"
    private static let digest = "coffer-sha256"

    /// The fields of metadata, and of the digest if there is one.
    package static func encoded(
        _ metadata: Properties,
        _ checksums: Checksums
    ) throws(BackendError) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        for (name, value) in metadata {
            guard isName(name) else {
                throw BackendError(
                    .invalidArgument,
                    "the provider holds no metadata of this name: use letters, digits, - . _ (\(name.prefix(100)))"
                )
            }
            guard !name.utf8.starts(with: own.utf8) else {
                throw BackendError(.invalidArgument, "names of metadata that begin with \(own) are reserved")
            }
            fields.append((name, word(value)))
        }
        if let sum = checksums["sha256"], !sum.isComposite { fields.append((digest, sum.value)) }
        return fields
    }

    /// Metadata and digests out of fields.
    package static func decoded(_ fields: [(String, String)]) -> (Properties, Checksums) {
        var metadata = Properties()
        var checksums = Checksums()
        for (name, value) in fields {
            let name = name.lowercased()
            if name.utf8.elementsEqual(digest.utf8) {
                if isDigest(value) { checksums.append(Checksum(algorithm: "sha256", value: value)) }
            } else if !name.utf8.starts(with: own.utf8) {
                metadata[name] = text(value)
            }
        }
        return (metadata, checksums)
    }

    private static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func isName(_ name: String) -> Bool {
        (1...100).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x61...0x7A, 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
                default: false
                }
            }
    }

    /// A value as a field can hold it.
    private static func word(_ value: String) -> String {
        let bytes = Array(value.utf8)
        let isPlain =
            !bytes.isEmpty && bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && bytes.first != 0x20
            && bytes.last != 0x20 && !value.utf8.starts(with: "=?".utf8)
            && !zip(bytes, bytes.dropFirst()).contains { $0 == 0x20 && $1 == 0x20 }
        return isPlain ? value : "=?UTF-8?B?\(base64(bytes))?="
    }

    /// What an encoded word stands for; anything else as it is.
    private static func text(_ value: String) -> String {
        let fields = value.split(separator: "?", omittingEmptySubsequences: false)
        guard fields.count == 5, fields[0] == "=", fields[4] == "=", fields[1].lowercased() == "utf-8",
            fields[2].lowercased() == "b", let bytes = CofferCrypto.bytes(base64: String(fields[3]))
        else { return value }
        return String(validating: bytes, as: UTF8.self) ?? value
    }
}
