// The tokens by which conditions name a version.

package import CofferPluginSDK

/// A version of an object: its generation, which changes with the bytes, and its metageneration, which changes with the rest.
///
/// Both stand in the tag, `GENERATION-METAGENERATION`, and both are conditions that the store keeps by itself.
package struct VersionToken: Sendable, Hashable {
    package let generation: Int64
    package let metageneration: Int64

    /// A version by its numbers.
    package init(generation: Int64, metageneration: Int64) {
        self.generation = generation
        self.metageneration = metageneration
    }

    /// Reads a tag; nil if it is none of ours.
    package init?(_ tag: ByteString) {
        let halves = tag.bytes.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard halves.count == 2, let generation = Self.number(halves[0]), let metageneration = Self.number(halves[1])
        else { return nil }
        self.init(generation: generation, metageneration: metageneration)
    }

    /// The tag.
    package var tag: ByteString { ByteString("\(generation)-\(metageneration)") }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard let first = digits.first, first != 0x30 || digits.count == 1,
            digits.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int64(String(decoding: digits, as: UTF8.self))
    }
}

/// The conditions of a change, as parameters of its request.
package struct Precondition: Sendable {
    /// The parameters.
    package let query: [(name: String, value: String)]

    /// The conditions on what is replaced or removed; one that no object can meet is thrown as lost.
    package init(_ key: ByteString, _ conditions: Conditions) throws(BackendError) {
        var query: [(name: String, value: String)] = []
        if !conditions.ifNoneMatch.isEmpty {
            guard conditions.ifNoneMatch == "*" else {
                throw .unsupported("a condition that names the version that must not be there")
            }
            query.append((name: "ifGenerationMatch", value: "0"))
        }
        if conditions.ifMatch == "*" {
            query.append((name: "ifGenerationNotMatch", value: "0"))
        } else if !conditions.ifMatch.isEmpty {
            guard let token = VersionToken(conditions.ifMatch) else {
                throw BackendError(.precondition, "another version: \(key)")
            }
            query.append((name: "ifGenerationMatch", value: String(token.generation)))
            query.append((name: "ifMetagenerationMatch", value: String(token.metageneration)))
        }
        self.query = query
    }
}
