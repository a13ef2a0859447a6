// Which bytes of an object an answer holds.

import CofferPluginSDK

/// Which bytes of an object an answer holds, checked against what was asked.
struct Placement {
    /// The bytes that the caller gets.
    let range: Range<UInt64>
    /// The size of the whole object.
    let size: UInt64
    /// The first byte that the answer holds; before the range where the server sent all.
    let start: UInt64

    /// Reads the head of a 200 or 206; an answer of other bytes than those asked for is `corrupt`.
    init(of response: HTTPResponse, asked: ReadRange, authority: String) throws(BackendError) {
        guard response.head.status == 206 else {
            guard let length = response.length else {
                throw BackendError(.io, "\(authority) names no length of the object", native: 200)
            }
            size = length
            range = try asked.resolve(size: length)
            start = 0
            return
        }
        let text = response.head.headers["content-range"]
        if response.length == 0, asked.fitsEmpty, text?.hasSuffix("/0") ?? false {
            // Some send an empty object as part of itself, with a range that is none.
            (size, range, start) = (0, 0..<0, 0)
            return
        }
        guard let text, let given = ContentRange(text) else {
            throw BackendError(.corrupt, "\(authority) answers a range without saying which", native: 206)
        }
        size = given.size
        let wanted = try asked.resolve(size: given.size)
        // A range of no bytes cannot be asked for: one byte was, and is dropped.
        let expected = wanted.isEmpty ? given.range : wanted
        guard given.range == expected, response.length ?? UInt64(given.range.count) == UInt64(given.range.count) else {
            throw BackendError(.corrupt, "\(authority) answers another range than was asked for", native: 206)
        }
        range = wanted
        start = given.range.lowerBound
    }
}

/// The field `Content-Range` of an answer that holds one range: `bytes 0-4/10`.
struct ContentRange: Equatable {
    /// The bytes.
    let range: Range<UInt64>
    /// Of how many.
    let size: UInt64

    init?(_ text: String) {
        let unit = text.split(separator: " ", omittingEmptySubsequences: true)
        guard unit.count == 2, unit[0].lowercased() == "bytes" else { return nil }
        let parts = unit[1].split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let size = UInt64(parts[1]) else { return nil }
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = UInt64(ends[0]), let last = UInt64(ends[1]), first <= last, last < size
        else {
            return nil
        }
        self.size = size
        range = first..<(last + 1)
    }
}

extension ReadRange {
    /// The field `Range` that asks for it; nil asks for all.
    var field: String? {
        switch self {
        case .all, .from(0): nil
        case .from(let offset): "bytes=\(offset)-"
        case .slice(let offset, 0): "bytes=\(offset)-\(offset)"
        // Some servers count in signed numbers, and no object ends so far away.
        case .slice(let offset, let length) where length > UInt64(Int64.max) || offset > UInt64(Int64.max) - length:
            "bytes=\(offset)-"
        case .slice(let offset, let length): "bytes=\(offset)-\(offset + length - 1)"
        case .suffix(0): "bytes=0-0"
        case .suffix(let length): "bytes=-\(length)"
        }
    }

    /// Whether an empty object has it.
    var fitsEmpty: Bool {
        switch self {
        case .all, .from(0), .slice(0, _), .suffix: true
        case .from, .slice: false
        }
    }
}
