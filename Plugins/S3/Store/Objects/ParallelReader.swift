// A read of a large object over several connections: what comes next is fetched while this is read.

import CofferPluginSDK
import CofferTransport
import Glibc

/// How many pieces of large objects may be ahead of their readers, in the whole storage: each takes a piece's memory.
final class ReadAhead: Sendable {
    /// Bytes of one piece.
    static let piece: UInt64 = 8 << 20
    /// The most pieces of a storage.
    private static let most = 16

    private let taken = Guarded(0)

    /// Takes room for so many pieces, or for none.
    func take(_ count: Int) -> Bool {
        taken.withLock { taken in
            guard taken + count <= Self.most else { return false }
            taken += count
            return true
        }
    }

    func giveBack(_ count: Int) { taken.withLock { $0 -= count } }
}

/// A read of one version of a large object: its first piece comes from the request that began it, the others from lanes.
final class ParallelReader: ReadStream {
    private struct Piece: Sendable {
        let index: Int
        let bytes: [UInt8]
    }

    private let storage: S3Storage
    private let request: HTTPRequest
    private let key: ByteString
    private let end: UInt64
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

    /// Goes on from `first`, which reads the beginning of `range`; the room for `width` pieces was taken.
    ///
    /// With a width of 0 the rest comes over one connection.
    init(
        _ storage: S3Storage,
        _ request: HTTPRequest,
        _ entry: Entry,
        first: RangedRead,
        range: Range<UInt64>,
        width: Int
    ) throws(BackendError) {
        self.storage = storage
        key = entry.key
        self.first = first
        self.width = width
        var request = request
        request.headers["If-None-Match"] = nil
        request.headers["If-Match"] = "\"\(entry.etag)\""
        self.request = request
        firstLeft = UInt64(first.range.count)
        start = first.range.upperBound
        end = range.upperBound
        count = width == 0 ? 0 : Int((end - start + ReadAhead.piece - 1) / ReadAhead.piece)
        lanes = try Lanes(most: width)
    }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        // Whoever read half of the first piece will read on.
        if firstLeft < ReadAhead.piece / 2 { try askAhead(call: call) }
        if let first {
            let got = try first.read(into: &buffer, call: call)
            firstLeft -= min(UInt64(got), firstLeft)
            if got > 0 { return got }
            first.close()
            self.first = nil
            if width == 0, first.range.upperBound < end {
                let rest = try storage.open(request, key, offset: start, length: end - start, call: call)
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
            try lanes.run(call: call) { [storage, request, key] call throws(BackendError) in
                Piece(index: index, bytes: try storage.bytes(request, key, offset: offset, length: length, call: call))
            }
        }
    }

    func close() {
        lanes.cancel()
        first?.close()
        storage.readAhead.giveBack(width)
    }
}

extension S3Storage {
    /// A read of a part of the version that is being read.
    fileprivate func open(
        _ request: HTTPRequest,
        _ key: ByteString,
        offset: UInt64,
        length: UInt64,
        call: Call
    ) throws(BackendError) -> RangedRead {
        switch try endpoint.read(request, .slice(offset: offset, length: length), call: call) {
        case .reading(let read): return read
        case .refused(let answer):
            if answer.status == 412 || answer.status == 404 {
                throw BackendError(.changed, "changed while it was read: \(key)", native: Int32(answer.status))
            }
            throw Refusal(answer).error(answer, "reading \(key)", key: key)
        }
    }

    /// One piece, whole.
    fileprivate func bytes(
        _ request: HTTPRequest,
        _ key: ByteString,
        offset: UInt64,
        length: UInt64,
        call: Call
    ) throws(BackendError) -> [UInt8] {
        let read = try open(request, key, offset: offset, length: length, call: call)
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
            throw BackendError(.corrupt, "fewer bytes than asked for: \(key)", isRetryable: true)
        }
        return bytes
    }
}
