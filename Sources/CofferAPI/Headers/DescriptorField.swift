package import CofferModel

/// `Coffer-Fd: offset=O; length=L`: which bytes of the descriptor beside this head are meant.
package struct DescriptorField: Sendable, Hashable {
    package var offset: Int64
    package var length: Int64

    package init(offset: Int64, length: Int64) {
        self.offset = offset
        self.length = length
    }

    /// The field's value.
    package var text: String { "offset=\(offset); length=\(length)" }

    /// Reads a field's value.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument`.
    package init(parsing value: String) throws(CofferError) {
        var offset: Int64?
        var length: Int64?
        for item in value.split(separator: ";") {
            let pair = item.split(separator: "=", omittingEmptySubsequences: false)
            guard pair.count == 2, let number = Self.number(pair[1].trimmed) else { throw Self.malformed }
            switch pair[0].trimmed.lowercasedASCII {
            case "offset" where offset == nil: offset = number
            case "length" where length == nil: length = number
            default: throw Self.malformed
            }
        }
        guard let offset, let length, length <= .max - offset else { throw Self.malformed }
        self.init(offset: offset, length: length)
    }

    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int64(text)
    }

    private static var malformed: CofferError {
        CofferError(.invalidArgument, "coffer-fd must be like offset=0; length=1024")
    }
}
