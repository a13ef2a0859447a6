package import CofferModel
package import CofferSystem

/// What the host asks of a configured store.
///
/// The contract, for whoever implements it and whoever calls it:
/// 1. Every function may block and may be called on any thread, many at once. Two calls on one stream never overlap.
/// 2. An absent object is `not_found`; no other failure is ever told as absence.
/// 3. What cannot be honoured (a condition, a range, a property) is `unsupported` before anything is written.
/// 4. A write that was not committed leaves nothing; `close` without `commit` aborts.
package protocol Backend: AnyObject, Sendable {
    /// What this store can do, and how.
    var capabilities: Capabilities { get }
    /// The store's limits.
    var limits: StoreLimits { get }
    /// What the host must not stand in for, because here it would go wrong; nothing unless the store says so.
    var mustNotEmulate: Set<Capability> { get }
    /// Whether the store takes one call at a time, so that a second one would only hold a thread.
    var isSerial: Bool { get }

    /// Tests the connection without writing; what comes back is worth showing to an operator.
    func health(_ call: Call) throws(CofferError) -> [(name: String, value: String)]

    /// What is known of an object; the range of `request` is not looked at.
    func stat(_ request: ReadRequest, _ call: Call) throws(CofferError) -> ObjectInfo

    /// Opens an object for reading, pinned to one version where ``Capability/readPinned`` is there.
    func openRead(_ request: ReadRequest, _ call: Call) throws(CofferError) -> ReadResult

    /// Begins a write.
    func beginWrite(_ request: WriteRequest, _ call: Call) throws(CofferError) -> any WriteStream

    /// Removes an object; an absent key is success, unless the request is strict or conditional.
    func remove(_ request: RemoveRequest, _ call: Call) throws(CofferError)

    /// Removes many; the answer has one element for each request, nil where it was done.
    func removeBatch(_ requests: [RemoveRequest], _ call: Call) throws(CofferError) -> [CofferError?]

    /// Opens a listing.
    func openList(_ query: ListQuery, _ call: Call) throws(CofferError) -> any ListStream

    /// Copies inside the store.
    func copy(_ request: CopyRequest, _ call: Call) throws(CofferError) -> ObjectInfo

    /// Moves inside the store: source or target, never neither.
    func move(_ request: CopyRequest, _ call: Call) throws(CofferError) -> ObjectInfo

    /// The URL under which the store itself publishes the object.
    func publicURL(of key: Key, _ call: Call) throws(CofferError) -> String

    /// A URL that does what `request` says for whoever holds it.
    ///
    /// A binding that the store cannot express is `unsupported`.
    func presign(_ request: PresignRequest, _ call: Call) throws(CofferError) -> PresignedURL

    /// The store's containers, in its own order.
    func listContainers(_ call: Call) throws(CofferError) -> [Container]

    /// Makes a container; one that is there is `already_exists`.
    func makeContainer(_ name: String, _ call: Call) throws(CofferError)

    /// Removes a container; one that holds anything is `not_empty`, and an absent one `not_found`.
    func removeContainer(_ name: String, _ call: Call) throws(CofferError)

    /// What the store knows of its use: `bytes`, `objects`, `bytes_free`, `bytes_total`.
    func usage(_ call: Call) throws(CofferError) -> [(name: String, value: Int64)]

    /// Ends the store's use; no call follows, none is in flight, no stream is open.
    func close()
}

extension Backend {
    package var mustNotEmulate: Set<Capability> { [] }
    package var isSerial: Bool { false }

    package func presign(_ request: PresignRequest, _ call: Call) throws(CofferError) -> PresignedURL {
        throw CofferError(.unsupported, "the store signs no links", key: request.key)
    }

    package func listContainers(_ call: Call) throws(CofferError) -> [Container] { throw Self.noContainers }

    package func makeContainer(_ name: String, _ call: Call) throws(CofferError) { throw Self.noContainers }

    package func removeContainer(_ name: String, _ call: Call) throws(CofferError) { throw Self.noContainers }

    private static var noContainers: CofferError { CofferError(.unsupported, "the store has no containers") }
}

/// One read from the beginning of its answer to the end.
package protocol ReadStream: AnyObject, Sendable {
    /// Reads up to the length of `buffer` and says how much; 0 only at the end.
    func read(into buffer: inout MutableRawSpan, _ call: Call) throws(CofferError) -> Int
    /// Ends the read, at its end or before; a second time changes nothing. Also runs when the last reference goes.
    func close()
}

/// One write; nothing is visible before ``commit(_:_:)``.
package protocol WriteStream: AnyObject, Sendable {
    /// Takes all of `bytes` or throws, and then only ``close()`` may follow.
    func append(_ bytes: RawSpan, _ call: Call) throws(CofferError)
    /// Takes `length` bytes at `offset` of a regular file; false if this store takes no descriptors, and then nothing happened.
    func ingest(_ file: Descriptor, offset: Int64, length: Int64, _ call: Call) throws(CofferError) -> Bool
    /// Publishes; conditions are checked again at this moment. `checksums` are those of the bytes that were appended.
    func commit(_ checksums: [Checksum], _ call: Call) throws(CofferError) -> ObjectInfo
    /// Aborts unless committed; a second time changes nothing. Also runs when the last reference goes.
    func close()
}

/// One listing, in the order of the store, or in byte order where ``Capability/listSorted`` is there.
package protocol ListStream: AnyObject, Sendable {
    /// Appends up to `limit` entries to `batch` and says whether more may come; a page of nothing is possible.
    func next(into batch: inout ListBatch, limit: Int, _ call: Call) throws(CofferError) -> Bool
    /// An opaque token that reopens the listing after the last entry given; nil where the store cannot resume.
    var resumeToken: String? { get }
    /// Ends the listing; a second time changes nothing. Also runs when the last reference goes.
    func close()
}
