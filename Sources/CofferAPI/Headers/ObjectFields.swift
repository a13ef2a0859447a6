import CofferJSON
package import CofferModel

/// What GET and HEAD tell of an object in their heads.
package enum ObjectFields {
    /// The fields of `object`: those of HTTP first, then our own.
    ///
    /// Length and range are the transfer's and not among them.
    package static func fields(of object: StoredObject) -> FieldList {
        var list = ListedFields()
        write(object, to: &list)
        return list.fields
    }

    /// Writes the same fields into a head.
    package static func write(_ object: StoredObject, to sink: inout some FieldSink) {
        let info = object.info
        if let etag = info.etag { sink.add("ETag") { $0.appendQuoted(etag) } }
        if let modified = info.modified { sink.add("Last-Modified") { $0.appendHTTPDate(modified) } }
        sink.add("Accept-Ranges", "bytes")
        RequestFields.write(info.metadata, to: &sink)
        if info.metadata.contentType == nil { sink.add("Content-Type", "application/octet-stream") }
        if !info.checksums.isEmpty { sink.add("Repr-Digest") { DigestFields.append(info.checksums, to: &$0) } }
        sink.add(Wire.storage, PercentCoding.encode(object.storage, keeping: .field))
        sink.add(Wire.backend, PercentCoding.encode(object.backend, keeping: .field))
        sink.add(Wire.generation) { $0.appendDecimal(object.generation) }
        if let version = info.version { sink.add(Wire.version, PercentCoding.encode(version, keeping: .field)) }
        if let modified = info.modified { sink.add(Wire.modified) { $0.appendTime(modified) } }
        if let created = info.created { sink.add(Wire.created) { $0.appendTime(created) } }
        if let checksum = info.wholeChecksum {
            sink.add(Wire.checksum) {
                $0.append(contentsOf: checksum.algorithm.rawValue.utf8)
                $0.append(UInt8(ascii: "="))
                $0.append(contentsOf: checksum.value.utf8)
            }
        }
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
