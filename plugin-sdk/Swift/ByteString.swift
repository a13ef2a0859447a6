// Bytes that compare as bytes: keys, tokens, versions.

import Glibc

/// Bytes, UTF-8 by convention, that are compared and ordered as bytes.
///
/// A Swift `String` is the wrong type for a key: `"\u{e9}" == "e\u{301}"` there, and those are two keys. Keys, entity
/// tags, versions, prefixes and tokens all have this type; turn them into a `String` only to show them.
public struct ByteString: Sendable, Hashable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The bytes themselves.
    public let bytes: [UInt8]

    /// Takes bytes as they are.
    @inlinable
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The UTF-8 of a string.
    public init(_ string: String) { bytes = Array(string.utf8) }

    /// A copy of borrowed bytes.
    public init(copying span: RawSpan) {
        bytes = span.withUnsafeBytes { Array($0) }
    }

    /// The UTF-8 of a literal.
    public init(stringLiteral value: StaticString) {
        bytes = value.withUTF8Buffer { Array($0) }
    }

    /// No bytes, which means "not given" wherever a request carries one.
    public static let empty = ByteString([])

    /// Whether there are no bytes.
    @inlinable public var isEmpty: Bool { bytes.isEmpty }

    /// How many bytes there are.
    @inlinable public var count: Int { bytes.count }

    /// The bytes read as UTF-8, for people: what is not UTF-8 is repaired.
    public var string: String { String(decoding: bytes, as: UTF8.self) }

    /// The same as `string`.
    public var description: String { string }

    /// Whether the bytes start with those of `prefix`.
    public func hasPrefix(_ prefix: ByteString) -> Bool {
        guard prefix.count <= count else { return false }
        return bytes.withUnsafeBytes { mine in
            prefix.bytes.withUnsafeBytes { theirs in
                guard let left = mine.baseAddress, let right = theirs.baseAddress else { return true }
                return memcmp(left, right, theirs.count) == 0
            }
        }
    }

    /// Byte equality.
    public static func == (left: ByteString, right: ByteString) -> Bool {
        left.count == right.count && left.compare(right) == 0
    }

    /// Byte order: `memcmp`, then the length.
    public static func < (left: ByteString, right: ByteString) -> Bool { left.compare(right) < 0 }

    /// Below, at or above zero as these bytes come before, with or after the others.
    public func compare(_ other: ByteString) -> Int {
        bytes.withUnsafeBytes { left in
            other.bytes.withUnsafeBytes { right in
                let common = min(left.count, right.count)
                if common > 0, let first = left.baseAddress, let second = right.baseAddress {
                    let order = memcmp(first, second, common)
                    if order != 0 { return Int(order) }
                }
                return left.count - right.count
            }
        }
    }

    /// Feeds the bytes to a hasher.
    public func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}
