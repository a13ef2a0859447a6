// Who runs the store, and what is known of each.

/// Who runs a store: the word of the option `provider`.
package enum Provider: String, Sendable, CaseIterable {
    /// Amazon S3.
    case aws
    /// Cloudflare R2.
    case r2
    /// Backblaze B2.
    case b2
    /// DigitalOcean Spaces.
    case spaces
    /// Oracle Cloud.
    case oracle
    /// Scaleway.
    case scaleway
    /// MinIO.
    case minio
    /// Ceph's radosgw.
    case ceph
    /// OpenStack Swift's own S3 front.
    case openstack
    /// Anybody else: nothing is taken for granted.
    case other

    /// Whose a host name is; `other` where the name tells nothing.
    package static func guess(host: String) -> Provider {
        let suffixes: [(StaticString, Provider)] = [
            (".amazonaws.com", .aws), (".amazonaws.com.cn", .aws), (".r2.cloudflarestorage.com", .r2),
            (".backblazeb2.com", .b2), (".digitaloceanspaces.com", .spaces), (".oraclecloud.com", .oracle),
            (".scw.cloud", .scaleway),
        ]
        let bytes = Array(host.utf8)
        for (suffix, provider) in suffixes {
            let wanted = Array(suffix.description.utf8)
            if bytes.count > wanted.count, bytes.suffix(wanted.count).elementsEqual(wanted) { return provider }
        }
        return .other
    }

    /// What is known of it.
    package var traits: ProviderTraits {
        var traits = ProviderTraits()
        switch self {
        case .aws:
            traits.endpoint = "https://s3.{region}.amazonaws.com"
            traits.defaultRegion = "us-east-1"
            traits.isVirtual = true
            traits.datesByItsClock = true
            traits.locatesContainers = true
            traits.conditions = [.create, .replace, .remove, .copy, .complete]
        case .r2:
            traits.endpoint = "https://{account_id}.r2.cloudflarestorage.com"
            traits.defaultRegion = "auto"
            traits.conditions = [.create, .replace]
            traits.hasACL = false
            traits.metadataLimit = 8192
        case .b2:
            traits.endpoint = "https://s3.{region}.backblazeb2.com"
            traits.metadataLimit = 2048
        case .spaces:
            traits.endpoint = "https://{region}.digitaloceanspaces.com"
        case .oracle:
            traits.endpoint = "https://{namespace}.compat.objectstorage.{region}.oraclecloud.com"
            traits.hasACL = false
        case .scaleway:
            traits.endpoint = "https://s3.{region}.scw.cloud"
        case .minio:
            traits.defaultRegion = "us-east-1"
            traits.conditions = [.create, .replace]
            traits.datesByItsClock = true
        case .ceph:
            traits.defaultRegion = "us-east-1"
            // A put without a condition that races one with If-Match is lost while both are acknowledged.
            traits.conditions = [.create]
            traits.refuted = [.replace]
            traits.copiesWithShortNames = true
            traits.comparesBareTags = true
            traits.datesByItsClock = true
            traits.keepsUnderscores = false
            traits.metadataLimit = 8192
        case .openstack:
            // Of several creators at once more than one wins.
            traits.refuted = [.create, .replace, .remove, .copy]
            traits.defaultRegion = "us-east-1"
            traits.hasACL = false
            traits.metadataLimit = 4096
            traits.metadataValueLimit = 256
            // Its uploads in parts lose them.
            traits.keepsUnderscores = false
            traits.takesPartsOfNothing = true
        case .other:
            traits.defaultRegion = "us-east-1"
            traits.keepsUnderscores = false
        }
        return traits
    }
}

/// What is known of the stores of one provider.
package struct ProviderTraits: Sendable {
    /// Conditions that the store itself enforces.
    package struct Conditions: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// `If-None-Match: *` on a put.
        package static let create = Conditions(rawValue: 1)
        /// `If-Match` on a put.
        package static let replace = Conditions(rawValue: 2)
        /// `If-Match` on a delete.
        package static let remove = Conditions(rawValue: 4)
        /// Conditions on the target of a copy.
        package static let copy = Conditions(rawValue: 8)
        /// The conditions of a put on completing a multipart upload.
        package static let complete = Conditions(rawValue: 16)
    }

    /// The endpoint where none is set, with `{region}`, `{account_id}` and `{namespace}` to be filled in.
    package var endpoint: String?
    /// The region where none is set.
    package var defaultRegion: String?
    /// Whether the container's name goes before the host by default.
    package var isVirtual = false
    /// Whether making a container wants the region in the body.
    package var locatesContainers = false
    /// What is enforced and proven.
    package var conditions: Conditions = []
    /// What is known to be ignored, refused or kept by halves: no probe is worth trying.
    package var refuted: Conditions = []
    /// Whether objects have access control lists.
    package var hasACL = true
    /// Whether conditions on a copy's source need the names that Ceph gives them too.
    package var copiesWithShortNames = false
    /// Whether a condition on a put wants the entity tag without quotes.
    package var comparesBareTags = false
    /// Whether an object's time is the second in which it was put, by the clock that dates answers.
    package var datesByItsClock = false
    /// Whether a part of an upload that is over is taken all the same.
    package var takesPartsOfNothing = false
    /// Whether an underscore in the name of user metadata comes back as one.
    package var keepsUnderscores = true
    /// The most bytes of user metadata; 0 is unknown.
    package var metadataLimit: UInt64 = 2048
    /// The most bytes of one value of user metadata; 0 is no such limit.
    package var metadataValueLimit = 0
}
