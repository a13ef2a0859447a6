// Where the containers of an account are.

import CofferPluginSDK
import CofferTransport

/// Where the containers of an account are, as the login told, and how they are reached.
struct Place: Sendable {
    let endpoint: HTTPEndpoint
    /// The account's path, without a slash at its end.
    let account: String
    let container: String
    let segmentContainer: String

    /// The path of an object.
    func path(_ key: ByteString) -> String { "\(containerPath)/\(percentEncoded(key.bytes, keeping: "/"))" }

    /// The path of our own container.
    var containerPath: String { "\(account)/\(percentEncoded(container.utf8))" }

    /// The path of any container.
    func containerPath(_ name: ByteString) -> String { "\(account)/\(percentEncoded(name.bytes))" }

    /// The path of a segment, by its name in the container of segments.
    func segmentPath(_ name: String) -> String { "\(segmentsPath)/\(percentEncoded(name.utf8, keeping: "/"))" }

    /// The path of the container of segments.
    var segmentsPath: String { "\(account)/\(percentEncoded(segmentContainer.utf8))" }

    /// What names an object as the source of a copy.
    func source(_ key: ByteString) -> String {
        "/\(percentEncoded(container.utf8))/\(percentEncoded(key.bytes, keeping: "/"))"
    }

    /// What names a segment as the source of a copy.
    func segmentSource(_ name: String) -> String {
        "/\(percentEncoded(segmentContainer.utf8))/\(percentEncoded(name.utf8, keeping: "/"))"
    }
}
