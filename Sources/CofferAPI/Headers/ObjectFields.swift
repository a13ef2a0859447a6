package import CofferModel

/// What GET and HEAD tell of an object in their heads.
package enum ObjectFields {
    /// The fields of `object`: those of HTTP first, then our own.
    ///
    /// Length and range are the transfer's and not among them.
    package static func fields(of object: StoredObject) -> FieldList {
        let info = object.info
        var fields: FieldList = []
        fields.reserveCapacity(14)
        if let etag = info.etag { fields.append(("ETag", EntityTags.quoted(etag))) }
        if let modified = info.modified { fields.append(("Last-Modified", HTTPDate.format(modified))) }
        fields.append(("Accept-Ranges", "bytes"))
        fields += RequestFields.fields(of: info.metadata)
        if info.metadata.contentType == nil { fields.append(("Content-Type", "application/octet-stream")) }
        if let digest = DigestFields.format(info.checksums) { fields.append(("Repr-Digest", digest)) }
        fields.append((Wire.storage, PercentCoding.encode(object.storage, keeping: .field)))
        fields.append((Wire.backend, PercentCoding.encode(object.backend, keeping: .field)))
        fields.append((Wire.generation, String(object.generation)))
        if let version = info.version { fields.append((Wire.version, PercentCoding.encode(version, keeping: .field))) }
        if let modified = info.modified { fields.append((Wire.modified, modified.description)) }
        if let created = info.created { fields.append((Wire.created, created.description)) }
        if let checksum = info.wholeChecksum {
            fields.append((Wire.checksum, "\(checksum.algorithm.rawValue)=\(checksum.value)"))
        }
        return fields
    }

    /// Reads an object back from the head of an answer.
    ///
    /// `size` is the whole object's, which `Content-Length` or `Content-Range` tells.
    package static func object(
        key: Key,
        size: Int64?,
        fields all: some Sequence<(name: String, value: String)>
    ) throws(CofferError) -> StoredObject {
        var info = ObjectInfo(key: key, size: size)
        var storage = ""
        var backend = ""
        var generation: Int64 = 0
        for field in all {
            switch field.name.lowercasedASCII {
            case "etag": info.etag = try EntityTags.parse([field.value], field: "etag")?.first?.token
            case "last-modified": info.modified = info.modified ?? HTTPDate.parse(field.value)
            case "coffer-modified": info.modified = Timestamp(field.value) ?? info.modified
            case "coffer-created": info.created = Timestamp(field.value)
            case "coffer-version": info.version = decoded(field.value)
            case "coffer-storage": storage = decoded(field.value)
            case "coffer-backend": backend = decoded(field.value)
            case "coffer-generation": generation = Int64(field.value) ?? 0
            case "coffer-checksum":
                if let equals = field.value.firstIndex(of: "=") {
                    let algorithm = Checksum.Algorithm(rawValue: String(field.value[..<equals]))
                    let value = String(field.value[field.value.index(after: equals)...])
                    info.checksums = [Checksum(algorithm, value)]
                }
            default: break
            }
        }
        info.metadata = try RequestFields.metadata(all)
        return StoredObject(storage: storage, backend: backend, info: info, generation: generation)
    }

    private static func decoded(_ value: String) -> String {
        PercentCoding.decode(Array(value.utf8)[...]) ?? value
    }
}
