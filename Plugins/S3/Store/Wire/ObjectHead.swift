// An object's properties in the headers of S3.

import CofferCrypto
package import CofferMetadata
package import CofferPluginSDK
package import CofferTransport

/// Reads and writes what describes an object.
package struct ObjectHead: Sendable {
    /// How user metadata are written.
    package var metadata: MetadataCode

    /// Reads and writes heads whose metadata are in that form.
    package init(metadata: MetadataCode) { self.metadata = metadata }

    /// Properties that are headers of the same name.
    private static let properties = [
        "content-type", "content-encoding", "content-disposition", "content-language", "cache-control",
    ]

    /// The digests of the store itself.
    private static let storeDigests = [("x-amz-checksum-sha256", "sha256"), ("x-amz-checksum-crc32c", "crc32c")]

    /// All that a head tells of an object.
    package func entry(_ key: ByteString, _ headers: HTTPHeaders, size: Int64) -> Entry {
        var entry = Entry(key, size: size)
        entry.etag = ByteString(unquoted(headers["etag"] ?? ""))
        entry.modified = headers["last-modified"].flatMap { HTTPDate.parse($0) } ?? Entry.unknownTime
        for name in Self.properties {
            guard let value = headers[name] else { continue }
            let kept = name == "content-encoding" ? Self.withoutChunks(value) : value
            if !kept.isEmpty { entry.properties[name] = kept }
        }
        entry.properties["storage-class"] = headers["x-amz-storage-class"]
        entry.metadata = metadata.read(headers)
        for (name, value) in MetadataCode.owns(headers) where Digest.Algorithm(rawValue: name) != nil {
            entry.checksums.append(Checksum(algorithm: name, value: value))
        }
        for (header, algorithm) in Self.storeDigests where entry.checksums[algorithm] == nil {
            // A digest of digests has the number of parts behind it.
            guard let digest = headers[header].flatMap({ bytes(base64: $0) }) else { continue }
            let isWhole = headers["x-amz-checksum-type"] != "COMPOSITE"
            if isWhole { entry.checksums.append(Checksum(algorithm: algorithm, value: hex(digest))) }
        }
        return entry
    }

    /// Adds the headers of properties and metadata; one that cannot be kept is `unsupported`.
    package func write(
        _ properties: Properties,
        _ metadata: Properties,
        to headers: inout HTTPHeaders
    ) throws(BackendError) {
        for (name, value) in properties {
            if Self.properties.contains(name) {
                headers[name] = value
            } else if name == "storage-class" {
                headers["x-amz-storage-class"] = value
            } else {
                throw .unsupported("the property \(name)")
            }
        }
        try self.metadata.write(metadata, to: &headers)
    }

    /// Adds digests that are proven.
    package static func write(_ checksums: Checksums, to headers: inout HTTPHeaders) {
        for checksum in checksums where !checksum.isComposite && Digest.Algorithm(rawValue: checksum.algorithm) != nil {
            MetadataCode.addOwn(checksum.algorithm, checksum.value, to: &headers)
        }
    }

    /// The framing of a signed body is no encoding of the object, although some stores keep the word.
    private static func withoutChunks(_ encoding: String) -> String {
        guard encoding.firstRange(of: "aws-chunked") != nil else { return encoding }
        return encoding.split(separator: ",").map { $0.drop { $0 == " " } }
            .filter { !$0.utf8.starts(with: "aws-chunked".utf8) }.joined(separator: ",")
    }
}
