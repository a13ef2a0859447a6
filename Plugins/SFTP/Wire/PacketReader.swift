// Reading an answer field by field, never past its end.

/// Why an answer cannot be read.
package enum WireError: Error {
    /// It is shorter than its fields say, or is not what was asked for.
    case malformed
}

/// One name of a directory.
package struct NamedAttributes: Sendable {
    /// The name, as bytes.
    package let name: ArraySlice<UInt8>
    /// What is known of it, links not followed.
    package let attributes: Attributes
}

/// Reads the fields of an answer, from its type on.
package struct PacketReader: Sendable {
    private let bytes: [UInt8]
    private var at = 0

    /// Reads an answer without its length.
    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// How many bytes are left.
    package var left: Int { bytes.count - at }
    /// Where the next field starts.
    package var offset: Int { at }

    /// A byte.
    package mutating func byte() throws(WireError) -> UInt8 {
        guard left >= 1 else { throw WireError.malformed }
        at += 1
        return bytes[at - 1]
    }

    /// A number of 32 bits.
    package mutating func number() throws(WireError) -> UInt32 {
        guard left >= 4 else { throw WireError.malformed }
        at += 4
        return UInt32(bytes[at - 4]) << 24 | UInt32(bytes[at - 3]) << 16 | UInt32(bytes[at - 2]) << 8
            | UInt32(bytes[at - 1])
    }

    /// A number of 64 bits.
    package mutating func wide() throws(WireError) -> UInt64 {
        let high = try number()
        return UInt64(high) << 32 | UInt64(try number())
    }

    /// Bytes behind their length.
    package mutating func string() throws(WireError) -> ArraySlice<UInt8> {
        let length = Int(try number())
        guard length <= left else { throw WireError.malformed }
        at += length
        return bytes[(at - length)..<at]
    }

    /// Attributes.
    package mutating func attributes() throws(WireError) -> Attributes { try Attributes(from: &self) }

    /// What a status says; version 3 sends words with it, and not every server does.
    package mutating func status() throws(WireError) -> Status {
        let code = try number()
        guard left >= 4 else { return Status(code: code, words: "") }
        return Status(code: code, words: String(decoding: try string(), as: UTF8.self))
    }

    /// The names of a directory, as many as one answer has.
    package mutating func names() throws(WireError) -> [NamedAttributes] {
        let count = Int(try number())
        // Each takes at least twelve bytes: a count beyond that is nonsense, and no reason to reserve memory.
        guard count <= left / 12 else { throw WireError.malformed }
        var names: [NamedAttributes] = []
        names.reserveCapacity(count)
        for _ in 0..<count {
            let name = try string()
            _ = try string()  // What `ls -l` would show: for people.
            names.append(NamedAttributes(name: name, attributes: try attributes()))
        }
        return names
    }

    /// The extensions that a server names behind its version.
    package mutating func extensions() throws(WireError) -> [String: String] {
        var extensions: [String: String] = [:]
        while left > 0 {
            let name = String(decoding: try string(), as: UTF8.self)
            extensions[name] = String(decoding: try string(), as: UTF8.self)
        }
        return extensions
    }
}
