// User metadata in headers: names are identifiers of C# there, and values plain ASCII.

import CofferCrypto
package import CofferPluginSDK
package import CofferTransport

/// Writes user metadata into headers and reads them back.
///
/// 1. A name that is an identifier stands there as it is, so that other programs read it.
/// 2. Another name stands there with underscores, and its true form in `coffer_names`.
/// 3. A value that is not printable ASCII is an encoded word of RFC 2047.
/// 4. Names that begin with `coffer_` are ours: they are never shown, and nobody's name becomes one.
/// 5. Names and values together have at most 8 KiB, which the service demands.
package enum MetadataCode {
    private static let header = "x-ms-meta-"
    private static let reserved = "coffer_"
    private static let table = "coffer_names"
    /// The most bytes of all names and values in headers, less what our own values may need.
    private static let mostBytes = 8192 - 512

    /// Adds the headers of metadata.
    package static func write(_ metadata: Properties, to headers: inout HTTPHeaders) throws(BackendError) {
        var used: Set<String> = []
        var names: [String] = []
        var bytes = 0
        func add(_ name: String, _ value: String) {
            bytes += name.utf8.count + value.utf8.count
            headers.add(header + name, value)
        }
        for (name, value) in metadata {
            guard !name.isEmpty else { throw BackendError(.invalidArgument, "a name of user metadata is empty") }
            let plain = identifier(name)
            var unique = plain
            var count = 1
            while !used.insert(unique).inserted {
                count += 1
                unique = "\(plain)_\(count)"
            }
            add(unique, encoded(value))
            if !unique.utf8.elementsEqual(name.utf8) { names.append("\(unique)=\(percentEncoded(name.utf8))") }
        }
        if !names.isEmpty { add(table, names.joined(separator: ",")) }
        guard bytes <= mostBytes else {
            throw BackendError(.invalidArgument, "user metadata need more than the \(mostBytes) bytes that Azure keeps")
        }
    }

    /// The metadata of an object.
    package static func read(_ headers: HTTPHeaders) -> Properties {
        var names: [String: String] = [:]
        for entry in (headers[header + table] ?? "").split(separator: ",") {
            let halves = entry.split(separator: "=", maxSplits: 1)
            guard halves.count == 2, let bytes = percentDecoded(halves[1].utf8) else { continue }
            names[String(halves[0])] = String(decoding: bytes, as: UTF8.self)
        }
        var metadata = Properties()
        for field in headers {
            guard let name = name(of: field), !name.utf8.starts(with: reserved.utf8) else { continue }
            metadata[names[name] ?? name] = decoded(field.value)
        }
        return metadata
    }

    /// One of our own values; nil where there is none.
    package static func own(_ name: String, in headers: HTTPHeaders) -> String? { headers[header + reserved + name] }

    /// Adds one of our own values.
    package static func addOwn(_ name: String, _ value: String, to headers: inout HTTPHeaders) {
        headers[header + reserved + name] = value
    }

    /// A name of metadata in lower case; nil for another header.
    private static func name(of field: HTTPHeaders.Field) -> String? {
        let name = field.name.lowercased()
        guard name.utf8.starts(with: header.utf8), name.utf8.count > header.utf8.count else { return nil }
        return String(name.dropFirst(header.utf8.count))
    }

    /// A name as an identifier.
    private static func identifier(_ name: String) -> String {
        var bytes = name.utf8.prefix(100).map { byte -> UInt8 in
            switch byte {
            case 0x61...0x7A, 0x30...0x39, UInt8(ascii: "_"): byte
            case 0x41...0x5A: byte | 0x20
            default: UInt8(ascii: "_")
            }
        }
        let isDigit = bytes.first.map { (0x30...0x39).contains($0) } ?? false
        if isDigit || bytes.starts(with: reserved.utf8) { bytes.insert(UInt8(ascii: "_"), at: 0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

// Encoded words (RFC 2047).
extension MetadataCode {
    /// A value as a header can hold it; one without bytes would be lost.
    package static func encoded(_ value: String) -> String {
        let bytes = value.utf8
        let isPlain =
            !value.isEmpty && bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && bytes.first != 0x20 && bytes.last != 0x20
            && value.firstRange(of: "=?") == nil && value.firstRange(of: "  ") == nil
        return isPlain ? value : "=?UTF-8?B?\(base64(Array(bytes)))?="
    }

    /// What encoded words stand for; anything else as it is.
    package static func decoded(_ value: String) -> String {
        let prefix = "=?UTF-8?B?"
        guard value.utf8.count >= prefix.utf8.count + 2, value.utf8.starts(with: prefix.utf8),
            value.utf8.suffix(2).elementsEqual("?=".utf8),
            let bytes = bytes(base64: String(value.dropFirst(prefix.utf8.count).dropLast(2)))
        else { return value }
        return String(validating: bytes, as: UTF8.self) ?? value
    }
}
