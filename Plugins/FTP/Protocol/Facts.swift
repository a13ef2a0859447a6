// What the server tells of a name: by the facts of MLST and MLSD, where it has them.

import CofferPluginSDK

/// What is known of a name on the server.
struct Facts: Equatable {
    /// What stands there.
    enum Kind: UInt8 {
        /// A file.
        case file = 0
        /// A directory.
        case directory = 1
        /// A link, a device, the directory itself or the one above: never an object.
        case other = 2
    }

    var kind = Kind.other
    /// Bytes; -1 unknown.
    var size: Int64 = -1
    /// Unix nanoseconds; `Entry.unknownTime` if unknown.
    var modified = Entry.unknownTime
    /// What tells this file from all others on the server, whatever its name; empty if the server has no such thing.
    var unique: ArraySlice<UInt8> = []

    /// What tells this state of the file from its other states, as far as the server knows; 0 if it cannot.
    ///
    /// A replaced object is another file, so its `unique` differs; a file that was changed in place differs in time or size.
    var token: UInt64 {
        guard !unique.isEmpty, modified != Entry.unknownTime, kind == .file else { return 0 }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ value: UInt64) {
            hash = (hash ^ value) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
        }
        for byte in unique { mix(UInt64(byte)) }
        mix(UInt64(bitPattern: size))
        mix(UInt64(bitPattern: modified))
        return hash == 0 ? 1 : hash
    }

    /// An entity tag of a token.
    static func tag(_ token: UInt64) -> ByteString {
        guard token != 0 else { return .empty }
        let digits = String(token, radix: 16)
        return ByteString(String(repeating: "0", count: 16 - digits.count) + digits)
    }
}

/// Reads the lines of MLST and MLSD (RFC 3659, section 7): `fact=value;fact=value; name`.
enum FactLine {
    /// The facts and the name of a line; nil if it is none.
    static func parse(_ line: ArraySlice<UInt8>) -> (facts: Facts, name: ArraySlice<UInt8>)? {
        guard let blank = line.firstIndex(of: 0x20) else { return nil }
        var facts = Facts()
        var start = line.startIndex
        while start < blank {
            let end = line[start..<blank].firstIndex(of: 0x3B) ?? blank
            if let equals = line[start..<end].firstIndex(of: 0x3D) {
                read(line[start..<equals], line[(equals + 1)..<end], into: &facts)
            }
            start = end + 1
        }
        return (facts, line[(blank + 1)...])
    }

    private static func read(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>, into facts: inout Facts) {
        if matches(name, "size") || matches(name, "sizd") {
            facts.size = number(value) ?? -1
        } else if matches(name, "modify") {
            facts.modified = Timestamp.parse(value) ?? Entry.unknownTime
        } else if matches(name, "unique") {
            facts.unique = value
        } else if matches(name, "type") {
            facts.kind = matches(value, "file") ? .file : matches(value, "dir") ? .directory : .other
        }
    }

    /// Whether bytes are these lower-case letters, in whatever case.
    static func matches(_ bytes: ArraySlice<UInt8>, _ word: StaticString) -> Bool {
        guard bytes.count == word.utf8CodeUnitCount else { return false }
        return word.withUTF8Buffer { letters in
            zip(bytes, letters).allSatisfy { $0 | 0x20 == $1 }
        }
    }

    /// A decimal number that fits.
    static func number(_ bytes: some Collection<UInt8>) -> Int64? {
        guard !bytes.isEmpty, bytes.count <= 18 else { return nil }
        var number: Int64 = 0
        for byte in bytes {
            guard (0x30...0x39).contains(byte) else { return nil }
            number = number * 10 + Int64(byte - 0x30)
        }
        return number
    }
}
