// What the backend says of itself: its capabilities and its options.

package import CofferPluginSDK

extension AzureStorage {
    package static let description = PluginDescription(
        id: "azure",
        version: "0.9.0",
        name: "Azure Blob Storage",
        licence: "Apache-2.0",
        description: "Objects as block blobs in a container of Azure Blob Storage.",
        capabilities: [
            .stat, .read, .readRange, .readPinned, .readCondition, .write, .atomicReplace, .createIfAbsent, .ifMatch,
            .remove, .removeIfMatch, .removeBatch, .list, .listDelimiter, .listAfter, .listSorted, .copy,
            .copyCondition, .copyMetadata, .contentType, .contentProperties, .userMetadata, .checksum, .presign,
            .containers, .durable,
        ],
        options: place + access + transfers
    )

    private static let place = [
        OptionDescription(
            "account",
            .string,
            "The storage account; told by endpoint or connection_string where none is set.",
            deprecatedAlias: "account_name"
        ),
        OptionDescription(
            "container",
            .string,
            "The container; the storage's name where none is set.",
            deprecatedAlias: "azure_container"
        ),
        OptionDescription("create", .boolean, "Make the container at start when it is missing.", default: "false"),
        OptionDescription(
            "endpoint",
            .url,
            "The URL of the account's blobs; https://ACCOUNT.blob.SUFFIX where none is set."
        ),
        OptionDescription(
            "endpoint_suffix",
            .string,
            "The end of the host's name, which is another one in some clouds.",
            default: "core.windows.net"
        ),
        OptionDescription(
            "public_endpoint",
            .url,
            "The URL under which clients reach the account's blobs, for links; the endpoint where none is set.",
            deprecatedAlias: "custom_domain"
        ),
    ]

    private static let access = [
        OptionDescription("key", .string, "A key of the account.", flags: .secret, deprecatedAlias: "account_key"),
        OptionDescription("sas_token", .string, "A shared access signature, instead of a key.", flags: .secret),
        OptionDescription(
            "connection_string",
            .string,
            "Account, key or signature and endpoint in one, as the portal gives it; single options outrank it.",
            flags: .secret
        ),
        OptionDescription("tenant_id", .string, "The directory of an application that signs in, instead of a key."),
        OptionDescription("client_id", .string, "The application."),
        OptionDescription("client_secret", .string, "The application's secret.", flags: .secret),
        OptionDescription(
            "authority",
            .url,
            "Where applications sign in; another one in some clouds.",
            default: "https://login.microsoftonline.com"
        ),
        OptionDescription("ca_file", .path, "A PEM file of the authorities to trust instead of the system's."),
        OptionDescription("verify_tls", .boolean, "Whether the server's certificate is verified.", default: "true"),
        OptionDescription("proxy", .string, "The URL of a proxy.", flags: .secret),
    ]

    private static let transfers = [
        OptionDescription(
            "part_size",
            .size,
            "What is larger goes up in blocks of this size.",
            default: "8MiB",
            bounds: Int64(BlockPlan.smallestPart)...Int64(BlockPlan.largestBlock)
        ),
        OptionDescription(
            "upload_concurrency",
            .integer,
            "Blocks of one object that go up at once.",
            default: "4",
            bounds: 1...64,
            deprecatedAlias: "upload_max_conn"
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
            "The checksum that goes with uploads for the store to verify.",
            default: "none"
        ),
        OptionDescription(
            "delete_snapshots",
            .boolean,
            "Remove the snapshots of an object along with it; else an object that has some stays.",
            default: "false"
        ),
        OptionDescription("access_tier", .string, "The access tier of new objects: Hot, Cool, Cold or Archive."),
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
}
