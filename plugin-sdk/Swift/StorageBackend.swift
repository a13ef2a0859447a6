// The protocol that a plugin's author conforms a type to.

/// A storage backend: one instance is one configured store.
///
/// An author conforms a final class, overrides what the store can do, and exports it with one line:
/// ```swift
/// @c @implementation
/// public func coffer_backend_entry_v1(
///     _ host: UnsafePointer<coffer_host>?,
///     _ error: UnsafeMutablePointer<coffer_error>?
/// ) -> UnsafePointer<coffer_plugin>? {
///     exportBackend(MyBackend.self, host, error)
/// }
/// ```
/// 1. Calls block, come on any thread of the host, and with `threads: .parallel` several at once.
/// 2. A blocking call ends within a second of its `call` being cancelled or its deadline passing.
/// 3. Every operation has a default that throws `unsupported`. Only what `description.capabilities` names is offered to
///    the host, and a call that needs what `traits.native` lacks is refused before it comes here.
/// 4. Keys are valid when they come: 1 to 1024 bytes of UTF-8 without NUL. Nothing else is promised of them.
public protocol StorageBackend: AnyObject, Sendable {
    /// What the plugin says of itself; read once.
    static var description: PluginDescription { get }

    /// Opens an instance. No network; blocks only for local work. A wrong option is `config`, and the message names it.
    init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError)

    /// What holds for this instance; read once, after `init`.
    var traits: Traits { get }

    /// Is the store reachable, and are we let in? Writes nothing; answers what an operator may want to see.
    func health(call: Call) throws(BackendError) -> Properties

    /// All that is known of an object.
    func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry

    /// Starts a read.
    func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer

    /// Starts a write; refuses what can be refused now.
    func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream

    /// Removes an object. Absent is fine, unless the request is strict or has a condition.
    func remove(_ request: RemoveRequest, call: Call) throws(BackendError)

    /// Removes many objects; reports each one once, in any order.
    func removeBatch(_ requests: [RemoveRequest], results: BatchResults, call: Call) throws(BackendError)

    /// Opens a listing; an absent prefix is an empty one.
    func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream

    /// Copies inside the store; answers the target.
    func copy(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry

    /// Moves inside the store, atomically; answers the target.
    func move(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry

    /// Makes a URL that works without further credentials until it expires.
    func presign(_ request: PresignRequest, call: Call) throws(BackendError) -> PresignedURL

    /// The public URL of a key. No I/O.
    func publicURL(of key: ByteString, call: Call) throws(BackendError) -> String

    /// Sends an entry of kind `.container` for each container.
    func listContainers(into sink: EntrySink, call: Call) throws(BackendError)

    /// Makes a container.
    func makeContainer(_ name: ByteString, options: Properties, call: Call) throws(BackendError)

    /// Removes an empty container.
    func removeContainer(_ name: ByteString, call: Call) throws(BackendError)

    /// How much is stored.
    func usage(call: Call) throws(BackendError) -> Usage

    /// Begins an upload, which gathers parts over any time and becomes an object in one step; answers its id.
    ///
    /// The id is all that another process needs to go on. Nothing of an upload is seen but by `listUploads`; what is
    /// unknown, aborted or completed is `notFound`.
    func beginUpload(_ request: WriteRequest, call: Call) throws(BackendError) -> ByteString

    /// Starts a part; its commit answers an entry whose tag is the part's, and fails if the upload is over.
    func beginPart(_ request: PartRequest, call: Call) throws(BackendError) -> any WriteStream

    /// Sends each part of an upload, by number.
    func listParts(of upload: ByteString, into sink: EntrySink, call: Call) throws(BackendError)

    /// Publishes parts as an object, once: asked again it gives the same answer.
    ///
    /// The numbers rise, and there is at least one. A part that is missing or has another tag is `invalidArgument`; the
    /// conditions of the request are checked now.
    func completeUpload(
        _ upload: ByteString,
        _ request: WriteRequest,
        parts: [UploadPart],
        call: Call
    ) throws(BackendError) -> Entry

    /// Drops an upload, and parts that are still being sent.
    func abortUpload(_ upload: ByteString, call: Call) throws(BackendError)

    /// Sends each pending upload that began before a moment.
    func listUploads(_ request: UploadListRequest, into sink: EntrySink, call: Call) throws(BackendError)

    /// Ends the instance: no call is in flight, no stream is open. Joins the instance's threads, within a second.
    func close()

    /// Once, before the process ends; no instance is open. Joins the plugin's threads.
    static func shutdown()
}

// Defaults: what a store cannot do.
extension StorageBackend {
    /// Healthy, nothing to tell.
    public func health(call: Call) throws(BackendError) -> Properties { Properties() }

    /// Unsupported.
    public func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry { throw .unsupported("stat") }

    /// Unsupported.
    public func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        throw .unsupported("read")
    }

    /// Unsupported.
    public func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        throw .unsupported("write")
    }

    /// Unsupported.
    public func remove(_ request: RemoveRequest, call: Call) throws(BackendError) { throw .unsupported("remove") }

    /// Unsupported.
    public func removeBatch(_ requests: [RemoveRequest], results: BatchResults, call: Call) throws(BackendError) {
        throw .unsupported("remove_batch")
    }

    /// Unsupported.
    public func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        throw .unsupported("list")
    }

    /// Unsupported.
    public func copy(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry { throw .unsupported("copy") }

    /// Unsupported.
    public func move(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry { throw .unsupported("move") }

    /// Unsupported.
    public func presign(_ request: PresignRequest, call: Call) throws(BackendError) -> PresignedURL {
        throw .unsupported("presign")
    }

    /// Unsupported.
    public func publicURL(of key: ByteString, call: Call) throws(BackendError) -> String {
        throw .unsupported("public_url")
    }

    /// Unsupported.
    public func listContainers(into sink: EntrySink, call: Call) throws(BackendError) {
        throw .unsupported("container_list")
    }

    /// Unsupported.
    public func makeContainer(_ name: ByteString, options: Properties, call: Call) throws(BackendError) {
        throw .unsupported("container_make")
    }

    /// Unsupported.
    public func removeContainer(_ name: ByteString, call: Call) throws(BackendError) {
        throw .unsupported("container_remove")
    }

    /// Unsupported.
    public func usage(call: Call) throws(BackendError) -> Usage { throw .unsupported("usage") }

    /// Unsupported.
    public func beginUpload(_ request: WriteRequest, call: Call) throws(BackendError) -> ByteString {
        throw .unsupported("an upload")
    }

    /// Unsupported.
    public func beginPart(_ request: PartRequest, call: Call) throws(BackendError) -> any WriteStream {
        throw .unsupported("an upload")
    }

    /// Unsupported.
    public func listParts(of upload: ByteString, into sink: EntrySink, call: Call) throws(BackendError) {
        throw .unsupported("an upload")
    }

    /// Unsupported.
    public func completeUpload(
        _ upload: ByteString,
        _ request: WriteRequest,
        parts: [UploadPart],
        call: Call
    ) throws(BackendError) -> Entry {
        throw .unsupported("an upload")
    }

    /// Unsupported.
    public func abortUpload(_ upload: ByteString, call: Call) throws(BackendError) { throw .unsupported("an upload") }

    /// Unsupported.
    public func listUploads(_ request: UploadListRequest, into sink: EntrySink, call: Call) throws(BackendError) {
        throw .unsupported("an upload")
    }

    /// Nothing to end.
    public func close() {}

    /// Nothing to end.
    public static func shutdown() {}
}
