// Reading one version, and gathering a new one.

import CofferPluginSDK
import Glibc

/// Reads one version, whatever happens to the key meanwhile.
final class MemoryReadStream: ReadStream {
    private var cursor: Blocks.Cursor?

    init(_ body: Blocks, _ range: Range<UInt64>) {
        cursor = Blocks.Cursor(body, at: Int(range.lowerBound))
    }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        buffer.withUnsafeMutableBytes { cursor?.read(into: $0) ?? 0 }
    }

    func close() { cursor = nil }
}

/// Bytes that a write gathers, in the blocks that readers will share, counted by the store as they come.
struct Gathering {
    private let store: MemoryStore
    private let size: UInt64?
    private(set) var body = Blocks()

    /// Nothing yet; `size` is what was announced.
    init(in store: MemoryStore, size: UInt64?) {
        self.store = store
        self.size = size
    }

    mutating func append(_ bytes: RawSpan) throws(BackendError) {
        try store.reserve(bytes.byteCount)
        var taken = 0
        defer { store.release(UInt64(bytes.byteCount - taken)) }
        while taken < bytes.byteCount {
            guard let block = body.roomy(expecting: remaining(bytes.byteCount - taken)) else { throw outOfMemory }
            let room = block.room
            let count = min(room.count, bytes.byteCount - taken)
            bytes.withUnsafeBytes {
                room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[taken..<taken + count]))
            }
            body.grow(block, by: count)
            taken += count
        }
    }

    mutating func ingest(
        descriptor: Int32,
        offset: UInt64?,
        length: UInt64,
        call: Call
    ) throws(BackendError) -> UInt64 {
        var taken: UInt64 = 0
        while taken < length {
            try call.check()
            if offset == nil { try wait(for: descriptor, call) }
            let step = Int(min(length - taken, UInt64(Blocks.largest)))
            guard let block = body.roomy(expecting: remaining(step)) else { throw outOfMemory }
            let room = block.room
            let wanted = min(room.count, step)
            try store.reserve(wanted)
            let count =
                if let offset, let start = Int(exactly: offset + taken) {
                    pread(descriptor, room.baseAddress, wanted, start)
                } else {
                    read(descriptor, room.baseAddress, wanted)
                }
            let failure = errno
            store.release(UInt64(wanted - max(0, count)))
            if count < 0 {
                if failure == EINTR || failure == EAGAIN { continue }
                throw BackendError(.io, "the descriptor cannot be read", native: failure)
            }
            if count == 0 { break }
            body.grow(block, by: count)
            taken += UInt64(count)
        }
        return taken
    }

    /// Gives back the bytes, and with `isKept` not their count: somebody else holds them now.
    mutating func end(isKept: Bool) {
        if !isKept { store.release(UInt64(body.count)) }
        body = Blocks()
    }

    /// How much is still to come: as announced, or nil where only these bytes are known.
    private func remaining(_ known: Int) -> Int? {
        guard let size else { return known > body.count ? known : nil }
        return max(known, Int(clamping: size) - body.count)
    }

    private var outOfMemory: BackendError { BackendError(.noSpace, "the host has no memory left") }

    /// Waits for a pipe or a socket, or for the call to end.
    private func wait(for descriptor: Int32, _ call: Call) throws(BackendError) {
        var waiting = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        if let cancellation = call.cancellationDescriptor {
            waiting.append(pollfd(fd: cancellation, events: Int16(POLLIN), revents: 0))
        }
        // A short wait, since a deadline may pass and not every host has a descriptor.
        while poll(&waiting, nfds_t(waiting.count), 50) == 0 { try call.check() }
        try call.check()
    }
}

/// Gathers the bytes of a new version.
final class MemoryWriteStream: WriteStream {
    private let request: WriteRequest
    private let store: MemoryStore
    private var gathering: Gathering
    private var isPublished = false

    init(_ request: WriteRequest, in store: MemoryStore) {
        self.request = request
        self.store = store
        gathering = Gathering(in: store, size: request.size)
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) { try gathering.append(bytes) }

    func ingest(descriptor: Int32, offset: UInt64?, length: UInt64, call: Call) throws(BackendError) -> UInt64 {
        try gathering.ingest(descriptor: descriptor, offset: offset, length: length, call: call)
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        for given in request.checksums {
            guard let computed = checksums[given.algorithm], computed.isComposite == given.isComposite else { continue }
            guard computed == given else {
                throw BackendError(.checksum, "the \(given.algorithm) of the bytes is another: \(request.key)")
            }
        }
        let body = gathering.body
        // A second commit publishes a second version; the two share the bytes, but both are counted.
        if isPublished { try store.reserve(body.count) }
        body.seal()
        // What the caller claimed and nobody computed is not kept as if it were so.
        let object = StoredObject(request, body, checksums: checksums)
        do throws(BackendError) {
            try store.publish(object, request.conditions)
        } catch {
            if isPublished { store.release(UInt64(body.count)) }
            throw error
        }
        isPublished = true
        return store.tags.entry(of: object)
    }

    func close() { gathering.end(isKept: isPublished) }
}
