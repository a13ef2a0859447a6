// One read: the chunks of one version, fetched by their numbers.

import CGridFS
import CofferPluginSDK
import GridFSModel

/// One read of one version.
///
/// Chunks are asked for by the identifier of the version and their numbers: a range at the end of a large object reads
/// nothing else, and a reader that has begun never sees another version. No connection is held between two batches. If the
/// version is replaced meanwhile its chunks go, and the reader is told that it changed.
final class Download: ReadStream {
    /// At most so many bytes are asked for at once, and at least one chunk; fewer the first time.
    private static let batchBytes: UInt64 = 4 << 20
    private static let firstBatchBytes: UInt64 = 1 << 20

    private let store: Store
    private let file: StoredFile
    /// The bytes of the object that are still to be given.
    private var rest: Range<UInt64>
    private var reply: Reply?
    private var chunks: ArraySlice<gridfs_chunk> = []
    private var hasBegun = false

    /// A read of a part of a version.
    init(_ file: StoredFile, _ range: Range<UInt64>, in store: Store) {
        self.file = file
        self.store = store
        rest = range
    }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        var given = 0
        while given < buffer.byteCount, !rest.isEmpty {
            // What is here is given before more is asked for, unless there is nothing yet.
            if chunks.isEmpty {
                if given > 0 { break }
                try fetch(Patience(call))
            }
            guard let chunk = chunks.first else { break }
            let start = Int(rest.lowerBound % file.chunkSize)
            let count = min(
                chunk.length - start,
                buffer.byteCount - given,
                Int(clamping: rest.upperBound - rest.lowerBound)
            )
            buffer.withUnsafeMutableBytes { target in
                UnsafeMutableRawBufferPointer(rebasing: target[given...])
                    .copyMemory(from: UnsafeRawBufferPointer(start: chunk.data + start, count: count))
            }
            given += count
            rest = rest.lowerBound + UInt64(count)..<rest.upperBound
            if start + count == chunk.length || rest.isEmpty { chunks.removeFirst() }
        }
        return given
    }

    func close() {
        chunks = []
        reply = nil
    }

    /// Fetches the first bytes; false if the version was replaced or removed before they came.
    ///
    /// What is small is then here as a whole, and cannot change any more.
    func begin(_ patience: Patience) throws(BackendError) -> Bool {
        guard !rest.isEmpty else { return true }
        do throws(BackendError) {
            try fetch(patience)
            return true
        } catch {
            guard error.code == .changed else { throw error }
            return false
        }
    }

    /// Asks for the next chunks, and checks that they are the ones.
    private func fetch(_ patience: Patience) throws(BackendError) {
        let first = rest.lowerBound / file.chunkSize
        let last = (rest.upperBound - 1) / file.chunkSize
        let bytes = hasBegun ? Self.batchBytes : Self.firstBatchBytes
        let most = min(last - first + 1, max(1, bytes / file.chunkSize))
        hasBegun = true
        close()
        let reply = try store.server.run(command(first, most), store.nearReads, patience)
        var chunks = try reply.chunks(most: Int(most))
        if chunks.isEmpty, store.nearReads == .readNear {
            // A server that lags behind may not have them yet.
            let again = try store.server.run(command(first, most), .read, patience)
            chunks = try again.chunks(most: Int(most))
            self.reply = again
        } else {
            self.reply = reply
        }
        guard !chunks.isEmpty else { throw try missing(patience) }
        for (index, chunk) in chunks.enumerated() {
            let number = first + UInt64(index)
            let length = min(file.chunkSize, file.length - number * file.chunkSize)
            guard chunk.n == Int64(number) else { throw try missing(patience) }
            guard UInt64(chunk.length) == length else {
                throw BackendError(.corrupt, "chunk \(number) has \(chunk.length) bytes, not \(length): \(file.key)")
            }
        }
        self.chunks = chunks[...]
    }

    private func command(_ first: UInt64, _ count: UInt64) -> [UInt8] {
        Document.make { command in
            command.append("find", store.bucket.chunks)
            command.append("filter") { filter in
                filter.append("files_id", file.id)
                filter.append("n") {
                    $0.append("$gte", Int(first))
                    $0.append("$lt", Int(first + count))
                }
            }
            command.append("sort") { $0.append("n", Int32(1)) }
            command.append("projection") {
                $0.append("_id", Int32(0))
                $0.append("n", Int32(1))
                $0.append("data", Int32(1))
            }
            command.append("limit", Int(count))
            command.append("batchSize", Int(count))
            command.append("singleBatch", true)
        }.bytes
    }

    /// Why a chunk is not there.
    private func missing(_ patience: Patience) throws(BackendError) -> BackendError {
        let filter = Document.make {
            $0.append("_id", file.id)
            $0.append("filename", .string(file.key.bytes))
        }
        let isThere = try !store.bucket.find(
            in: store.bucket.files,
            filter,
            only: ["_id"],
            limit: 1,
            .read,
            patience
        ).isEmpty
        return isThere
            ? BackendError(.corrupt, "chunks are missing: \(file.key)")
            : BackendError(.changed, "the object was replaced or removed while it was read: \(file.key)")
    }
}
