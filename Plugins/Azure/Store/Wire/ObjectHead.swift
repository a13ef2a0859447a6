// An object's properties in the headers of the service.

import CofferCrypto
package import CofferPluginSDK
package import CofferTransport

/// Reads and writes what describes an object.
package enum ObjectHead {
    /// Properties that are headers of the same name; in a request they stand behind `x-ms-blob-`.
    private static let properties = [
        "content-type", "content-encoding", "content-disposition", "content-language", "cache-control",
    ]

    /// What a blob is where nobody says.
    package static let plainType = "application/octet-stream"

    /// All that a head tells of an object.
    package static func entry(_ key: ByteString, _ headers: HTTPHeaders, size: Int64) -> Entry {
        var entry = Entry(key, size: size)
        entry.etag = ByteString(unquoted(headers["etag"] ?? ""))
        entry.modified = headers["last-modified"].flatMap { HTTPDate.parse($0) } ?? Entry.unknownTime
        for name in properties {
            if let value = headers[name], !value.isEmpty { entry.properties[name] = value }
        }
        // What the account says of all blobs is nothing of this one.
        if headers["x-ms-access-tier-inferred"] == nil {
            entry.properties["storage-class"] = headers["x-ms-access-tier"]
        }
        entry.metadata = MetadataCode.read(headers)
        for algorithm in Digest.Algorithm.allCases {
            guard let value = MetadataCode.own(algorithm.rawValue, in: headers) else { continue }
            entry.checksums.append(Checksum(algorithm: algorithm.rawValue, value: value))
        }
        // With a range, the digest of the whole blob has another name.
        let digest =
            headers["x-ms-blob-content-md5"] ?? (headers["content-range"] == nil ? headers["content-md5"] : nil)
        if let digest { add(md5: digest, to: &entry.checksums) }
        return entry
    }

    /// Adds an MD5 as the service writes it.
    package static func add(md5 text: String, to checksums: inout Checksums) {
        guard checksums["md5"] == nil, let digest = bytes(base64: text), digest.count == 16 else { return }
        checksums.append(Checksum(algorithm: "md5", value: hex(digest)))
    }

    /// Adds the headers of properties and metadata; one that cannot be kept is `unsupported`.
    package static func write(
        _ properties: Properties,
        _ metadata: Properties,
        to headers: inout HTTPHeaders
    ) throws(BackendError) {
        for (name, value) in properties where !value.isEmpty {
            // Anything else would come out as a wrong signature.
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
                throw BackendError(.invalidArgument, "the property \(name) holds what is not ASCII")
            }
            if Self.properties.contains(name) {
                headers["x-ms-blob-\(name)"] = value
            } else if name.utf8.elementsEqual("storage-class".utf8) {
                headers["x-ms-access-tier"] = value
            } else {
                throw .unsupported("the property \(name)")
            }
        }
        try MetadataCode.write(metadata, to: &headers)
    }

    /// Adds digests that are proven: MD5 where the service has a place for it, others among the metadata.
    package static func write(_ checksums: Checksums, to headers: inout HTTPHeaders) {
        for checksum in checksums where !checksum.isComposite {
            guard let algorithm = Digest.Algorithm(rawValue: checksum.algorithm) else { continue }
            if algorithm == .md5 {
                headers["x-ms-blob-content-md5"] = bytes(hex: checksum.value).map { base64($0) }
            } else {
                MetadataCode.addOwn(checksum.algorithm, checksum.value, to: &headers)
            }
        }
    }
}

/// An entity tag without its quotes.
package func unquoted(_ tag: String) -> String {
    let bytes = tag.utf8
    guard bytes.count >= 2, bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\"") else { return tag }
    return String(Substring(bytes.dropFirst().dropLast()))
}
