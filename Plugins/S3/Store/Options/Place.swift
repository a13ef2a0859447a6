// Where a container's objects are: hosts, paths, and how a key stands in them.

package import CofferPluginSDK
package import CofferTransport

/// Where a container's objects are.
package struct Place: Sendable {
    /// The container.
    package let container: String
    /// The server of the objects: with virtual addressing the container's name stands before the host.
    package let origin: HTTPOrigin
    /// The server of the account, where containers are listed and made.
    package let accountOrigin: HTTPOrigin
    /// The server and the base path under which clients reach the objects.
    package let publicOrigin: HTTPOrigin
    /// What stands before a key.
    private let base: String
    private let publicBase: String
    /// What stands before a container's name.
    private let accountBase: String
    private let isVirtual: Bool

    init(name: String, _ options: Options, endpoint: HTTPLocation, traits: ProviderTraits) throws(BackendError) {
        let isSet = Configuration.text(options, "container") != nil
        container = Configuration.text(options, "container") ?? name
        guard Self.isContainer(container) else {
            let why = isSet ? "is no name of a bucket" : "is missing: the storage's name is no name of a bucket"
            throw Options.wrong("container", why)
        }
        switch options.string("addressing") ?? "auto" {
        case "path": isVirtual = false
        case "virtual": isVirtual = true
        case "auto":
            // A name with a dot has no certificate under a wildcard, and an address no names below it.
            let isPlain = !container.utf8.contains(UInt8(ascii: "."))
            isVirtual = traits.isVirtual && isPlain && !Self.isAddress(endpoint.origin.host)
        default: throw Options.wrong("addressing", "has no such word")
        }
        guard !isVirtual || container.utf8.allSatisfy(Configuration.isHostByte) else {
            throw Options.wrong("container", "is no part of a host name")
        }
        let outside = try Configuration.text(options, "public_endpoint").map { text throws(BackendError) in
            try Configuration.location("public_endpoint", text)
        }
        (origin, accountBase) = (Self.origin(endpoint, isVirtual ? container : nil), Self.path(endpoint))
        accountOrigin = endpoint.origin
        base = accountBase + (isVirtual ? "/" : "/\(percentEncoded(container.utf8))/")
        let visible = outside ?? endpoint
        publicOrigin = Self.origin(visible, isVirtual ? container : nil)
        publicBase = Self.path(visible) + (isVirtual ? "/" : "/\(percentEncoded(container.utf8))/")
    }

    /// The path of an object on our server.
    package func path(_ key: ByteString) -> String { base + percentEncoded(key.bytes, keeping: "/") }

    /// The path of an object as clients see it.
    package func publicPath(_ key: ByteString) -> String { publicBase + percentEncoded(key.bytes, keeping: "/") }

    /// The path of the container itself.
    package var containerPath: String { isVirtual ? base : String(base.dropLast()) }

    /// The path of any container on the account's server.
    package func containerPath(_ name: ByteString) -> String { "\(accountBase)/\(percentEncoded(name.bytes))" }

    /// The path under which containers are listed.
    package var accountPath: String { accountBase + "/" }

    /// What names an object as the source of a copy.
    package func source(_ key: ByteString) -> String {
        "/\(percentEncoded(container.utf8))/\(percentEncoded(key.bytes, keeping: "/"))"
    }

    private static func origin(_ location: HTTPLocation, _ container: String?) -> HTTPOrigin {
        guard let container else { return location.origin }
        let old = location.origin
        return HTTPOrigin(isSecure: old.isSecure, host: "\(container).\(old.host)", port: old.port)
    }

    /// The path of a URL without a slash at its end.
    private static func path(_ location: HTTPLocation) -> String {
        var path = location.path
        while path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        return path
    }

    /// Whether a store could have a container of this name: what would change the path or the host is refused here.
    package static func isContainer(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 255 && name != "." && name != ".."
            && name.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "/") && $0 != 0x7F }
    }

    private static func isAddress(_ host: String) -> Bool {
        host.utf8.contains(UInt8(ascii: ":"))
            || host.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
    }
}
