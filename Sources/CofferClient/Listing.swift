import CofferAPI
public import CofferModel

/// A whole listing, in byte order, streamed as the host reads it.
///
/// Each walk asks the host anew.
public struct Listing: AsyncSequence, Sendable {
    /// An object or a common prefix.
    public typealias Element = ListEntry
    /// What listing may throw.
    public typealias Failure = CofferError

    private let channel: HostChannel
    private let storage: String
    private let parameters: ListParameters

    init(_ channel: HostChannel, _ storage: String, _ parameters: ListParameters) {
        self.channel = channel
        self.storage = storage
        self.parameters = parameters
    }

    /// Walks the entries.
    public func makeAsyncIterator() -> Iterator {
        Iterator(channel: channel, storage: storage, parameters: parameters)
    }

    /// Walks the entries of a listing.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let channel: HostChannel
        fileprivate let storage: String
        fileprivate let parameters: ListParameters
        private let handle = CancelHandle()
        private var reader: ListingReader?
        /// Entries that are here already, the next one last.
        private var ready: [ListEntry] = []

        fileprivate init(channel: HostChannel, storage: String, parameters: ListParameters) {
            self.channel = channel
            self.storage = storage
            self.parameters = parameters
        }

        /// The next entry; nil at the end.
        public mutating func next() async throws(CofferError) -> ListEntry? {
            if let entry = ready.popLast() { return entry }
            let (channel, storage, parameters, handle, opened) = (channel, storage, parameters, handle, reader)
            let (current, entries) = try await BlockingThreads.shared.run(handle) { () throws(CofferError) in
                let reader: ListingReader
                if let opened {
                    reader = opened
                } else {
                    reader = try ListingReader(channel, storage, parameters, handle)
                }
                var entries: [ListEntry] = []
                // One change of threads for all that is here already.
                while entries.isEmpty || (entries.count < 1024 && reader.hasLine), let entry = try reader.next() {
                    entries.append(entry)
                }
                return (reader, entries)
            }
            reader = current
            ready = entries.reversed()
            return ready.popLast()
        }

        /// The next entry; nil at the end.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(CofferError) -> ListEntry? {
            try await next()
        }
    }
}
