// A read of a large object over several connections: what comes next is fetched while this is read.

public import CofferPluginSDK
public import CofferTransport

/// A read of one version of a large object: its first piece comes from the request that began it, the others from lanes.
public final class ParallelReader: ReadStream {
    /// Begins a read of bytes of that version, and of no other.
    public typealias Open =
        @Sendable (_ offset: UInt64, _ length: UInt64, _ call: Call) throws(BackendError) -> RangedRead

    private struct Piece: Sendable {
        let index: Int
        let bytes: [UInt8]
    }

    private let open: Open
    private let ahead: ReadAhead
    private let end: UInt64
    /// How many pieces are ahead; with 0 the rest comes over one connection.
    private let width: Int
    private let lanes: Lanes<Piece>
    private var first: RangedRead?
    private var firstLeft: UInt64
    /// Where the pieces of the lanes begin, and how many there are.
    private let start: UInt64
    private let count: Int
    private var asked = 0
    private var taken = 0
    private var current: [UInt8] = []
    private var position = 0

    /// What is asked for at first: a piece, where the rest may come over several connections.
    public static func firstPiece(of range: ReadRange) -> ReadRange {
        switch range {
        case .all: .slice(offset: 0, length: ReadAhead.piece)
        case .from(let offset): .slice(offset: offset, length: ReadAhead.piece)
        case .slice(let offset, let length): .slice(offset: offset, length: min(length, ReadAhead.piece))
        case .suffix: range
        }
    }

    /// Goes on from `first`, which reads the beginning of `range`, with up to `width` pieces ahead.
    ///
    /// Where `ahead` has no room for them, the rest comes over one connection. What throws leaves `first` open.
    public init(
        first: RangedRead,
        range: Range<UInt64>,
        ahead: ReadAhead,
        width: Int,
        open: @escaping Open
    ) throws(BackendError) {
        self.open = open
        self.ahead = ahead
        self.first = first
        lanes = try Lanes(most: width)
        self.width = ahead.take(width) ? width : 0
        firstLeft = UInt64(first.range.count)
        start = first.range.upperBound
        end = range.upperBound
        count = self.width == 0 ? 0 : Int((end - start + ReadAhead.piece - 1) / ReadAhead.piece)
    }

    /// Bytes in order, from whichever connection they came.
    public func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        // Whoever read half of the first piece will read on.
        if firstLeft < ReadAhead.piece / 2 { try askAhead(call: call) }
        if let first {
            let got = try first.read(into: &buffer, call: call)
            firstLeft -= min(UInt64(got), firstLeft)
            if got > 0 { return got }
            first.close()
            self.first = nil
            if width == 0, first.range.upperBound < end {
                let rest = try open(start, end - start, call)
                self.first = rest
                return try rest.read(into: &buffer, call: call)
            }
            try askAhead(call: call)
        }
        if position == current.count {
            guard taken < count else { return 0 }
            let wanted = taken
            current = []
            current = try lanes.take(call: call) { $0.index == wanted }.bytes
            (position, taken) = (0, taken + 1)
            try askAhead(call: call)
        }
        let got = min(buffer.byteCount, current.count - position)
        buffer.withUnsafeMutableBytes { target in
            current.withUnsafeBytes { source in
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[position..<position + got]))
            }
        }
        position += got
        return got
    }

    private func askAhead(call: Call) throws(BackendError) {
        while asked < count, asked - taken < width {
            let index = asked
            let offset = start + UInt64(index) * ReadAhead.piece
            let length = min(ReadAhead.piece, end - offset)
            asked += 1
            try lanes.run(call: call) { [open] call throws(BackendError) in
                Piece(index: index, bytes: try Self.bytes(of: try open(offset, length, call), length, call))
            }
        }
    }

    /// One piece, whole.
    private static func bytes(of read: RangedRead, _ length: UInt64, _ call: Call) throws(BackendError) -> [UInt8] {
        defer { read.close() }
        var failure: BackendError?
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, filled in
            do throws(BackendError) {
                while filled < buffer.count {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                    var span = rest.mutableBytes
                    let got = try read.read(into: &span, call: call)
                    guard got > 0 else { return }
                    filled += got
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        guard bytes.count == Int(length) else {
            throw BackendError(.corrupt, "the store sent fewer bytes than were asked for", isRetryable: true)
        }
        return bytes
    }

    /// Ends what is on its way.
    public func close() {
        lanes.cancel()
        first?.close()
        ahead.giveBack(width)
    }
}
