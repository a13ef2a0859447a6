// Where results go: the host's callbacks, behind Swift calls.

import CCofferPlugin

// Sendable because the kit hands it to one call on one thread; it is a value without state.
/// Where entries go, until the call returns: keep none.
public struct EntrySink: @unchecked Sendable {
    private let context: UnsafeMutableRawPointer?
    private let function: (@convention(c) (UnsafeMutableRawPointer?, UnsafePointer<coffer_entry>?) -> Int32)?

    init(_ sink: coffer_sink) {
        context = sink.ctx
        function = sink.on_entry
    }

    /// Sends an entry; throws `cancelled` if the host wants no more.
    public func send(_ entry: borrowing Entry) throws(BackendError) {
        guard function != nil else { return }
        var answer: Int32 = 0
        entry.withC { answer = call($0) }
        if answer != 0 { throw BackendError(.cancelled, "the host wants no more entries") }
    }

    /// Sends an object of a listing without making an `Entry`: nothing is allocated.
    public func sendObject(
        key: borrowing ByteString,
        size: Int64,
        modified: Int64 = Entry.unknownTime,
        created: Int64 = Entry.unknownTime,
        etag: borrowing ByteString
    ) throws(BackendError) {
        guard function != nil else { return }
        var answer: Int32 = 0
        key.withC { key in
            etag.withC { etag in
                var entry = coffer_entry()
                entry.struct_size = UInt32(MemoryLayout<coffer_entry>.size)
                entry.kind = COFFER_KIND_OBJECT
                entry.key = key
                entry.size = size
                entry.mtime_ns = modified
                entry.ctime_ns = created
                entry.etag = etag
                answer = call(&entry)
            }
        }
        if answer != 0 { throw BackendError(.cancelled, "the host wants no more entries") }
    }

    /// Sends a common prefix of a listing.
    public func sendPrefix(_ prefix: ByteString) throws(BackendError) {
        try send(Entry(prefix, kind: .prefix))
    }

    private func call(_ entry: UnsafePointer<coffer_entry>) -> Int32 { function?(context, entry) ?? 0 }
}

// Sendable because the kit hands it to one call on one thread; it is a value without state.
/// Where the results of a batch go, until the call returns: keep none.
public struct BatchResults: @unchecked Sendable {
    private let context: UnsafeMutableRawPointer?
    private let function: (@convention(c) (UnsafeMutableRawPointer?, Int, UnsafePointer<coffer_error>?) -> Int32)?
    private let positions: [Int]

    /// `positions` says where each request of the backend stands in the host's own array.
    init(_ sink: coffer_sink, positions: [Int]) {
        context = sink.ctx
        function = sink.on_result
        self.positions = positions
    }

    /// Reports the item at `index` as done, or as failed; throws `cancelled` if the host wants no more.
    public func report(_ index: Int, _ error: BackendError? = nil) throws(BackendError) {
        guard positions.indices.contains(index) else {
            throw BackendError(.internal, "a batch has no item \(index)")
        }
        try report(position: positions[index], error)
    }

    func report(position: Int, _ error: BackendError?) throws(BackendError) {
        guard let function else { return }
        var answer: Int32 = 0
        if let error {
            error.withC { answer = function(context, position, $0) }
        } else {
            answer = function(context, position, nil)
        }
        if answer != 0 { throw BackendError(.cancelled, "the host wants no more results") }
    }
}
