import CofferAPI
public import CofferModel

/// An object that is being read, as a sequence of pieces.
///
/// It can be walked once. Letting it go ends the read.
public struct ObjectReader: AsyncSequence, Sendable {
    /// A piece of the object.
    public typealias Element = [UInt8]
    /// What reading may throw.
    public typealias Failure = CofferError

    private let download: ObjectDownload
    private let handle: CancelHandle

    init(_ download: ObjectDownload, _ handle: CancelHandle) {
        self.download = download
        self.handle = handle
    }

    /// What is read.
    public var object: StoredObject { download.object }

    /// Which bytes of the object come.
    public var range: Range<Int64> { download.range }

    /// Reads `count` bytes at `offset`, or fewer where the object or the asked range ends before.
    ///
    /// `offset` counts from the first byte that was asked for. It works beside the walk and from many tasks at once, and
    /// gives bytes of the same version: where that is gone, and its file is not at hand, the failure is `changed`.
    public func read(at offset: Int64, count: Int) async throws(CofferError) -> [UInt8] {
        guard !handle.isCancelled else { throw CofferError(.cancelled, "cancelled") }
        let download = download
        let cancel = CancelHandle()
        return try await BlockingThreads.shared.run(cancel) { () throws(CofferError) in
            try download.read(at: offset, count: count, cancel)
        }
    }

    /// Ends the walk.
    public func cancel() { handle.cancel() }

    /// Walks the pieces.
    public func makeAsyncIterator() -> Iterator { Iterator(download: download, handle: handle) }

    /// Walks the pieces of an object.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let download: ObjectDownload
        fileprivate let handle: CancelHandle
        /// Grows with what comes, so that small objects cost little and large ones few calls.
        private var size = 64 << 10

        fileprivate init(download: ObjectDownload, handle: CancelHandle) {
            self.download = download
            self.handle = handle
        }

        /// The next piece; nil at the end.
        public mutating func next() async throws(CofferError) -> [UInt8]? {
            let download = download
            let capacity = size
            let piece = try await BlockingThreads.shared.run(handle) { () throws(CofferError) in
                var bytes = [UInt8](repeating: 0, count: capacity)
                let outcome = bytes.withUnsafeMutableBytes { buffer in
                    Result { () throws(CofferError) in try download.read(into: buffer) }
                }
                bytes.removeLast(capacity - (try outcome.get()))
                return bytes
            }
            if piece.count == capacity { size = Swift.min(2 * size, 1 << 20) }
            return piece.isEmpty ? nil : piece
        }

        /// The next piece; nil at the end.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(CofferError) -> [UInt8]? {
            try await next()
        }
    }
}
