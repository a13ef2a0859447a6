// The first bytes of an object, asked for together with what is known of it: a small object takes one round of waiting.

import CofferPluginSDK
import CofferTransport

/// The first bytes of a read, asked for before anything is known of the object.
///
/// They count only if the answer is exactly that of the version that was looked at; else they are dropped, and the read
/// begins with what is known.
struct FirstPiece {
    /// The most bytes.
    static let longest: UInt64 = 256 << 10

    private let offset: UInt64
    private let length: UInt64
    private var answer: HTTPAnswer?

    /// The piece to ask for; nil where it cannot be said before the size is known, or is nothing.
    init?(of range: ReadRange) {
        switch range {
        case .all: (offset, length) = (0, Self.longest)
        case .from(let offset): (self.offset, length) = (offset, Self.longest)
        case .slice(let offset, let length): (self.offset, self.length) = (offset, min(length, Self.longest))
        case .suffix: return nil
        }
        guard length > 0, offset < UInt64(Int64.max) else { return nil }
    }

    /// The request.
    func request(_ path: String) -> HTTPRequest {
        var request = HTTPRequest(
            "GET",
            "\(path)?alt=media",
            headers: ["Accept-Encoding": "gzip", "Range": "bytes=\(offset)-\(offset + length - 1)"]
        )
        request.answerLimit = Int(Self.longest)
        return request
    }

    /// Takes what came.
    mutating func take(_ answer: HTTPAnswer) { self.answer = answer }

    /// The bytes at the beginning of `range`, if they are of that version; nil if not.
    func bytes(of version: VersionToken?, _ range: Range<UInt64>, size: UInt64) -> [UInt8]? {
        guard let answer, let version, range.lowerBound == offset else { return nil }
        let generation = answer.head.headers["x-goog-generation"].flatMap { Int64($0) }
        guard generation == version.generation else { return nil }
        let end = min(offset + length, range.upperBound)
        guard UInt64(answer.body.count) == end - offset else { return nil }
        switch answer.status {
        case 200: return offset == 0 && end == size ? answer.body : nil
        case 206:
            let expected = "bytes \(offset)-\(end - 1)/\(size)"
            let told = answer.head.headers["content-range"] ?? ""
            return told.utf8.elementsEqual(expected.utf8) ? answer.body : nil
        default: return nil
        }
    }
}

/// A read of bytes that are at hand, and of the rest.
final class PieceReader: ReadStream {
    private var bytes: [UInt8]
    private var position = 0
    private let rest: (any ReadStream)?

    init(_ bytes: [UInt8], then rest: (any ReadStream)?) {
        self.bytes = bytes
        self.rest = rest
    }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        guard position < bytes.count else { return try rest?.read(into: &buffer, call: call) ?? 0 }
        let count = min(buffer.byteCount, bytes.count - position)
        buffer.withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes { source in
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[position..<position + count]))
            }
        }
        position += count
        if position == bytes.count {
            bytes = []
            position = 0
        }
        return count
    }

    func close() { rest?.close() }
}
