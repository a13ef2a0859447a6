// User metadata in headers: names that headers cannot have, and values that they cannot hold.

import CofferCrypto
public import CofferPluginSDK
public import CofferTransport

/// Writes user metadata into headers and reads them back.
///
/// 1. What a header can hold stands there as it is, so that other programs read it; also UTF-8, where the store takes it.
/// 2. Other values are encoded words of RFC 2047, which Amazon S3 and R2 use themselves.
/// 3. A name that a header or the store cannot have stands there with dashes, and its true form in `coffer-names`.
/// 4. A value that is too long for the store goes on in further headers, counted in `coffer-names`.
/// 5. Names that begin with `coffer-` are ours: they are never shown, and nobody's name becomes one.
public struct MetadataCode: Sendable {
    private static let reserved = "coffer-"
    private static let table = "coffer-names"

    /// What stands before a name, in lower case: `x-amz-meta-`.
    public let header: String
    /// Whether the store gives an underscore back as one.
    public let keepsUnderscores: Bool
    /// Whether the store gives back values in UTF-8.
    public let keepsUTF8: Bool
    /// The most bytes of one value; 0 is no such limit.
    public let valueLimit: Int

    /// A code for the headers that begin with `header`.
    public init(header: String, keepsUnderscores: Bool = true, keepsUTF8: Bool = false, valueLimit: Int = 0) {
        self.header = header
        self.keepsUnderscores = keepsUnderscores
        self.keepsUTF8 = keepsUTF8
        self.valueLimit = valueLimit
    }

    /// Adds the headers of metadata.
    public func write(_ metadata: Properties, to headers: inout HTTPHeaders) throws(BackendError) {
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
            let pieces = split(field(of: value))
            headers.add(header + unique, pieces[0])
            for (index, piece) in pieces.dropFirst().enumerated() {
                headers.add("\(header)\(Self.reserved)more-\(names.count)-\(index)", piece)
            }
            guard pieces.count > 1 || !unique.utf8.elementsEqual(name.utf8) else { continue }
            names.append("\(unique)=\(percentEncoded(name.utf8))" + (pieces.count > 1 ? "+\(pieces.count - 1)" : ""))
        }
        if !names.isEmpty {
            let pieces = split(names.joined(separator: ","))
            for (index, piece) in pieces.enumerated() {
                headers.add(header + Self.table + (index == 0 ? "" : "-\(index)"), piece)
            }
        }
    }

    /// The metadata of an object.
    public func read(_ headers: HTTPHeaders) -> Properties {
        var table = headers[header + Self.table] ?? ""
        var index = 1
        while !table.isEmpty, let more = headers["\(header)\(Self.table)-\(index)"] {
            table += more
            index += 1
        }
        var names: [String: (name: String, place: Int, pieces: Int)] = [:]
        for (place, entry) in table.split(separator: ",").enumerated() {
            let halves = entry.split(separator: "=", maxSplits: 1)
            guard halves.count == 2 else { continue }
            let rest = halves[1].split(separator: "+", maxSplits: 1)
            guard let first = rest.first, let bytes = percentDecoded(first.utf8) else { continue }
            let count = rest.count > 1 ? Int(rest[1]) ?? 0 : 0
            names[String(halves[0])] = (String(decoding: bytes, as: UTF8.self), place, count)
        }
        var metadata = Properties()
        for field in headers {
            guard let name = name(of: field) else { continue }
            guard let entry = names[name] else {
                metadata[name] = Self.decoded(field.value)
                continue
            }
            var value = field.value
            for piece in 0..<entry.pieces {
                value += headers["\(header)\(Self.reserved)more-\(entry.place)-\(piece)"] ?? ""
            }
            metadata[entry.name] = Self.decoded(value)
        }
        return metadata
    }

    /// One of our own values; nil where there is none.
    public func own(_ name: String, in headers: HTTPHeaders) -> String? { headers[header + Self.reserved + name] }

    /// Adds one of our own values.
    public func addOwn(_ name: String, _ value: String, to headers: inout HTTPHeaders) {
        headers.add(header + Self.reserved + name, value)
    }

    /// Every one of our own values whose name begins with `prefix`.
    public func owns(_ headers: HTTPHeaders) -> [(name: String, value: String)] {
        let start = header + Self.reserved
        return headers.compactMap { field in
            let name = field.name.lowercased()
            guard name.utf8.starts(with: start.utf8) else { return nil }
            return (String(name.dropFirst(start.utf8.count)), field.value)
        }
    }

    /// The name of somebody's metadata; nil for what is no metadata, or ours.
    private func name(of field: HTTPHeaders.Field) -> String? {
        let name = field.name.lowercased()
        guard name.utf8.starts(with: header.utf8) else { return nil }
        let rest = name.dropFirst(header.utf8.count)
        return rest.isEmpty || rest.utf8.starts(with: Self.reserved.utf8) ? nil : String(rest)
    }

    /// A name as a header can have it.
    private func plainName(_ name: String) -> String {
        let bytes = name.utf8.map { byte -> UInt8 in
            switch byte {
            case 0x61...0x7A, 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "."): byte
            case 0x41...0x5A: byte | 0x20
            case UInt8(ascii: "_") where keepsUnderscores: byte
            default: UInt8(ascii: "-")
            }
        }
        let plain = String(decoding: bytes.prefix(100), as: UTF8.self)
        return plain.utf8.starts(with: Self.reserved.utf8) ? "x-\(plain)" : plain
    }

    /// A value as it stands in the store's header.
    private func field(of value: String) -> String {
        let bytes = value.utf8
        guard keepsUTF8, !bytes.allSatisfy({ $0 < 0x80 }), valueLimit == 0 || bytes.count <= valueLimit else {
            return Self.encoded(value)
        }
        // To some servers two bytes are blanks that trail or end a line although they are parts of characters.
        let isKept =
            bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != 0x85 } && !Self.isBlank(bytes.first)
            && !Self.isBlank(bytes.last) && value.firstRange(of: "=?") == nil && value.firstRange(of: "  ") == nil
        return isKept ? value : Self.encoded(value)
    }

    private static func isBlank(_ byte: UInt8?) -> Bool { byte == 0x20 || byte == 0xA0 }

    private func split(_ value: String) -> [String] {
        guard valueLimit > 0, value.utf8.count > valueLimit else { return [value] }
        var pieces: [String] = []
        var rest = value.utf8[...]
        while !rest.isEmpty {
            var count = min(valueLimit, rest.count)
            // A blank at an edge would be lost on the way.
            while count > 1, count < rest.count, rest.dropFirst(count - 1).prefix(2).contains(0x20) { count -= 1 }
            pieces.append(String(decoding: rest.prefix(count), as: UTF8.self))
            rest = rest.dropFirst(count)
        }
        return pieces
    }
}

// Encoded words (RFC 2047).
extension MetadataCode {
    /// A value as a header can hold it.
    public static func encoded(_ value: String) -> String {
        let bytes = value.utf8
        let isPlain =
            bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && bytes.first != 0x20 && bytes.last != 0x20
            && value.firstRange(of: "=?") == nil && value.firstRange(of: "  ") == nil
        return isPlain ? value : "=?UTF-8?B?\(base64(Array(bytes)))?="
    }

    /// What encoded words stand for; anything else as it is.
    public static func decoded(_ value: String) -> String {
        guard value.utf8.starts(with: "=?".utf8), value.utf8.suffix(2).elementsEqual("?=".utf8)
        else { return value }
        var result: [UInt8] = []
        for word in value.split(separator: " ") {
            guard let bytes = bytes(ofWord: word) else { return value }
            result.append(contentsOf: bytes)
        }
        return String(validating: result, as: UTF8.self) ?? value
    }

    private static func bytes(ofWord word: Substring) -> [UInt8]? {
        let fields = word.split(separator: "?", omittingEmptySubsequences: false)
        guard fields.count == 5, fields[0] == "=", fields[4] == "=", fields[1].lowercased() == "utf-8" else {
            return nil
        }
        switch fields[2] {
        case "B", "b": return CofferCrypto.bytes(base64: String(fields[3]))
        case "Q", "q":
            // The same as in URLs, but for its sign and for blanks.
            return percentDecoded(
                fields[3].utf8.flatMap { byte -> [UInt8] in
                    switch byte {
                    case UInt8(ascii: "="): [UInt8(ascii: "%")]
                    case UInt8(ascii: "%"): Array("%25".utf8)
                    case UInt8(ascii: "_"): [0x20]
                    default: [byte]
                    }
                }
            )
        default: return nil
        }
    }
}
