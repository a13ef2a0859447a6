// Where a bucket's objects are: paths of the JSON API, and URLs for everybody.

package import CofferPluginSDK
package import CofferTransport

/// Where a bucket's objects are.
package struct Place: Sendable {
    /// The bucket.
    package let container: String
    /// The server of the JSON API.
    package let origin: HTTPOrigin
    /// The server under which clients reach objects.
    package let publicOrigin: HTTPOrigin
    /// What a path in the endpoints puts before all others.
    private let base: String
    private let publicBase: String

    /// A bucket at an endpoint.
    package init(container: String, endpoint: HTTPLocation, publicEndpoint: HTTPLocation) {
        self.container = container
        (origin, base) = (endpoint.origin, Self.path(endpoint))
        (publicOrigin, publicBase) = (publicEndpoint.origin, Self.path(publicEndpoint))
    }

    /// The path of an object's resource.
    package func path(_ key: ByteString) -> String { "\(objectsPath)/\(percentEncoded(key.bytes))" }

    /// The path under which objects are listed.
    package var objectsPath: String { "\(containerPath(container))/o" }

    /// The path under which objects are made.
    package var uploadPath: String { "\(base)/upload/storage/v1/b/\(percentEncoded(container.utf8))/o" }

    /// The path of a rewrite from one object to another in this bucket.
    package func rewritePath(from: ByteString, to: ByteString) -> String {
        "\(path(from))/rewriteTo/b/\(percentEncoded(container.utf8))/o/\(percentEncoded(to.bytes))"
    }

    /// The path of any bucket.
    package func containerPath(_ name: String) -> String { "\(containersPath)/\(percentEncoded(name.utf8))" }

    /// The path under which buckets are listed and made.
    package var containersPath: String { "\(base)/storage/v1/b" }

    /// The path of an object as clients see it, which is that of the XML API.
    package func publicPath(_ key: ByteString) -> String {
        "\(publicBase)/\(percentEncoded(container.utf8))/\(percentEncoded(key.bytes, keeping: "/"))"
    }

    /// The path of a URL without a slash at its end.
    private static func path(_ location: HTTPLocation) -> String {
        var path = location.path
        while path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        return path
    }

    /// Whether the store could have a bucket of this name.
    package static func isContainer(_ name: String) -> Bool {
        (3...222).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
                default: false
                }
            }
    }

    /// Refuses keys that no object of the store can have.
    package static func check(_ key: ByteString) throws(BackendError) {
        let bytes = key.bytes
        guard !bytes.contains(0x0A), !bytes.contains(0x0D) else {
            throw BackendError(.invalidKey, "a key here holds no line break")
        }
        guard key != ".", key != ".." else { throw BackendError(.invalidKey, "a key here is not \(key)") }
        guard !key.hasPrefix(".well-known/acme-challenge/") else {
            throw BackendError(.invalidKey, "a key here does not begin with .well-known/acme-challenge/")
        }
    }
}

/// A query of pairs, encoded.
package func encodedQuery(_ pairs: [(name: String, value: String)]) -> String {
    pairs.map { "\(percentEncoded($0.name.utf8))=\(percentEncoded($0.value.utf8))" }.joined(separator: "&")
}
