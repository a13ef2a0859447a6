package import CofferBackend
package import CofferModel
package import CofferSystem

/// One write into a storage; nothing is visible before ``commit(_:)``.
///
/// Like a stream of the port: calls on it never overlap, and it may change threads between them.
package final class ObjectWriter: @unchecked Sendable {
    init() {}

    /// Takes all of `bytes` or throws, and then only ``close()`` may follow.
    ///
    /// - Throws: ``CofferError`` with `too_large` past the storage's limit, which is in the message; `invalid_argument` past
    ///   the announced size.
    package func append(_ bytes: RawSpan, _ call: Call) throws(CofferError) { throw unbuilt }

    /// Takes `length` bytes at `offset` of a regular file, which stays the caller's.
    package func ingest(
        _ file: Descriptor,
        offset: Int64,
        length: Int64,
        _ call: Call
    ) throws(CofferError) { throw unbuilt }

    /// Takes a digest that the caller announced only after the body.
    package func expect(_ checksum: Checksum) throws(CofferError) { throw unbuilt }

    /// Publishes, if size and digests are as announced.
    ///
    /// - Throws: ``CofferError`` with `checksum_mismatch`, `invalid_argument` for another size than announced, and what the
    ///   conditions have it at this moment; nothing is published then.
    package func commit(_ call: Call) throws(CofferError) -> PutOutcome { throw unbuilt }

    /// Aborts unless committed; a second time changes nothing. Also runs when the last reference goes.
    package func close() {}
}
