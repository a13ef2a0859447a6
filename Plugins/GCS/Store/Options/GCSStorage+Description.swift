// What the backend says of itself: its capabilities and its options.

package import CofferPluginSDK

extension GCSStorage {
    package static let description = PluginDescription(
        id: "gcs",
        version: "0.9.0",
        name: "Google Cloud Storage",
        licence: "Apache-2.0",
        description: "Objects in a bucket of Google Cloud Storage, over its JSON API.",
        capabilities: [
            .stat, .read, .readRange, .readPinned, .readCondition, .write, .atomicReplace, .createIfAbsent, .ifMatch,
            .remove, .removeIfMatch, .removeBatch, .list, .listDelimiter, .listAfter, .listSorted, .copy,
            .copyCondition, .copyMetadata, .contentType, .contentProperties, .userMetadata, .checksum, .presign,
            .publicURL, .containers, .durable,
        ],
        options: place + access + network + transfers + objects
    )

    private static let place = [
        OptionDescription(
            "endpoint",
            .url,
            "The URL of the JSON API.",
            default: "https://storage.googleapis.com"
        ),
        OptionDescription(
            "public_endpoint",
            .url,
            "The URL under which clients reach the store, for links; the endpoint where none is set.",
            deprecatedAlias: "custom_endpoint"
        ),
        OptionDescription(
            "container",
            .string,
            "The bucket; the storage's name where none is set.",
            deprecatedAlias: "bucket_name"
        ),
        OptionDescription("create", .boolean, "Make the bucket at start when it is missing.", default: "false"),
        OptionDescription(
            "project",
            .string,
            "The project in which buckets are listed and made; that of the credentials where none is set.",
            deprecatedAlias: "project_id"
        ),
        OptionDescription(
            "bucket_location",
            .string,
            "Where new buckets are made: EU, us-east1 and so on; Google's own choice where none is set."
        ),
    ]

    private static let access = [
        OptionDescription(
            "credentials",
            .choice(["auto", "key", "application_default", "metadata", "anonymous"]),
            "Where credentials come from; auto takes the first that is there, in this order, and never goes anonymous.",
            default: "auto"
        ),
        OptionDescription("credentials_file", .path, "The key file of a service account, or of a user, in JSON."),
        OptionDescription("credentials_json", .string, "The same as text, instead of a file.", flags: .secret),
        OptionDescription("metadata_endpoint", .url, "Where the machine tells the tokens of its service account."),
        OptionDescription("user_project", .string, "The project that pays for requests in somebody else's bucket."),
        OptionDescription(
            "iam_sign_blob",
            .boolean,
            "Let Google sign links where there is no private key at hand.",
            default: "false"
        ),
        OptionDescription(
            "service_account_email",
            .string,
            "The account in whose name Google signs links; the machine's own where none is set.",
            deprecatedAlias: "sa_email"
        ),
        OptionDescription(
            "iam_endpoint",
            .url,
            "Where Google signs.",
            default: "https://iamcredentials.googleapis.com"
        ),
    ]

    private static let network = [
        OptionDescription("ca_file", .path, "A PEM file of the authorities to trust instead of the system's."),
        OptionDescription("verify_tls", .boolean, "Whether the server's certificate is verified.", default: "true"),
        OptionDescription("proxy", .string, "The URL of a proxy.", flags: .secret),
    ]

    private static let transfers = [
        OptionDescription(
            "chunk_size",
            .size,
            "What is larger goes up in chunks of this size, a multiple of 256KiB.",
            default: "8MiB",
            bounds: (256 << 10)...(1 << 30),
            deprecatedAlias: "blob_chunk_size"
        ),
        OptionDescription(
            "read_concurrency",
            .integer,
            "Ranges of one large object that come down at once.",
            default: "1",
            bounds: 1...64
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
            .choice([
                "authenticatedRead", "bucketOwnerFullControl", "bucketOwnerRead", "private", "projectPrivate",
                "publicRead",
            ]),
            "The predefined access control list of new objects.",
            deprecatedAlias: "default_acl"
        ),
        OptionDescription("storage_class", .string, "The storage class of new objects: NEARLINE, COLDLINE and so on."),
        OptionDescription("kms_key", .string, "The Cloud KMS key that encrypts new objects."),
    ]
}
