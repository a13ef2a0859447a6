import CofferAPI
import CofferModel
import CofferSystem

/// A storage of a host: what an application puts its objects into.
///
/// A value that names the storage; it holds nothing open.
public struct Storage: Sendable {
    /// The storage's name.
    public let name: String
    /// The client that talks to the host.
    public let client: CofferClient

    init(name: String, client: CofferClient) {
        self.name = name
        self.client = client
    }
}

extension Storage {
    /// Runs a blocking call on a thread of our own.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (HostChannel, String, CancelHandle) throws(CofferError) -> Value
    ) async throws(CofferError) -> Value {
        let name = name
        return try await client.run { channel, cancel throws(CofferError) in try body(channel, name, cancel) }
    }
}
