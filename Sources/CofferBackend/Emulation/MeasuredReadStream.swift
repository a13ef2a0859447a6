// The bytes of an answer, no fewer and no more than promised: a store's mistake must never look like a whole object.
import CofferModel

/// A window on a store's stream that ends in an error where the store's bytes do.
///
/// Unchecked because calls on a stream never overlap.
final class MeasuredReadStream: ReadStream, @unchecked Sendable {
    private let bare: any ReadStream
    private let owner: EmulatedBackend
    /// What comes before the window and is thrown away.
    private var skip: Int64
    /// What of the window is still to come.
    private var left: Int64
    /// Whether the store's stream should end where the window does.
    private let endsWithStream: Bool
    private let key: Key

    init(_ bare: any ReadStream, skip: Int64, length: Int64, endsWithStream: Bool, key: Key, owner: EmulatedBackend) {
        self.bare = bare
        self.skip = skip
        left = length
        self.endsWithStream = endsWithStream
        self.key = key
        self.owner = owner
    }

    deinit { bare.close() }

    func read(into buffer: inout MutableRawSpan, _ call: Call) throws(CofferError) -> Int {
        guard buffer.byteCount > 0 else { return 0 }
        while skip > 0 {
            let count = try part(of: &buffer, atMost: skip, call)
            guard count > 0 else { throw short }
            skip -= Int64(count)
        }
        guard left > 0 else {
            if endsWithStream, try bare.read(into: &buffer, call) > 0 { throw long }
            return 0
        }
        let count = endsWithStream ? try bare.read(into: &buffer, call) : try part(of: &buffer, atMost: left, call)
        guard count > 0 else { throw short }
        guard Int64(count) <= left else { throw long }
        left -= Int64(count)
        return count
    }

    func close() { bare.close() }

    private func part(of buffer: inout MutableRawSpan, atMost limit: Int64, _ call: Call) throws(CofferError) -> Int {
        guard limit < Int64(buffer.byteCount) else { return try bare.read(into: &buffer, call) }
        var part = buffer._mutatingExtracting(first: Int(limit))
        return try bare.read(into: &part, call)
    }

    private var short: CofferError {
        CofferError(.corrupt, "the store's answer ended \(skip + left) bytes too early", key: key)
    }
    private var long: CofferError {
        CofferError(.corrupt, "the store's answer has more bytes than it promised", key: key)
    }
}
