/// The name of an object in a storage: UTF-8, compared and ordered as bytes.
///
/// A `String` alone will not do: Swift holds the two Unicode forms of `é` for equal, and a storage must not.
public struct Key: Sendable {
    /// The key as text, exactly as it was given.
    public let text: String

    /// Wraps `text` without checking it; ``checkForReading()`` and ``checkForWriting()`` do that.
    public init(_ text: String) { self.text = text }

    /// The longest key, in bytes of UTF-8.
    public static let maximumLength = 1024
}

extension Key: Hashable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// Makes a key of a literal.
    public init(stringLiteral value: String) { text = value }

    /// The key's text.
    public var description: String { text }

    /// Whether both keys have the same bytes.
    public static func == (left: Key, right: Key) -> Bool { left.text.hasSameBytes(as: right.text) }

    /// Whether `left` comes first in byte order.
    public static func < (left: Key, right: Key) -> Bool { left.text.utf8.lexicographicallyPrecedes(right.text.utf8) }

    /// Feeds the key's bytes into `hasher`.
    public func hash(into hasher: inout Hasher) {
        // By eight bytes a step: each step of a hasher costs as much as the next, whatever its width.
        let bytes = text.utf8.span
        var word: UInt64 = 0
        for index in 0..<bytes.count {
            word = word << 8 | UInt64(bytes[index])
            if index & 7 == 7 { hasher.combine(word) }
        }
        hasher.combine(word)
        hasher.combine(bytes.count)
    }
}

extension String {
    /// Whether both have the same bytes; `==` also holds other bytes for equal that mean the same characters.
    public func hasSameBytes(as other: String) -> Bool {
        let left = utf8.span
        let right = other.utf8.span
        guard left.count == right.count else { return false }
        for index in 0..<left.count where left[index] != right[index] { return false }
        return true
    }
}

extension Key {
    /// Refuses what no storage can hold: nothing at all, too much, NUL and other control characters.
    ///
    /// - Throws: ``CofferError`` with `invalid_key`, naming the reason.
    public func checkForReading() throws(CofferError) {
        let bytes = text.utf8.span
        guard !bytes.isEmpty else { throw refused("the key is empty") }
        guard bytes.count <= Key.maximumLength else {
            throw CofferError(
                .invalidKey,
                "the key has \(bytes.count) bytes, the limit is \(Key.maximumLength)"
            )
        }
        for index in 0..<bytes.count where bytes[index] < 0x20 || bytes[index] == 0x7F {
            throw refused("the key has a control character")
        }
    }

    /// Refuses also what would be ambiguous on a file system: `.`, `..` and empty segments, slashes at either end.
    ///
    /// - Throws: ``CofferError`` with `invalid_key`, naming the reason.
    public func checkForWriting() throws(CofferError) {
        try checkForReading()
        var length = 0
        var dots = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "/") {
                try checkSegment(length: length, dots: dots)
                length = 0
                dots = 0
            } else {
                length += 1
                dots += byte == UInt8(ascii: ".") ? 1 : 0
            }
        }
        try checkSegment(length: length, dots: dots)
    }

    private func checkSegment(length: Int, dots: Int) throws(CofferError) {
        guard length > 0 else { throw refused("the key has an empty segment, or a slash at its start or end") }
        guard length > 2 || dots != length else { throw refused("the key has a segment . or ..") }
    }

    private func refused(_ reason: String) -> CofferError { CofferError(.invalidKey, reason, key: self) }
}
