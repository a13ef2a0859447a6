// An object as the JSON API writes it.

import CofferCrypto
package import CofferJSON
package import CofferPluginSDK
import CofferTransport

/// An object as the JSON API writes it.
package struct ObjectResource: Sendable {
    /// What is known of it.
    package let entry: Entry
    /// Its version; nil where the store names none.
    package let version: VersionToken?
    /// The names of its user metadata as they are stored, ours among them.
    package let metadataNames: [String]
    /// The attempt that wrote it, in hexadecimal; empty where it says none.
    package let attempt: String
    /// Its CRC-32C in hexadecimal; empty where the store names none.
    package let crc32c: String

    /// Metadata of our own begin like this, and are shown to nobody.
    private static let own = "coffer-"
    private static let attemptName = "coffer-attempt"

    private static let fields = [
        (property: "content-type", member: "contentType"), (property: "content-encoding", member: "contentEncoding"),
        (property: "content-disposition", member: "contentDisposition"),
        (property: "content-language", member: "contentLanguage"), (property: "cache-control", member: "cacheControl"),
    ]

    /// Reads a resource; nil if it is none.
    package init?(_ document: JSONValue) {
        guard let name = document["name"]?.stringValue else { return nil }
        let version = Self.version(document)
        self.version = version
        var properties = Properties()
        for field in Self.fields {
            if let value = document[field.member]?.stringValue, !value.isEmpty { properties[field.property] = value }
        }
        if let kind = document["storageClass"]?.stringValue, !kind.utf8.elementsEqual("STANDARD".utf8) {
            properties["storage-class"] = kind
        }
        var checksums = Checksums()
        var crc32c = ""
        for (member, algorithm) in [("crc32c", "crc32c"), ("md5Hash", "md5")] {
            guard let value = document[member]?.stringValue.flatMap({ bytes(base64: $0) }) else { continue }
            checksums.append(Checksum(algorithm: algorithm, value: hex(value)))
            if member.utf8.elementsEqual("crc32c".utf8) { crc32c = hex(value) }
        }
        var metadata = Properties()
        var names: [String] = []
        var attempt = ""
        for member in document["metadata"]?.objectValue ?? JSONObject() {
            guard let value = member.value.stringValue else { continue }
            names.append(member.name)
            guard member.name.utf8.starts(with: Self.own.utf8) else {
                metadata[member.name.lowercased()] = value
                continue
            }
            if member.isCalled(Self.attemptName) { attempt = value }
            let rest = String(Substring(member.name.utf8.dropFirst(Self.own.utf8.count)))
            if Self.keptAlgorithms.contains(rest), !value.isEmpty {
                checksums.append(Checksum(algorithm: rest, value: value))
            }
        }
        (metadataNames, self.attempt, self.crc32c) = (names, attempt, crc32c)
        entry = Entry(
            ByteString(name),
            size: document["size"].flatMap(Self.number) ?? -1,
            modified: Self.time(document["updated"]) ?? Self.time(document["timeCreated"]) ?? Entry.unknownTime,
            created: Self.time(document["timeCreated"]) ?? Entry.unknownTime,
            etag: version?.tag ?? .empty,
            properties: properties,
            metadata: metadata,
            checksums: checksums
        )
    }

    private static let keptAlgorithms: Set<String> = ["sha256", "sha512", "sha1"]

    /// The version that a resource names.
    static func version(_ document: JSONValue) -> VersionToken? {
        guard let generation = document["generation"].flatMap(number) else { return nil }
        return VersionToken(
            generation: generation,
            metageneration: document["metageneration"].flatMap(number) ?? 1
        )
    }

    /// A whole number, which the API writes as a string because some readers of JSON lose its last digits.
    static func number(_ value: JSONValue) -> Int64? { value.integerValue ?? value.stringValue.flatMap { Int64($0) } }

    static func time(_ value: JSONValue?) -> Int64? { value?.stringValue.flatMap { HTTPDate.parseISO8601($0) } }
}

/// What an object shall say of itself, apart from its bytes.
package struct ObjectDraft: Sendable {
    package var properties: Properties
    package var metadata: Properties
    /// Digests that are kept beside the bytes.
    package var checksums = Checksums()
    /// The attempt by which it is known again, in hexadecimal; empty is none.
    package var attempt = ""
    package var storageClass: String?
    /// The digest with which the store compares its own; empty is none.
    package var crc32c: [UInt8] = []

    /// The most bytes of user metadata, without ours.
    package static let metadataLimit = 7 << 10

    /// Refuses what no resource can hold.
    package init(_ key: ByteString, properties: Properties, metadata: Properties) throws(BackendError) {
        guard metadata.byteCount <= Self.metadataLimit else {
            throw BackendError(
                .invalidArgument,
                "user metadata have at most \(Self.metadataLimit) bytes here: \(key)"
            )
        }
        for (name, _) in metadata {
            guard !name.isEmpty else { throw BackendError(.invalidArgument, "a name of user metadata is empty") }
            guard !name.utf8.starts(with: "coffer-".utf8) else {
                throw BackendError(.invalidArgument, "names of user metadata that begin with coffer- are reserved")
            }
        }
        self.properties = properties
        storageClass = properties["storage-class"]
        self.properties["storage-class"] = nil
        for (name, _) in self.properties where ObjectResource.member(of: name) == nil {
            throw .unsupported("the property \(name)")
        }
        self.metadata = metadata
        // What has no type gets one here: else each program makes up another.
        if self.properties["content-type"] == nil { self.properties["content-type"] = "application/octet-stream" }
    }

    /// The resource to send; `name` where the request does not name the object.
    package func document(name: ByteString? = nil) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            if let name { writer.member("name", name.string) }
            for (property, value) in properties {
                if let member = ObjectResource.member(of: property) { writer.member(member, value) }
            }
            if let storageClass { writer.member("storageClass", storageClass) }
            if !crc32c.isEmpty { writer.member("crc32c", base64(crc32c)) }
            writer.name("metadata")
            writer.object { writer in
                for (name, value) in stored { writer.member(name, value) }
            }
        }
        return writer.bytes
    }

    /// The changes that make an object's resource say this: what it has beyond is taken away.
    package func patch(over old: ObjectResource) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            for field in ObjectResource.allMembers {
                writer.name(field.member)
                if let value = properties[field.property] { writer.value(value) } else { writer.null() }
            }
            writer.name("metadata")
            writer.object { writer in
                let kept = stored
                for (name, value) in kept { writer.member(name, value) }
                for name in old.metadataNames where kept[name] == nil {
                    writer.name(name)
                    writer.null()
                }
            }
        }
        return writer.bytes
    }

    /// The user metadata with ours.
    private var stored: Properties {
        var all = metadata
        for checksum in checksums where !checksum.isComposite {
            switch checksum.algorithm {
            // The store computes these itself.
            case "crc32c", "md5": break
            default: all["coffer-\(checksum.algorithm)"] = checksum.value
            }
        }
        if !attempt.isEmpty { all["coffer-attempt"] = attempt }
        return all
    }
}

extension ObjectResource {
    /// The member that holds a property; nil where there is none.
    static func member(of property: String) -> String? {
        fields.first { $0.property.utf8.elementsEqual(property.utf8) }?.member
    }

    /// Every property and its member.
    static var allMembers: [(property: String, member: String)] { fields }
}
