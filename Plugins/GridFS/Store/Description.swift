// Properties, user metadata and digests, as a files document holds them.

import CofferPluginSDK
import GridFSModel

/// Properties, user metadata and digests of an object.
///
/// User metadata are the fields of `metadata`, so that every driver reads and writes them. A name that cannot safely be
/// a field's (empty, with a dot, or a dollar in front) goes into `coffer.metadata` instead, as a list of pairs.
struct Description {
    var properties = Properties()
    var metadata = Properties()
    var checksums = Checksums()
    var modified: Int64?

    /// What an object shall have.
    init(properties: Properties, metadata: Properties, modified: Int64?, checksums: Checksums = Checksums()) {
        self.properties = properties
        self.metadata = metadata
        self.modified = modified
        self.checksums = checksums
    }

    /// What a document says.
    init(file: Document, own: Document) {
        let metadata = file["metadata"]?.fields ?? .empty
        readProperties(file, own, metadata)
        readMetadata(metadata, own)
        readChecksums(file, own)
        modified = own["modified"]?.integer
    }

    /// The fields that this makes: `contentType`, `metadata`, `md5` and those of `coffer`.
    func write(into file: inout DocumentWriter, own: inout DocumentWriter) {
        if let type = properties["content-type"] { file.append("contentType", type) }
        let plain = metadata.filter { Self.isPlain($0.name) }
        file.append("metadata") { writer in
            for (name, value) in plain { writer.append(name, value) }
        }
        let others = metadata.filter { !Self.isPlain($0.name) }
        if !others.isEmpty { own.append("metadata", array: others.map { Self.pair($0.name, $0.value) }) }
        let rest = properties.filter { !$0.name.utf8.elementsEqual("content-type".utf8) }
        if !rest.isEmpty { own.append("properties", array: rest.map { Self.pair($0.name, $0.value) }) }
        if let modified { own.append("modified", Int(modified)) }
        if !checksums.isEmpty {
            own.append(
                "checksums",
                array: checksums.map { checksum in
                    .document(
                        .make {
                            $0.append("algorithm", checksum.algorithm)
                            $0.append("value", checksum.value)
                            if checksum.isComposite { $0.append("composite", true) }
                        }
                    )
                }
            )
        }
        // Where older drivers keep it, and Flask-FS looks for it.
        if let md5 = checksums["md5"], !md5.isComposite { file.append("md5", md5.value) }
    }

    private static func pair(_ name: String, _ value: String) -> Value {
        .document(
            .make {
                $0.append("name", name)
                $0.append("value", value)
            }
        )
    }

    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && !name.utf8.contains(0x2E) && name.utf8.first != 0x24
            && !name.utf8.elementsEqual("contentType".utf8)
    }

    private mutating func readProperties(_ file: Document, _ own: Document, _ metadata: Document) {
        // Newer tools of MongoDB put the type inside the metadata.
        if let type = file["contentType"]?.text ?? metadata["contentType"]?.text {
            properties["content-type"] = String(decoding: type, as: UTF8.self)
        }
        for (name, value) in Self.pairs(own["properties"]) { properties[name] = value }
    }

    private mutating func readMetadata(_ fields: Document, _ own: Document) {
        for (name, value) in fields where !name.elementsEqual("contentType".utf8) {
            // Names are lower-case on our side; of two that then are one the first is kept.
            let name = String(decoding: name, as: UTF8.self).lowercased()
            if metadata[name] == nil { metadata[name] = String(decoding: value.plainText, as: UTF8.self) }
        }
        for (name, value) in Self.pairs(own["metadata"]) { metadata[name] = value }
    }

    private mutating func readChecksums(_ file: Document, _ own: Document) {
        for element in own["checksums"]?.elements ?? [] {
            guard let fields = element.fields, let algorithm = fields["algorithm"]?.text,
                let value = fields["value"]?.text
            else { continue }
            checksums.append(
                Checksum(
                    algorithm: String(decoding: algorithm, as: UTF8.self),
                    value: String(decoding: value, as: UTF8.self),
                    isComposite: fields["composite"] == .boolean(true)
                )
            )
        }
        if let md5 = file["md5"]?.text, md5.count == 32, checksums["md5"] == nil {
            checksums.append(Checksum(algorithm: "md5", value: String(decoding: md5, as: UTF8.self).lowercased()))
        }
    }

    private static func pairs(_ value: Value?) -> [(name: String, value: String)] {
        (value?.elements ?? []).compactMap { element in
            guard let name = element.fields?["name"]?.text, let value = element.fields?["value"]?.text else {
                return nil
            }
            return (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
        }
    }
}
