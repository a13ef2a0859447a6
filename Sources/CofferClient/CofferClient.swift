@_exported public import CofferAPI
@_exported public import CofferModel

/// A client of one host, over its Unix socket.
///
///     let files = CofferClient().storage("files")
///     let stored = try await files.put(Array("hello".utf8), at: "greeting.txt")
///     let bytes = try await files.get("greeting.txt")
///
/// Connections are made when needed and kept for the next request. Everything is safe to use from many tasks at once;
/// cancelling a task ends its request, and a write that was cancelled leaves nothing. A request never goes out twice
/// unless that does the same as once. Failures are ``CofferError`` with the code that the host gave; a host that cannot
/// be reached is `unavailable`.
public final class CofferClient: Sendable {
    /// The exchanges themselves, for callers that have a thread to block.
    package let channel: HostChannel

    /// Makes a client; nothing is connected yet.
    ///
    /// Without `socket`, it is looked for where every client looks: `COFFER_SOCKET`,
    /// `$XDG_RUNTIME_DIR/coffer/coffer.sock`, `/run/coffer/coffer.sock`.
    public init(socket: String? = nil) {
        channel = HostChannel(path: SocketLocation.find(explicit: socket))
    }

    /// The path of the host's socket.
    public var socketPath: String { channel.path }

    /// Closes the connections that wait for a next request; the client stays usable.
    public func close() { channel.discardIdle() }

    /// The storage called `name`; nothing is asked before the first operation.
    public func storage(_ name: String) -> Storage { Storage(name: name, client: self) }

    /// The storage that a bare key means.
    ///
    /// - Throws: ``CofferError`` with `not_found` where the host has no storage.
    public func defaultStorage() async throws(CofferError) -> Storage {
        guard let found = try await storages().defaultStorage else {
            throw CofferError(.notFound, "the host at \(socketPath) has no storage")
        }
        return storage(found.name)
    }
}

extension CofferClient {
    /// Whether the host lives, and how its storages are.
    public func health() async throws(CofferError) -> HealthInfo {
        try await run { channel, cancel throws(CofferError) in try channel.health(cancel) }
    }

    /// The versions of host, API and ABI.
    public func version() async throws(CofferError) -> VersionInfo {
        try await run { channel, cancel throws(CofferError) in try channel.version(cancel) }
    }

    /// All storages.
    public func storages() async throws(CofferError) -> StorageList {
        try await run { channel, cancel throws(CofferError) in try channel.storages(cancel) }
    }

    /// The plugins that the host found and loaded.
    public func plugins() async throws(CofferError) -> [PluginInfo] {
        try await run { channel, cancel throws(CofferError) in try channel.plugins(cancel) }
    }

    /// The profiles, the active one and who decided.
    public func profiles() async throws(CofferError) -> ProfileList {
        try await run { channel, cancel throws(CofferError) in try channel.profiles(cancel) }
    }

    /// Makes `profile` the active one.
    public func activate(profile: String) async throws(CofferError) -> ActivationResult {
        try await run { channel, cancel throws(CofferError) in try channel.activate(profile, cancel) }
    }

    /// Lets the host read its configuration again.
    public func reload() async throws(CofferError) -> ActivationResult {
        try await run { channel, cancel throws(CofferError) in try channel.reload(cancel) }
    }

    /// Makes a storage that lasts until it is dropped or the host ends.
    ///
    /// `settings` are those of a storage in YAML, as a JSON object: `{"backend": "memory"}`.
    @discardableResult
    public func makeStorage(_ name: String, settings: String) async throws(CofferError) -> StorageInfo {
        let body = try EphemeralStorageBody(parsing: Array(settings.utf8))
        return try await run { channel, cancel throws(CofferError) in try channel.makeStorage(name, body, cancel) }
    }

    /// Ends a storage that was made at run time.
    public func dropStorage(_ name: String) async throws(CofferError) {
        try await run { channel, cancel throws(CofferError) in try channel.dropStorage(name, cancel) }
    }

    /// Runs a blocking call on a thread of our own.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (HostChannel, CancelHandle) throws(CofferError) -> Value
    ) async throws(CofferError) -> Value {
        let cancel = CancelHandle()
        let channel = channel
        return try await BlockingThreads.shared.run(cancel) { () throws(CofferError) in try body(channel, cancel) }
    }
}
