package import CofferModel

/// `Range` and `Content-Range` (RFC 9110, section 14).
package enum RangeFields {
    /// What `Range` asks for.
    ///
    /// As RFC 9110 allows, a field that is malformed, names another unit or asks for several ranges is ignored: the
    /// answer is the whole object.
    ///
    /// - Throws: ``CofferError`` with `range_invalid` for the last 0 bytes, which no object can satisfy.
    package static func parse(_ values: [String]) throws(CofferError) -> ByteRange {
        guard values.count == 1, let equals = values[0].utf8.firstIndex(of: UInt8(ascii: "=")) else { return .all }
        guard values[0][..<equals].trimmed.lowercasedASCII == "bytes" else { return .all }
        let specifier = values[0][values[0].utf8.index(after: equals)...].trimmed
        guard let dash = specifier.utf8.firstIndex(of: UInt8(ascii: "-")) else { return .all }
        let first = specifier[..<dash].trimmed
        let last = specifier[specifier.utf8.index(after: dash)...].trimmed
        if first.isEmpty {
            guard let length = number(last) else { return .all }
            guard length > 0 else { throw CofferError(.rangeInvalid, "the range asks for the last 0 bytes") }
            return .suffix(length)
        }
        guard let start = number(first) else { return .all }
        if last.isEmpty { return .from(start) }
        guard let end = number(last), end >= start else { return .all }
        let (length, isTooLong) = (end - start).addingReportingOverflow(1)
        return .slice(offset: start, length: isTooLong ? .max : length)
    }

    /// A `Range` field for `range`; nil where it is all or nothing.
    package static func format(_ range: ByteRange) -> String? {
        switch range {
        case .all: nil
        case .from(let offset): "bytes=\(offset)-"
        case .slice(let offset, let length):
            length > 0 ? "bytes=\(offset)-\(length > .max - offset ? .max : offset + length - 1)" : nil
        case .suffix(let length): "bytes=-\(length)"
        }
    }

    /// The value of `Content-Range` for these bytes of an object of `size`.
    package static func contentRange(_ range: Range<Int64>, of size: Int64) -> String {
        "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
    }

    /// The value of `Content-Range` for a range outside an object of `size`.
    package static func unsatisfied(size: Int64) -> String { "bytes */\(size)" }

    /// The bytes and the whole size that `Content-Range` names; nil where it is something else.
    package static func parseContentRange(_ value: String) -> (range: Range<Int64>, size: Int64?)? {
        let parts = value.split(separator: " ")
        guard parts.count == 2, parts[0] == "bytes" else { return nil }
        let halves = parts[1].split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = number(ends[0]), let last = number(ends[1]), first <= last, last < .max
        else { return nil }
        if halves[1] == "*" { return (first..<last + 1, nil) }
        guard let size = number(halves[1]), size > last else { return nil }
        return (first..<last + 1, size)
    }

    /// A number of digits only; one past the largest is the largest.
    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int64(text) ?? .max
    }
}
