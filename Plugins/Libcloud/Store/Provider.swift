// What is known of Libcloud's providers: which drivers keep what.

package import CofferPluginSDK

/// A family of Libcloud's drivers that are alike in what they keep.
package enum Family: Sendable, Hashable {
    /// Those that speak the protocol of S3: an object appears whole, with a type and metadata.
    case s3
    /// The driver for a directory: written in place, bytes and nothing else.
    case local
    /// All others: nothing is promised that nobody has proven.
    case other

    /// The family of a provider.
    package init(provider: String) {
        let s3 = [
            "s3", "minio", "digitalocean_spaces", "scaleway", "ovh", "google_storage", "auroraobjects",
        ]
        if provider.utf8.starts(with: "s3_".utf8) || s3.contains(provider) {
            self = .s3
        } else {
            self = provider == "local" ? .local : .other
        }
    }

    /// What is native, as far as the operator does not say otherwise.
    package func capabilities(enforces: Enforcement, keeps: Keeping) -> Capabilities {
        var result: Capabilities = [
            .stat, .read, .readRange, .write, .remove, .list, .listDelimiter, .listAfter, .listSorted, .containers,
        ]
        if self == .local { result.insert(.directories) }
        if enforces == .native || (enforces == .auto && self == .s3) {
            result.formUnion([.atomicReplace, .readPinned, .durable])
        }
        // A tag that conditions can compare.
        if self == .s3 { result.insert(.readCondition) }
        switch keeps == .auto ? (self == .s3 ? .metadata : .nothing) : keeps {
        case .auto, .nothing: break
        case .type: result.insert(.contentType)
        case .metadata: result.formUnion([.contentType, .userMetadata, .checksum])
        }
        return result
    }
}

/// Whether an object appears whole, as the operator says.
package enum Enforcement: String, Sendable { case auto, native, none }

/// What is kept beside an object's bytes, as the operator says.
package enum Keeping: String, Sendable { case auto, nothing, type, metadata }

/// Which keys a provider can be asked for.
package struct KeyRule: Sendable {
    /// The family of the provider.
    package var family: Family

    /// The rule of a family.
    package init(_ family: Family) { self.family = family }

    /// The key as text; throws why it is none of this provider's.
    package func text(_ key: ByteString) throws(BackendError) -> String {
        guard let text = String(validating: key.bytes, as: UTF8.self) else {
            throw BackendError(.invalidKey, "the key is not UTF-8")
        }
        if let reason = refusal(of: key.bytes, text) {
            throw BackendError(.invalidKey, "\(reason): \(String(decoding: key.bytes.prefix(200), as: UTF8.self))")
        }
        return text
    }

    private func refusal(of key: [UInt8], _ text: String) -> String? {
        for segment in key.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            // Libcloud makes URLs and paths of keys, and both would lose these on the way.
            if segment.isEmpty { return "the key has an empty segment" }
            if segment.elementsEqual([0x2E]) || segment.elementsEqual([0x2E, 0x2E]) {
                return "the key has a dot segment"
            }
            guard family == .local else { continue }
            if segment.count > 255 { return "the key has a segment of more than 255 bytes" }
            if segment.elementsEqual(".lock".utf8) || segment.elementsEqual(".hash".utf8) {
                return "Libcloud's driver keeps this name for itself"
            }
        }
        // Listings come as XML, which cannot hold these: one such key would hide a whole container.
        let isWritable = text.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 0x20 && scalar.value != 0x7F && scalar.value != 0xFFFE && scalar.value != 0xFFFF
        }
        return isWritable ? nil : "the key has a control character"
    }
}
