// User metadata as header fields can hold them, and the host's digest beside them.

import CofferCrypto
package import CofferPluginSDK

/// User metadata as the header fields of object stores can hold them.
///
/// 1. What a field can hold stands there as it is, so that whoever uses Libcloud directly reads it.
/// 2. Other values are encoded words (RFC 2047).
/// 3. A name that a field cannot have on every server stands there with dashes, and its true form in `coffer-names`.
/// 4. Names that begin with `coffer-` are ours: they are never shown, and nobody's name becomes one.
package enum MetadataCode {
    private static let own = "coffer-"
    private static let digest = "coffer-sha256"
    private static let table = "coffer-names"

    /// The fields of metadata, and of the digest if there is one.
    package static func encoded(
        _ metadata: Properties,
        _ checksums: Checksums
    ) throws(BackendError) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        var used: Set<String> = []
        var names: [String] = []
        for (name, value) in metadata {
            guard !name.isEmpty else { throw BackendError(.invalidArgument, "a name of user metadata is empty") }
            let plain = plainName(name)
            var unique = plain
            var count = 1
            while !used.insert(unique).inserted {
                count += 1
                unique = "\(plain)-\(count)"
            }
            fields.append((unique, word(value)))
            if !unique.utf8.elementsEqual(name.utf8) { names.append("\(unique)=\(escaped(name))") }
        }
        if !names.isEmpty { fields.append((table, names.joined(separator: ","))) }
        if let sum = checksums["sha256"], !sum.isComposite { fields.append((digest, sum.value)) }
        return fields
    }

    /// Metadata and digests out of fields.
    package static func decoded(_ fields: [(String, String)]) -> (Properties, Checksums) {
        var metadata = Properties()
        var checksums = Checksums()
        let names = trueNames(fields.last { $0.0.lowercased().utf8.elementsEqual(table.utf8) }?.1 ?? "")
        for (name, value) in fields {
            let name = name.lowercased()
            if name.utf8.elementsEqual(digest.utf8) {
                if isDigest(value) { checksums.append(Checksum(algorithm: "sha256", value: value)) }
            } else if !name.utf8.starts(with: own.utf8) {
                metadata[names[name] ?? name] = text(value)
            }
        }
        return (metadata, checksums)
    }

    private static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// A name as every server takes it: some make a dash of an underscore, and then their signatures differ.
    private static func plainName(_ name: String) -> String {
        let bytes = name.utf8.map { byte -> UInt8 in
            switch byte {
            case 0x61...0x7A, 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "."): byte
            case 0x41...0x5A: byte | 0x20
            default: UInt8(ascii: "-")
            }
        }
        let plain = String(decoding: bytes.prefix(100), as: UTF8.self)
        return plain.utf8.starts(with: own.utf8) ? "x-\(plain)" : plain
    }

    /// What a table of names says: the true name of each plain one.
    private static func trueNames(_ table: String) -> [String: String] {
        var names: [String: String] = [:]
        for entry in table.split(separator: ",") {
            let halves = entry.split(separator: "=", maxSplits: 1)
            guard halves.count == 2, let name = unescaped(halves[1]) else { continue }
            names[String(halves[0])] = name
        }
        return names
    }

    /// A name in letters, digits and percent signs.
    private static func escaped(_ name: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in name.utf8 {
            switch byte {
            case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.append(byte)
            default: result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func unescaped(_ text: Substring) -> String? {
        var result: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(Substring(rest.prefix(2))), radix: 16) else { return nil }
            rest = rest.dropFirst(2)
            result.append(value)
        }
        return String(validating: result, as: UTF8.self)
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
