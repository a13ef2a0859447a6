package import CofferJSON
public import CofferModel

/// An object and where it lies, as every answer tells it.
public struct StoredObject: Sendable, Hashable {
    /// The storage's name.
    public var storage: String
    /// The backend's id.
    public var backend: String
    /// What is known of the object.
    public var info: ObjectInfo
    /// The generation of the configuration that answered.
    public var generation: Int64

    /// Creates the description of an object in a storage.
    public init(storage: String, backend: String, info: ObjectInfo, generation: Int64) {
        self.storage = storage
        self.backend = backend
        self.info = info
        self.generation = generation
    }

    /// The object's key.
    public var key: Key { info.key }
}

extension StoredObject {
    /// The object as a JSON document.
    package func encode() -> [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// Writes the object as one JSON value; what is unknown is null.
    package func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("storage", storage)
            $0.member("backend", backend)
            $0.member("key", info.key.text)
            $0.member("size", info.size)
            $0.member("etag", info.etag)
            $0.member("version", info.version)
            $0.member("modified", info.modified?.description)
            $0.member("created", info.created?.description)
            $0.member("content_type", info.metadata.contentType)
            $0.member("content_encoding", info.metadata.contentEncoding)
            $0.member("content_disposition", info.metadata.contentDisposition)
            $0.member("content_language", info.metadata.contentLanguage)
            $0.member("cache_control", info.metadata.cacheControl)
            $0.name("checksum")
            if let checksum = info.wholeChecksum {
                $0.object {
                    $0.member("algorithm", checksum.algorithm.rawValue)
                    $0.member("value", checksum.value)
                }
            } else {
                $0.null()
            }
            $0.name("metadata")
            $0.object {
                for pair in info.metadata.user { $0.member(pair.name, pair.value) }
            }
            $0.member("generation", generation)
        }
    }

    /// Reads the document that ``encode()`` writes.
    package init(parsing bytes: [UInt8]) throws(CofferError) {
        try self.init(BodyReader(parsing: bytes))
    }

    /// Reads an object.
    package init(_ body: BodyReader) throws(CofferError) {
        var info = ObjectInfo(key: Key(try body.string("key")))
        info.size = try body.optionalInteger("size")
        info.etag = try body.optionalString("etag")
        info.version = try body.optionalString("version")
        info.modified = try body.optionalTime("modified")
        info.created = try body.optionalTime("created")
        info.metadata.contentType = try body.optionalString("content_type")
        info.metadata.contentEncoding = try body.optionalString("content_encoding")
        info.metadata.contentDisposition = try body.optionalString("content_disposition")
        info.metadata.contentLanguage = try body.optionalString("content_language")
        info.metadata.cacheControl = try body.optionalString("cache_control")
        info.metadata.user = try body.stringPairs("metadata").map { UserMetadata($0.name, $0.value) }
        if let checksum = try body.optionalObject("checksum") {
            let algorithm = Checksum.Algorithm(rawValue: try checksum.string("algorithm"))
            info.checksums = [Checksum(algorithm, try checksum.string("value"))]
        }
        self.init(
            storage: try body.string("storage"),
            backend: try body.string("backend"),
            info: info,
            generation: try body.optionalInteger("generation") ?? 0
        )
    }
}

extension ObjectInfo {
    /// The digest that answers show: of the whole bytes, never of parts, the strongest first.
    package var wholeChecksum: Checksum? {
        for algorithm in [Checksum.Algorithm.sha256, .sha512, .crc32c, .md5] {
            if let found = checksums.first(where: { $0.algorithm == algorithm && !$0.isComposite }) { return found }
        }
        return checksums.first { !$0.isComposite }
    }
}
