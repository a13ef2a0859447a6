// One read: the chunks of one version, fetched by their numbers.

import CGridFS
import CofferPluginSDK
import GridFSModel

/// One read of one version.
///
/// Chunks are asked for by the identifier of the version and their numbers: a range at the end of a large object reads
/// nothing else, and a reader that has begun never sees another version. No connection is held between two batches. If the
/// version is replaced meanwhile its chunks go, and the reader is told that it changed. Whoever reads on past the second
/// batch finds the next one on its way already.
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
    private var ahead: Ahead?
    private var batches = 0

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
                try fetch(call)
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
        letGo()
        ahead = nil
    }

    /// Lets go of the bytes that were given.
    private func letGo() {
        chunks = []
        reply = nil
    }

    /// Fetches the first bytes; false if the version was replaced or removed before they came.
    ///
    /// What is small is then here as a whole, and cannot change any more.
    func begin(_ call: Call) throws(BackendError) -> Bool {
        guard !rest.isEmpty else { return true }
        do throws(BackendError) {
            try fetch(call)
            return true
        } catch {
            guard error.code == .changed else { throw error }
            return false
        }
    }

    /// Asks for the next chunks, and checks that they are the ones.
    private func fetch(_ call: Call) throws(BackendError) {
        let wanted = next(from: rest.lowerBound)
        letGo()
        var reply: Reply
        if let ahead {
            self.ahead = nil
            reply = try ahead.wait(call)
        } else {
            reply = try store.server.run(command(wanted), store.nearReads, Patience(call))
        }
        var chunks = try reply.chunks(most: wanted.count)
        if chunks.isEmpty, store.nearReads == .readNear {
            // A server that lags behind may not have them yet.
            reply = try store.server.run(command(wanted), .read, Patience(call))
            chunks = try reply.chunks(most: wanted.count)
        }
        guard !chunks.isEmpty else { throw try missing(Patience(call)) }
        for (index, chunk) in chunks.enumerated() {
            let number = wanted.lowerBound + UInt64(index)
            let length = min(file.chunkSize, file.length - number * file.chunkSize)
            guard chunk.n == Int64(number) else { throw try missing(Patience(call)) }
            guard UInt64(chunk.length) == length else {
                throw BackendError(.corrupt, "chunk \(number) has \(chunk.length) bytes, not \(length): \(file.key)")
            }
        }
        (self.reply, self.chunks) = (reply, chunks[...])
        batches += 1
        // A server may send fewer than were asked for.
        let end = (wanted.lowerBound + UInt64(chunks.count)) * file.chunkSize
        if batches >= 2, end < rest.upperBound { fetchAhead(next(from: end)) }
    }

    /// The numbers of the chunks to ask for next.
    private func next(from offset: UInt64) -> Range<UInt64> {
        let first = offset / file.chunkSize
        let last = (rest.upperBound - 1) / file.chunkSize
        let bytes = batches > 0 ? Self.batchBytes : Self.firstBatchBytes
        return first..<first + min(last - first + 1, max(1, bytes / file.chunkSize))
    }

    private func fetchAhead(_ wanted: Range<UInt64>) {
        let (command, store) = (command(wanted), store)
        // Without a thread the next batch is asked for when it is wanted.
        ahead = Ahead { (patience) throws(BackendError) -> Reply in
            try store.server.run(command, store.nearReads, patience)
        }
    }

    private func command(_ numbers: Range<UInt64>) -> [UInt8] {
        Document.make { command in
            command.append("find", store.bucket.chunks)
            command.append("filter") { filter in
                filter.append("files_id", file.id)
                filter.append("n") {
                    $0.append("$gte", Int(numbers.lowerBound))
                    $0.append("$lt", Int(numbers.upperBound))
                }
            }
            command.append("sort") { $0.append("n", Int32(1)) }
            command.append("projection") {
                $0.append("_id", Int32(0))
                $0.append("n", Int32(1))
                $0.append("data", Int32(1))
            }
            command.append("limit", numbers.count)
            command.append("batchSize", numbers.count)
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
