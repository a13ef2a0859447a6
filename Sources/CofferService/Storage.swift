package import CofferBackend
package import CofferModel
import CofferSystem

/// A configured, named instance of a backend: what applications address.
///
/// The storage stands between callers and the store, and holds what is true of every backend: policy, keys and their
/// prefix, the meaning of `on_conflict`, digests, idempotency, cursors. Everything blocks, on the caller's thread.
///
/// Invariants:
/// 1. Nothing is written before everything that can be refused without the body has been refused.
/// 2. No key, message or cursor that leaves here carries the policy's prefix.
/// 3. Readers, writers and listings keep the opened store alive; it is closed after the last of them has gone.
package final class Storage: Sendable {
    package let name: String
    /// The backend's id: `local`, `s3`.
    package let backendID: String
    package let isDefault: Bool
    /// Made at run time, and gone with the host.
    package let isEphemeral: Bool
    /// The number of the generation that it was built for.
    package let generation: Int
    package let policy: StoragePolicy

    /// How a storage comes to its store; called again for every retry.
    package typealias Opener = @Sendable () throws(CofferError) -> OpenedBackend

    /// Opens the store by `opener` and checks that it can do what `policy` needs.
    ///
    /// A store that cannot be opened leaves a storage in ``StorageState/failed(_:)``; ``retry()`` tries again.
    /// `closer` gets the work of closing a store that nobody uses any more, and may do it on another thread.
    package init(
        name: String,
        backendID: String,
        isDefault: Bool = false,
        isEphemeral: Bool = false,
        generation: Int,
        policy: StoragePolicy = StoragePolicy(),
        spillDirectory: String = "/tmp",
        closer: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void = { $0() },
        opener: @escaping Opener
    ) {
        self.name = name
        self.backendID = backendID
        self.isDefault = isDefault
        self.isEphemeral = isEphemeral
        self.generation = generation
        self.policy = policy
    }
}

let unbuilt = CofferError(.internal, "not built")

extension Storage {
    /// What anybody may know of it.
    package var description: StorageDescription { fatalError() }

    /// Whether it can be used.
    package var state: StorageState { fatalError() }

    /// Tries to open a failed storage again, now; true if it is open afterwards.
    package func retry() -> Bool { false }

    /// Tests the connection without writing; what comes back is worth showing to an operator.
    package func health(_ call: Call) throws(CofferError) -> [(name: String, value: String)] { throw unbuilt }

    /// Proves what the store makes of conditions, with an object of its own under a reserved unique key.
    ///
    /// With `conditions: auto`, what is proven is native from then on.
    package func probe(_ call: Call) throws(CofferError) -> [ProbeFinding] { throw unbuilt }

    /// The URL under which `key` is published: by the storage's `url`, else by the store.
    ///
    /// - Throws: ``CofferError`` with `unsupported` where there is neither.
    package func url(_ key: Key, _ call: Call) throws(CofferError) -> String { throw unbuilt }
}

// MARK: Reading
extension Storage {
    /// What is known of an object.
    ///
    /// - Throws: ``CofferError`` with `not_found`, `precondition_failed` or `not_modified`, as the conditions have it.
    package func stat(
        _ key: Key,
        version: String? = nil,
        conditions: Conditions = .none,
        _ call: Call
    ) throws(CofferError) -> ObjectInfo { throw unbuilt }

    /// Opens an object for reading; the bytes that come are exactly the answer's range, or an error.
    package func read(_ request: ReadRequest, _ call: Call) throws(CofferError) -> ReadResult { throw unbuilt }

    /// One page of at most `limit` entries (1 to 10 000; 0 is an empty page), from `cursor` on.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument` for a cursor that is not this query's.
    package func page(
        _ query: ListQuery,
        cursor: String? = nil,
        limit: Int,
        _ call: Call
    ) throws(CofferError) -> ListPage { throw unbuilt }

    /// Opens the whole listing, to be read page by page and closed.
    package func openListing(_ query: ListQuery, _ call: Call) throws(CofferError) -> any ListStream { throw unbuilt }
}

// MARK: Writing
extension Storage {
    /// Begins a write; everything that can be refused without the body is refused here.
    package func write(_ request: PutRequest, _ call: Call) throws(CofferError) -> ObjectWriter { throw unbuilt }

    /// A key of a new UUID with the lower-case extension of `filename`, in the folder `location`.
    package static func generatedKey(filename: String?, location: String? = nil) throws(CofferError) -> Key {
        throw unbuilt
    }

    /// Removes an object; an absent key is success, unless `isStrict` or under a condition.
    package func remove(
        _ key: Key,
        ifMatch: Conditions.Match? = nil,
        isStrict: Bool = false,
        _ call: Call
    ) throws(CofferError) { throw unbuilt }

    /// Removes many; the answer has one element for each item, in order, nil where it was done.
    package func removeMany(
        _ items: [(key: Key, ifMatch: Conditions.Match?)],
        _ call: Call
    ) throws(CofferError) -> [CofferError?] { throw unbuilt }

    /// Removes what lies below `prefix`, by segments: `a/b` means `a/b/…` and never `a/bb`.
    ///
    /// The empty prefix, which is everything, needs `force`.
    package func removePrefix(
        _ prefix: String,
        isDryRun: Bool = false,
        force: Bool = false,
        _ call: Call
    ) throws(CofferError) -> PrefixRemoval { throw unbuilt }

    /// Changes the metadata of an object and leaves its bytes.
    ///
    /// - Throws: ``CofferError`` with `unsupported` where the store cannot without writing the bytes again.
    package func updateMetadata(
        _ key: Key,
        _ patch: MetadataPatch,
        conditions: Conditions = .none,
        _ call: Call
    ) throws(CofferError) -> ObjectInfo { throw unbuilt }

    /// Copies into `target`, which may be this storage.
    package func copy(
        _ from: Key,
        to: Key,
        in target: Storage,
        _ options: CopyOptions = CopyOptions(),
        _ call: Call
    ) throws(CofferError) -> PutOutcome { throw unbuilt }

    /// Moves into `target`, which may be this storage: source or target is there at any moment, never neither.
    package func move(
        _ from: Key,
        to: Key,
        in target: Storage,
        _ options: CopyOptions = CopyOptions(),
        _ call: Call
    ) throws(CofferError) -> PutOutcome { throw unbuilt }

    /// Copies an object beside itself under a new UUID with the same extension.
    package func duplicate(_ key: Key, _ call: Call) throws(CofferError) -> PutOutcome { throw unbuilt }
}
