// What the backend says of itself: its capabilities and its options.

package import CofferPluginSDK

extension OpenStackStorage {
    package static let description = PluginDescription(
        id: "swift",
        version: "0.9.0",
        name: "OpenStack Swift",
        licence: "Apache-2.0",
        description: "Objects in a container of OpenStack Swift, or of a store that speaks its protocol.",
        capabilities: [
            .stat, .read, .readRange, .readPinned, .readCondition, .write, .atomicReplace, .createIfAbsent, .remove,
            .removeBatch, .list, .listDelimiter, .listAfter, .listSorted, .copy, .copyMetadata, .contentType,
            .contentProperties, .userMetadata, .checksum, .presign, .containers, .resume, .durable,
        ],
        options: login + identity + place + transfers + links
    )

    private static let login = [
        OptionDescription(
            "authurl",
            .url,
            "Where tokens are asked for: the store's own service, or Keystone with its version or without."
        ),
        OptionDescription("user", .string, "The user; account:user where auth_version is 1."),
        OptionDescription("key", .string, "The user's key or password.", flags: .secret),
        OptionDescription(
            "auth_version",
            .choice(["1", "2", "3", "1.0", "2.0", "3.0"]),
            "The protocol of the login: 1 is the store's own, 2 and 3 are Keystone's.",
            default: "1"
        ),
        OptionDescription(
            "os_options",
            .map,
            "Words of identity by the names that python-swiftclient gives them; they outrank options of their own.",
            flags: .secret
        ),
    ]

    private static let identity = [
        OptionDescription("project_name", .string, "The project.", deprecatedAlias: "tenant_name"),
        OptionDescription("project_id", .string, "The project by its id.", deprecatedAlias: "tenant_id"),
        OptionDescription("project_domain_name", .string, "The project's domain; Default where none is set."),
        OptionDescription("project_domain_id", .string, "The project's domain by its id."),
        OptionDescription("user_id", .string, "The user by an id instead of a name."),
        OptionDescription("user_domain_name", .string, "The user's domain; Default where none is set."),
        OptionDescription("user_domain_id", .string, "The user's domain by its id."),
        OptionDescription("application_credential_id", .string, "An application credential, instead of user and key."),
        OptionDescription("application_credential_name", .string, "The same by its name, which wants the user."),
        OptionDescription("application_credential_secret", .string, "Its secret.", flags: .secret),
        OptionDescription(
            "region",
            .string,
            "The region whose store is used; the catalogue's first where none is set.",
            deprecatedAlias: "region_name"
        ),
        OptionDescription(
            "endpoint_type",
            .choice(["public", "internal", "admin", "publicURL", "internalURL", "adminURL"]),
            "Which of the catalogue's endpoints is used.",
            default: nil
        ),
        OptionDescription(
            "service_type",
            .string,
            "What the catalogue calls the store; object-store where none is set."
        ),
        OptionDescription(
            "storage_url",
            .url,
            "The account's URL, instead of the one that the login tells.",
            deprecatedAlias: "object_storage_url"
        ),
        OptionDescription("auth_token", .string, "A token to begin with.", flags: .secret),
    ]

    private static let place = [
        OptionDescription("container", .string, "The container; the storage's name where none is set."),
        OptionDescription(
            "create",
            .boolean,
            "Make the container at start when it is missing.",
            default: "false",
            deprecatedAlias: "create_container"
        ),
        OptionDescription(
            "segment_container",
            .string,
            "Where segments of large objects are; the container's name with _segments where none is set."
        ),
        OptionDescription(
            "enforces",
            .choice(["none", "native"]),
            "Whether create-if-absent is left to the store, which keeps it among writers that do not race.",
            default: "none"
        ),
        OptionDescription("newest", .boolean, "Whether looks and reads ask every replica.", default: "false"),
    ]

    private static let transfers = [
        OptionDescription(
            "segment_size",
            .size,
            "What is larger goes up in segments of this size.",
            default: "16MiB",
            bounds: (1 << 20)...(512 << 20)
        ),
        OptionDescription(
            "max_segments",
            .integer,
            "The most segments that the store takes for one object.",
            default: "1000",
            bounds: 1...100_000
        ),
        OptionDescription(
            "upload_concurrency",
            .integer,
            "Segments of one object that go up at once.",
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
            "checksum_mode",
            .choice(["none", "md5"]),
            "The digest that goes with uploads for the store to verify.",
            default: "md5"
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
        OptionDescription("ca_file", .path, "A PEM file of the authorities to trust instead of the system's."),
        OptionDescription("verify_tls", .boolean, "Whether the server's certificate is verified.", default: "true"),
        OptionDescription("proxy", .string, "The URL of a proxy.", flags: .secret),
    ]

    private static let links = [
        OptionDescription(
            "temp_url_key",
            .string,
            "The key of the account or of the container that signs temporary URLs.",
            flags: .secret
        ),
        OptionDescription(
            "temp_url_digest",
            .choice(["sha1", "sha256", "sha512"]),
            "The digest of temporary URLs.",
            default: "sha256"
        ),
        OptionDescription(
            "unbound_uploads",
            .boolean,
            "Whether links for uploads are signed although a temporary URL binds no content type.",
            default: "false"
        ),
        OptionDescription(
            "public_endpoint",
            .url,
            "The scheme and host under which clients reach the store, for links."
        ),
    ]
}
