// Where a container's blobs are: hosts, paths, and how a name stands in them.

package import CofferPluginSDK
package import CofferTransport

/// Where a container's blobs are.
package struct Place: Sendable {
    /// The storage account.
    package let account: String
    /// The container.
    package let container: String
    /// The server.
    package let origin: HTTPOrigin
    /// The server under which clients reach the blobs.
    package let publicOrigin: HTTPOrigin
    /// What stands before a container's name: an emulator has the account there.
    private let base: String
    private let publicBase: String

    package init(account: String, container: String, endpoint: HTTPLocation, visible: HTTPLocation?) {
        self.account = account
        self.container = container
        origin = endpoint.origin
        base = Self.path(endpoint)
        let visible = visible ?? endpoint
        publicOrigin = visible.origin
        publicBase = Self.path(visible)
    }

    /// The path of a blob on our server.
    package func path(_ name: String) -> String { Self.path(base, container, name) }

    /// The path of a blob as clients see it.
    package func publicPath(_ name: String) -> String { Self.path(publicBase, container, name) }

    /// The path of the container itself.
    package var containerPath: String { containerPath(ByteString(container)) }

    /// The path of any container of the account.
    package func containerPath(_ name: ByteString) -> String { "\(base)/\(percentEncoded(name.bytes, keeping: "$"))" }

    /// The path of the account.
    package var accountPath: String { base + "/" }

    private static func path(_ base: String, _ container: String, _ name: String) -> String {
        "\(base)/\(percentEncoded(container.utf8, keeping: "$"))/\(percentEncoded(name.utf8, keeping: "/"))"
    }

    /// The path of a URL without a slash at its end.
    private static func path(_ location: HTTPLocation) -> String {
        var path = location.path
        while path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        return path
    }
}
