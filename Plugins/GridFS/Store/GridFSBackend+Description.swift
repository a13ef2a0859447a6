// What the plugin says of itself: abilities, options, limits.

package import CofferPluginSDK

extension GridFSBackend {
    package static let description = PluginDescription(
        id: "gridfs",
        version: "1.0.0",
        name: "GridFS",
        licence: "Apache-2.0",
        description: "Objects in MongoDB, as files of GridFS that every driver of MongoDB reads and writes.",
        capabilities: native.union(.eventual),
        options: options
    )

    private static let native: Capabilities = [
        .stat, .read, .readRange, .readPinned, .readCondition, .write, .atomicReplace, .createIfAbsent, .ifMatch,
        .remove, .removeIfMatch, .list, .listDelimiter, .listAfter, .listSorted, .copy, .copyCondition, .copyMetadata,
        .move, .contentType, .contentProperties,
        .userMetadata, .modificationTime, .checksum, .containers, .durable,
    ]

    static func traits(of store: Store) -> Traits {
        var limits = Traits.Limits()
        limits.maxKey = 1024
        limits.preferredPart = UInt64(Upload.batchBytes)
        // A chunk's number is an Int32.
        limits.maxObject = UInt64(store.chunkSize) * UInt64(Int32.max)
        limits.maxMetadata = 1 << 20
        var native = native
        if store.server.readsElsewhere { native.insert(.eventual) }
        if !store.server.isDurable { native.remove(.durable) }
        return Traits(native: native, limits: limits)
    }

    private static let options: [OptionDescription] = [
        OptionDescription(
            "uri",
            .string,
            "Where MongoDB is, as a mongodb:// or mongodb+srv:// URI.",
            flags: [.required, .secret],
            deprecatedAlias: "mongo_url"
        ),
        OptionDescription(
            "database",
            .string,
            "The database; the one that the URI names if it is not given.",
            deprecatedAlias: "mongo_db"
        ),
        OptionDescription(
            "container",
            .string,
            "The bucket: the prefix of the collections; the storage's name if it is not given.",
            deprecatedAlias: "bucket"
        ),
        OptionDescription(
            "create",
            .boolean,
            "Whether the bucket's collections are made at start; else the first write makes them.",
            default: "false"
        ),
        OptionDescription(
            "chunk_size",
            .size,
            "How large the chunks of new objects are.",
            default: "255KiB",
            bounds: 1024...(15 << 20)
        ),
        OptionDescription("username", .string, "The user, if not in the URI."),
        OptionDescription("password", .string, "The user's password, if not in the URI.", flags: .secret),
        OptionDescription("auth_source", .string, "The database that knows the user."),
        OptionDescription("auth_mechanism", .string, "How to log in, as SCRAM-SHA-256 or MONGODB-X509."),
        OptionDescription("replica_set", .string, "The name that the replica set must have."),
        OptionDescription("tls", .boolean, "Whether connections are encrypted."),
        OptionDescription(
            "tls_ca_file",
            .path,
            "The certificates of the authorities to trust, instead of the system's."
        ),
        OptionDescription("tls_certificate_key_file", .path, "The client's own certificate and key."),
        OptionDescription("tls_certificate_key_password", .string, "What opens that key.", flags: .secret),
        OptionDescription(
            "tls_allow_invalid_certificates",
            .boolean,
            "Whether any certificate will do: for tests alone."
        ),
        OptionDescription(
            "read_preference",
            .choice(["primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"]),
            "Which members of a replica set answer reads; all but primary may lag behind."
        ),
        OptionDescription(
            "read_concern",
            .choice(["local", "available", "majority", "linearizable"]),
            "How settled what is read must be."
        ),
        OptionDescription(
            "write_concern",
            .string,
            "How many members must have a write: a number, a tag, or majority, which holds if nothing is said."
        ),
        OptionDescription(
            "socket_timeout",
            .duration,
            "The longest silence of a server in the middle of a command.",
            default: "30s",
            bounds: 100...3_600_000
        ),
        OptionDescription(
            "connect_timeout",
            .duration,
            "How long a connection may take to come about.",
            default: "5s",
            bounds: 100...600_000
        ),
        OptionDescription(
            "server_selection_timeout",
            .duration,
            "How long to look for a server that will do.",
            default: "5s",
            bounds: 0...600_000
        ),
        OptionDescription(
            "pool_size",
            .integer,
            "How many connections there are at most.",
            default: "32",
            bounds: 1...1000
        ),
        OptionDescription(
            "abandoned_after",
            .duration,
            "How long a silent upload is left alone before what it left is cleared away.",
            default: "24h",
            bounds: 60_000...Int64.max / 2
        ),
    ]
}
