// The bytes of an insert command with many chunks, written once.

import GridFSModel

/// An insert command with many chunks, as the bytes that go to the server.
///
/// The caller's bytes are copied straight to their place in it: a chunk is never an object of its own.
struct ChunkBatch {
    private let chunkSize: Int
    private let fileID: ObjectID
    private let head: [UInt8]
    private var bytes: [UInt8] = []
    /// Where the array of documents starts, and the document and the data that are still open.
    private var arrayStart = 0
    private var open: (document: Int, data: Int)?
    /// How many chunks are in it.
    private(set) var count = 0
    /// How many bytes of the object are in it.
    private(set) var byteCount = 0
    /// The number of the next chunk.
    private(set) var next: Int32 = 0

    /// Chunks of one version, for a collection.
    init(of fileID: ObjectID, into collection: String, chunkSize: Int) {
        self.fileID = fileID
        self.chunkSize = chunkSize
        let command = Document.make {
            $0.append("insert", collection)
            $0.append("ordered", true)
        }
        head = command.bytes.dropLast() + [0x04] + Array("documents".utf8) + [0]
    }

    /// Whether it holds so many chunks, each of them whole: only then may another batch begin.
    func isFull(_ chunks: Int) -> Bool { count >= chunks && open == nil }

    /// Makes room for so many bytes of the object.
    mutating func reserve(_ count: Int) {
        bytes.reserveCapacity(head.count + count + (count / chunkSize + 2) * 96 + 16)
    }

    /// Takes bytes off the front of `source` until a whole chunk more is in it or none are left; how many it took.
    mutating func append(_ source: UnsafeRawBufferPointer) -> Int {
        if bytes.isEmpty { start() }
        if open == nil { openChunk() }
        guard let open else { return 0 }
        let present = bytes.count - open.data
        let taken = min(source.count, chunkSize - present)
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: source[..<taken]))
        byteCount += taken
        if present + taken == chunkSize { closeChunk() }
        return taken
    }

    /// The command with all that is in it; then it is empty again.
    mutating func take() -> [UInt8] {
        closeChunk()
        bytes += [0, 0]
        patch(arrayStart, bytes.count - 1 - arrayStart)
        patch(0, bytes.count)
        defer {
            bytes = []
            (count, byteCount) = (0, 0)
        }
        return bytes
    }

    private mutating func start() {
        bytes += head
        arrayStart = bytes.count
        bytes += [0, 0, 0, 0]
    }

    private mutating func openChunk() {
        bytes.append(0x03)
        bytes += Array(String(count).utf8)
        bytes.append(0)
        let document = bytes.count
        let fields = Document.make {
            $0.append("_id", makeID())
            $0.append("files_id", fileID)
            $0.append("n", next)
        }
        bytes += fields.bytes.dropLast()
        bytes.append(0x05)
        bytes += Array("data".utf8)
        bytes += [0, 0, 0, 0, 0, 0]
        open = (document, bytes.count)
        count += 1
        next += 1
    }

    private mutating func closeChunk() {
        guard let open else { return }
        patch(open.data - 5, bytes.count - open.data)
        bytes.append(0)
        patch(open.document, bytes.count - open.document)
        self.open = nil
    }

    private mutating func patch(_ offset: Int, _ number: Int) {
        for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
    }
}
