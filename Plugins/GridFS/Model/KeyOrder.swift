// Keys as MongoDB orders them: by their bytes, in strings that are UTF-8.

/// Bounds for the keys of a listing.
///
/// MongoDB compares strings by their bytes where no collation says otherwise, and that is the order of a listing too. But
/// a string in a command must be UTF-8, and what a caller gives as a prefix or a place need not be.
package enum KeyOrder {
    /// The smallest string that is greater than everything that starts with these bytes; nil if there is none, or if
    /// the bytes are not UTF-8.
    package static func successor(of bytes: [UInt8]) -> [UInt8]? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var scalars = Array(text.unicodeScalars)
        while let last = scalars.popLast() {
            // Between the last before and the first after the surrogates there is no scalar.
            let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
            guard let greater = Unicode.Scalar(next) else { continue }
            scalars.append(greater)
            return scalars.flatMap { Array(UTF8.encode($0) ?? UTF8.EncodedScalar()) }
        }
        return nil
    }

    /// The longest front of these bytes that is UTF-8: everything that comes after the bytes comes after it too.
    package static func front(of bytes: [UInt8]) -> [UInt8] {
        if String(validating: bytes, as: UTF8.self) != nil { return bytes }
        var (low, high) = (0, bytes.count)
        // A front of something valid is valid once the character that was cut is left out.
        while low < high {
            let middle = (low + high + 1) / 2
            let cut = bytes[..<middle]
            let isValid = (0..<4).contains { String(validating: cut.dropLast($0), as: UTF8.self) != nil }
            if isValid { low = middle } else { high = middle - 1 }
        }
        return Array(
            (0..<4).lazy.map { bytes[..<low].dropLast($0) }.first {
                String(validating: $0, as: UTF8.self) != nil
            } ?? []
        )
    }

    /// The part of a key up to the end of the first delimiter behind a prefix of so many bytes; nil if there is none.
    package static func commonPrefix(of key: [UInt8], behind count: Int, delimiter: [UInt8]) -> [UInt8]? {
        guard let first = delimiter.first else { return nil }
        var at = count
        while at + delimiter.count <= key.count {
            if key[at] == first && key[at..<at + delimiter.count].elementsEqual(delimiter) {
                return Array(key[..<(at + delimiter.count)])
            }
            at += 1
        }
        return nil
    }
}
