// What was written so far, for a write that may have to begin again under another name.
import CofferBackend
import CofferModel
import CofferSystem

/// The body of a write with `rename`: files by reference, bytes up to a bound.
struct KeptBody {
    private enum Piece {
        case bytes([UInt8])
        case file(Descriptor, offset: Int64, length: Int64)
    }

    private var pieces: [Piece] = []
    private var size = 0

    /// Whether all of it is here.
    private(set) var isWhole = true

    /// The most bytes that are kept.
    static let limit = 1 << 20

    mutating func keep(_ bytes: RawSpan) {
        guard isWhole else { return }
        size += bytes.byteCount
        guard size <= Self.limit else {
            isWhole = false
            pieces = []
            return
        }
        var copy: [UInt8] = []
        copy.append(bytes)
        pieces.append(.bytes(copy))
    }

    mutating func keep(_ file: Descriptor, offset: Int64, length: Int64) {
        guard isWhole else { return }
        pieces.append(.file(file, offset: offset, length: length))
    }

    /// Writes all of it again.
    func write(to stream: any WriteStream, _ call: Call) throws(CofferError) {
        for piece in pieces {
            switch piece {
            case .bytes(let bytes):
                try bytes.withBytes(bytes.indices) { all throws(CofferError) in try stream.append(all, call) }
            case .file(let file, let offset, let length):
                if try stream.ingest(file, offset: offset, length: length, call) { continue }
                try FilePieces.read(file, offset: offset, length: length, call) { part throws(CofferError) in
                    try stream.append(part, call)
                }
            }
        }
    }
}

/// A file read piece by piece.
enum FilePieces {
    /// Hands `length` bytes at `offset` of `file` to `body`, or throws where the file has fewer.
    static func read(
        _ file: Descriptor,
        offset: Int64,
        length: Int64,
        _ call: Call,
        _ body: (RawSpan) throws(CofferError) -> Void
    ) throws(CofferError) {
        var buffer = [UInt8](repeating: 0, count: Int(max(1, min(length, 256 << 10))))
        var done: Int64 = 0
        while done < length {
            if call.cancellation.isCancelled { throw CofferError(.cancelled, "cancelled") }
            let place = offset + done
            let wanted = Int(min(Int64(buffer.count), length - done))
            let count: Int
            do {
                count = try buffer.withMutableBytes { all throws(SystemError) in
                    var part = all._mutatingExtracting(first: wanted)
                    return try file.read(into: &part, at: place)
                }
            } catch {
                throw CofferError(.invalidArgument, "the file cannot be read: \(error)")
            }
            guard count > 0 else {
                throw CofferError(.invalidArgument, "the file ends \(length - done) bytes before the announced end")
            }
            try buffer.withBytes(0..<count, body)
            done += Int64(count)
        }
    }
}
