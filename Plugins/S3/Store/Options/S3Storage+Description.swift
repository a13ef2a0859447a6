// What the backend says of itself: its capabilities and its options.

package import CofferPluginSDK

extension S3Storage {
    package static let description = PluginDescription(
        id: "s3",
        version: "0.9.0",
        name: "S3",
        licence: "Apache-2.0",
        description: "Objects in a bucket of Amazon S3 or of a store that speaks its protocol.",
        capabilities: [
            .stat, .read, .readRange, .readPinned, .readCondition, .write, .atomicReplace, .createIfAbsent, .ifMatch,
            .remove, .removeIfMatch, .removeBatch, .list, .listDelimiter, .listAfter, .listSorted, .copy,
            .copyCondition, .copyMetadata, .contentType, .contentProperties, .userMetadata, .checksum, .presign,
            .publicURL, .containers, .resume, .durable,
        ],
        options: place + access + transfers + objects
    )

    private static let place = [
        OptionDescription("endpoint", .url, "The store's URL; the provider's own where none is set."),
        OptionDescription(
            "public_endpoint",
            .url,
            "The URL under which clients reach the store, for links; the endpoint where none is set."
        ),
        OptionDescription("region", .string, "The region; the provider's usual one where none is set."),
        OptionDescription(
            "container",
            .string,
            "The bucket; the storage's name where none is set.",
            deprecatedAlias: "bucket_name"
        ),
        OptionDescription(
            "create",
            .boolean,
            "Make the bucket at start when it is missing.",
            default: "false",
            deprecatedAlias: "create_bucket"
        ),
        OptionDescription(
            "provider",
            .choice(["auto"] + Provider.allCases.map(\.rawValue)),
            "Who runs the store, which tells what it can do; auto goes by the endpoint.",
            default: "auto"
        ),
        OptionDescription("account_id", .string, "The account, for the endpoint of r2."),
        OptionDescription("namespace", .string, "The namespace, for the endpoint of oracle."),
        OptionDescription(
            "addressing",
            .choice(["auto", "path", "virtual"]),
            "Where the bucket stands in URLs: in the path, or before the host; auto goes by the provider.",
            default: "auto",
            deprecatedAlias: "addressing_style"
        ),
    ]

    private static let access = [
        OptionDescription("access_key", .string, "The access key; where none is set, credentials says where to look."),
        OptionDescription("secret_key", .string, "The secret key.", flags: .secret),
        OptionDescription(
            "session_token",
            .string,
            "The token of temporary keys.",
            flags: .secret,
            deprecatedAlias: "security_token"
        ),
        OptionDescription(
            "credentials",
            .choice(["auto", "keys", "environment", "file", "container", "instance", "anonymous"]),
            "Where keys come from; auto takes the first that has some, in this order, and never goes anonymous.",
            default: "auto"
        ),
        OptionDescription(
            "credentials_file",
            .path,
            "The shared credentials file; ~/.aws/credentials where none is set."
        ),
        OptionDescription(
            "credentials_profile",
            .string,
            "The profile in the shared credentials file.",
            deprecatedAlias: "session_profile"
        ),
        OptionDescription("metadata_endpoint", .url, "Where the machine tells the keys of its role."),
        OptionDescription("ca_file", .path, "A PEM file of the authorities to trust instead of the system's."),
        OptionDescription("verify_tls", .boolean, "Whether the server's certificate is verified.", default: "true"),
        OptionDescription("proxy", .string, "The URL of a proxy.", flags: .secret),
    ]

    private static let transfers = [
        OptionDescription(
            "part_size",
            .size,
            "What is larger goes up in parts of this size.",
            default: "8MiB",
            bounds: (5 << 20)...(5 << 30)
        ),
        OptionDescription(
            "upload_concurrency",
            .integer,
            "Parts of one object that go up at once.",
            default: "4",
            bounds: 1...64
        ),
        OptionDescription(
            "read_concurrency",
            .integer,
            "Ranges of one large object that come down at once.",
            default: "1",
            bounds: 1...64
        ),
        OptionDescription(
            "payload_signing",
            .choice(["auto", "unsigned", "signed", "chunked"]),
            "Whether signatures bind the bytes; auto leaves that to TLS, and signs them without.",
            default: "auto"
        ),
        OptionDescription(
            "checksum_mode",
            .choice(["none", "md5", "crc32c", "sha256"]),
            "The checksum that goes with uploads for the store to verify; not every store takes every one.",
            default: "none"
        ),
        OptionDescription(
            "connect_timeout",
            .duration,
            "How long a connection may take.",
            default: "10s",
            bounds: 1...3_600_000
        ),
        OptionDescription(
            "answer_timeout",
            .duration,
            "How long the store may take to begin its answer.",
            default: "60s",
            bounds: 1...3_600_000
        ),
        OptionDescription(
            "stall_timeout",
            .duration,
            "How long a transfer may pause.",
            default: "30s",
            bounds: 1...3_600_000
        ),
        OptionDescription(
            "retries",
            .integer,
            "How often a failed request is repeated.",
            default: "4",
            bounds: 0...100
        ),
        OptionDescription("connections", .integer, "The most requests at once.", default: "64", bounds: 1...4096),
    ]

    private static let objects = [
        OptionDescription(
            "acl",
            .string,
            "The canned access control list of new objects.",
            deprecatedAlias: "default_acl"
        ),
        OptionDescription("storage_class", .string, "The storage class of new objects."),
        OptionDescription("server_side_encryption", .string, "How the store encrypts new objects: AES256 or aws:kms."),
        OptionDescription("kms_key", .string, "The key of aws:kms."),
        OptionDescription(
            "customer_key",
            .string,
            "A key of 32 bytes in Base64, with which the store encrypts and forgets it.",
            flags: .secret
        ),
        OptionDescription("tags", .map, "Tags of new objects."),
        OptionDescription(
            "requester_pays",
            .boolean,
            "Whether we pay for requests in somebody else's bucket.",
            default: "false"
        ),
    ]
}
