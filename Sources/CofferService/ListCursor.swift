// Where a listing goes on: opaque to clients, true across restarts, refused when it is another query's or was changed.
//
// The bytes: version 1, the query's fingerprint (8), a kind (1), a text, and a check over all of it (8); in base64url.
import CofferBackend
import CofferModel

/// The place in a listing behind a page.
struct ListCursor: Equatable {
    enum Place: Equatable {
        /// Behind this key or prefix, as callers know it.
        case after(String)
        /// Where the store says.
        case token(String)
    }

    let place: Place

    private static let version: UInt8 = 1

    /// The text that a client gets.
    func encoded(for query: ListQuery) -> String {
        var bytes: [UInt8] = [Self.version]
        bytes.append(number: Self.fingerprint(query))
        switch place {
        case .after(let key):
            bytes.append(0)
            bytes += key.utf8
        case .token(let token):
            bytes.append(1)
            bytes += token.utf8
        }
        bytes.append(number: Self.hash(bytes))
        return Base64URL.encode(bytes)
    }

    /// Reads what ``encoded(for:)`` wrote for the same query.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument` for anything else.
    init(_ text: String, for query: ListQuery) throws(CofferError) {
        guard let bytes = Base64URL.decode(text), bytes.count >= 18, bytes[0] == Self.version,
            bytes.number(at: bytes.count - 8) == Self.hash(Array(bytes.dropLast(8))),
            let content = String(validating: bytes[10..<bytes.count - 8], as: UTF8.self)
        else { throw CofferError(.invalidArgument, "the cursor is none that this host gave") }
        guard bytes.number(at: 1) == Self.fingerprint(query) else {
            throw CofferError(.invalidArgument, "the cursor belongs to a listing with other arguments")
        }
        place = bytes[9] == 0 ? .after(content) : .token(content)
    }

    init(_ place: Place) { self.place = place }

    private static func fingerprint(_ query: ListQuery) -> UInt64 {
        var bytes: [UInt8] = [query.wantsMetadata ? 1 : 0]
        for text in [query.prefix, query.delimiter, query.startAfter] {
            bytes.append(number: UInt64(text.utf8.count))
            bytes += text.utf8
        }
        return hash(bytes)
    }

    /// FNV-1a: it need not be secret, since a forged cursor reaches nothing that `start_after` would not.
    private static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

extension [UInt8] {
    fileprivate mutating func append(number: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    fileprivate func number(at offset: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(self[offset + $1]) << (8 * $1) }
    }
}

/// Base64 for URLs, without padding (RFC 4648, section 5).
enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 4 / 3 + 3)
        var index = 0
        while index < bytes.count {
            let count = min(3, bytes.count - index)
            var group = 0
            for offset in 0..<3 { group = group << 8 | (offset < count ? Int(bytes[index + offset]) : 0) }
            for place in 0...count { text.append(alphabet[group >> (18 - 6 * place) & 63]) }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for anything that ``encode(_:)`` would not have written.
    static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var group = 0
        var bits = 0
        for character in text.utf8 {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            group = group << 6 | value
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: group >> bits))
                group &= (1 << bits) - 1
            }
        }
        return bits < 6 && group == 0 ? bytes : nil
    }
}
