package import CofferModel

/// What a write's head says of the object beside its bytes.
package enum RequestFields {
    /// The most that names and values of user metadata may take together, in bytes.
    package static let metadataLimit = 8192

    /// Reads content headers and `Coffer-Meta-*` of a write.
    ///
    /// `fields` are all fields of the head, since names of user metadata are not known beforehand.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument`, naming the field.
    package static func metadata(_ fields: some Sequence<(name: String, value: String)>) throws(CofferError) -> Metadata
    {
        var metadata = Metadata()
        var total = 0
        for field in fields {
            let name = field.name.lowercasedASCII
            switch name {
            case "content-type": metadata.contentType = field.value
            case "content-encoding": metadata.contentEncoding = field.value
            case "content-disposition": metadata.contentDisposition = field.value
            case "content-language": metadata.contentLanguage = field.value
            case "cache-control": metadata.cacheControl = field.value
            default:
                guard name.utf8.starts(with: "coffer-meta-".utf8) else { continue }
                let pair = UserMetadata(
                    try checkedName(String(name.dropFirst("coffer-meta-".count))),
                    try decodedValue(field.value, name: name)
                )
                guard !metadata.user.contains(where: { $0.name == pair.name }) else {
                    throw CofferError(.invalidArgument, "\(name) is there twice")
                }
                total += pair.name.utf8.count + pair.value.utf8.count
                metadata.user.append(pair)
            }
        }
        try checkTotal(total)
        metadata.user.sort { $0.name < $1.name }
        return metadata
    }

    /// The fields that carry `metadata`, in requests and in answers.
    package static func fields(of metadata: Metadata) -> FieldList {
        var list = ListedFields()
        write(metadata, to: &list)
        return list.fields
    }

    /// Writes the same fields into a head.
    package static func write(_ metadata: Metadata, to sink: inout some FieldSink) {
        if let value = metadata.contentType { sink.add("Content-Type", value) }
        if let value = metadata.contentEncoding { sink.add("Content-Encoding", value) }
        if let value = metadata.contentDisposition { sink.add("Content-Disposition", value) }
        if let value = metadata.contentLanguage { sink.add("Content-Language", value) }
        if let value = metadata.cacheControl { sink.add("Cache-Control", value) }
        for pair in metadata.user {
            sink.add(Wire.metaPrefix + pair.name, PercentCoding.encode(pair.value, keeping: .field))
        }
    }

    /// Refuses user metadata that cannot travel.
    package static func check(_ user: [UserMetadata]) throws(CofferError) {
        var total = 0
        for pair in user {
            _ = try checkedName(pair.name)
            total += pair.name.utf8.count + pair.value.utf8.count
        }
        try checkTotal(total)
    }

    /// The caller's key for repeating a request, bare or in quotes; nil where there is none.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument`.
    package static func idempotencyKey(_ fields: FieldLookup) throws(CofferError) -> String? {
        let values = fields("idempotency-key")
        guard let value = values.first else { return nil }
        var text = Substring(value).trimmed
        if text.utf8.count >= 2, text.utf8.first == UInt8(ascii: "\""), text.utf8.last == UInt8(ascii: "\"") {
            text = text.dropFirst().dropLast()
        }
        guard values.count == 1, (1...255).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") })
        else {
            throw CofferError(.invalidArgument, "idempotency-key must be 1 to 255 visible ASCII characters")
        }
        return String(text)
    }

    /// Refuses what cannot stand in a field's value, so that nobody smuggles another field into an answer.
    package static func checkFieldValue(
        _ value: String,
        name: String,
        limit: Int = metadataLimit
    ) throws(CofferError) {
        guard value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }), value.utf8.count <= limit else {
            throw CofferError(.invalidArgument, "\(name) has a control character or is too long")
        }
    }

    private static func checkedName(_ name: String) throws(CofferError) -> String {
        let isValid = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
            default: false
            }
        }
        guard isValid, !name.isEmpty else {
            throw CofferError(
                .invalidArgument,
                "the metadata name \"\(name)\" has more than lower-case letters, digits, -, _ and ."
            )
        }
        return name
    }

    private static func decodedValue(_ value: String, name: String) throws(CofferError) -> String {
        guard let decoded = PercentCoding.decode(Array(value.utf8)[...]) else {
            throw CofferError(.invalidArgument, "\(name) is not percent-encoded UTF-8")
        }
        return decoded
    }

    private static func checkTotal(_ total: Int) throws(CofferError) {
        guard total <= metadataLimit else {
            throw CofferError(.tooLarge, "user metadata has \(total) bytes, the limit is \(metadataLimit)")
        }
    }
}
