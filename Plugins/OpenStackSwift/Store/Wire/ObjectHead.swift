// An object's properties in the headers of Swift.

import CofferCrypto
package import CofferMetadata
package import CofferPluginSDK
package import CofferTransport

/// Reads and writes what describes an object.
package enum ObjectHead {
    /// How user metadata stand in headers: values have at most 256 bytes, and WSGI tells no underscore from a dash.
    package static let metadata = MetadataCode(
        header: "x-object-meta-",
        keepsUnderscores: false,
        keepsUTF8: true,
        valueLimit: 256
    )
    /// The most bytes of names and values, ours included, and the most of them.
    private static let mostBytes = 4096
    private static let mostNames = 90
    /// The most bytes of user metadata, before they are encoded.
    package static let mostMetadata = 3072

    /// Properties that are headers of the same name.
    private static let properties = [
        "content-type", "content-encoding", "content-disposition", "content-language", "cache-control",
    ]

    /// All that a head tells of an object.
    package static func entry(_ key: ByteString, _ headers: HTTPHeaders, size: Int64) -> Entry {
        var entry = Entry(key, size: size)
        entry.etag = ByteString(unquoted(headers["etag"] ?? ""))
        entry.modified = headers["last-modified"].flatMap { HTTPDate.parse($0) } ?? Entry.unknownTime
        for name in properties {
            guard let value = headers[name], !value.isEmpty else { continue }
            entry.properties[name] = value
        }
        entry.metadata = metadata.read(headers)
        // radosgw shows the mark of a large object once more, as if somebody had set it.
        entry.metadata["static-large-object"] = nil
        for (name, value) in metadata.owns(headers) where Digest.Algorithm(rawValue: name) != nil {
            entry.checksums.append(Checksum(algorithm: name, value: value))
        }
        return entry
    }

    /// The headers of properties and metadata; one that cannot be kept is `unsupported`.
    package static func headers(
        _ properties: Properties,
        _ metadata: Properties
    ) throws(BackendError) -> HTTPHeaders {
        // What has no type gets one here: else each store makes up another.
        var headers: HTTPHeaders = ["content-type": "application/octet-stream"]
        for (name, value) in properties {
            guard Self.properties.contains(name) else { throw .unsupported("the property \(name)") }
            headers[name] = value
        }
        try Self.metadata.write(metadata, to: &headers)
        return headers
    }

    /// Refuses metadata, with our own among them, that the store would refuse.
    package static func check(_ headers: HTTPHeaders, _ key: ByteString) throws(BackendError) {
        var (bytes, count) = (0, 0)
        for field in headers where field.name.lowercased().utf8.starts(with: metadata.header.utf8) {
            bytes += field.name.utf8.count - metadata.header.utf8.count + field.value.utf8.count
            count += 1
        }
        guard bytes <= mostBytes, count <= mostNames else {
            throw BackendError(
                .invalidArgument,
                "user metadata have at most \(mostBytes) bytes and \(mostNames) names, as they are encoded: \(key)"
            )
        }
    }

    /// Adds digests that are proven.
    package static func write(_ checksums: Checksums, to headers: inout HTTPHeaders) {
        for checksum in checksums where !checksum.isComposite && Digest.Algorithm(rawValue: checksum.algorithm) != nil {
            metadata.addOwn(checksum.algorithm, checksum.value, to: &headers)
        }
    }

    /// One of our own values; nil where there is none.
    package static func own(_ name: String, in headers: HTTPHeaders) -> String? { metadata.own(name, in: headers) }

    /// Adds one of our own values.
    package static func addOwn(_ name: String, _ value: String, to headers: inout HTTPHeaders) {
        metadata.addOwn(name, value, to: &headers)
    }

    /// Whether a field describes the object.
    package static func describes(_ field: HTTPHeaders.Field) -> Bool {
        let name = field.name.lowercased()
        return properties.contains(name) || name.utf8.starts(with: metadata.header.utf8)
    }

    /// Whether the object is made of segments.
    package static func isLarge(_ headers: HTTPHeaders) -> Bool {
        headers["x-static-large-object"]?.lowercased() == "true"
    }
}

/// An entity tag without its quotes.
package func unquoted(_ tag: String) -> String {
    var bytes = tag.utf8[...]
    if bytes.starts(with: "W/".utf8) { bytes = bytes.dropFirst(2) }
    if bytes.count >= 2, bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\"") {
        bytes = bytes.dropFirst().dropLast()
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// A query of names and values.
package func encodedQuery(_ pairs: [(name: String, value: String)]) -> String {
    pairs.map { "\(percentEncoded($0.name.utf8))=\(percentEncoded($0.value.utf8))" }.joined(separator: "&")
}
