// What the backend says of itself: its capabilities and its options.

package import CofferPluginSDK

extension LibcloudStorage {
    package static let description = PluginDescription(
        id: "libcloud",
        version: "0.9.0",
        name: "Apache Libcloud",
        licence: "Apache-2.0",
        description: "Objects at any storage provider of Apache Libcloud, by a Python of the operator's.",
        capabilities: [
            .stat, .read, .readRange, .readPinned, .readCondition, .write, .atomicReplace, .remove, .list,
            .listDelimiter, .listAfter, .listSorted, .contentType, .userMetadata, .checksum, .containers, .durable,
            .directories,
        ],
        options: place + means
    )

    private static let place = [
        OptionDescription(
            "provider",
            .string,
            "Libcloud's name of the provider: s3, azure_blobs, backblaze_b2, local and so on.",
            flags: .required
        ),
        OptionDescription(
            "key",
            .string,
            "The key, the user or the account, as the driver wants it; for local the directory.",
            flags: .required
        ),
        OptionDescription("secret", .string, "The secret.", flags: .secret),
        OptionDescription("host", .string, "The provider's host, where the driver has no other."),
        OptionDescription("port", .integer, "The provider's port.", bounds: 1...65_535),
        OptionDescription("secure", .boolean, "Whether the provider is spoken to over TLS; the driver's default else."),
        OptionDescription("region", .string, "The region; the driver's default where none is set."),
        OptionDescription(
            "arguments",
            .map,
            "Further arguments of the driver; a value that reads as JSON is one, any other is a text.",
            flags: .secret
        ),
        OptionDescription("container", .string, "The container; the storage's name where none is set."),
        OptionDescription("create", .boolean, "Make the container at start when it is missing.", default: "false"),
    ]

    private static let means = [
        OptionDescription(
            "python",
            .string,
            "The interpreter that has Libcloud: a path, or a name in PATH.",
            default: "python3"
        ),
        OptionDescription(
            "processes",
            .integer,
            "The most Python processes at once; each serves one call.",
            default: "4",
            bounds: 2...64
        ),
        OptionDescription(
            "stall_timeout",
            .duration,
            "How long a process may be silent while it looks, lists or reads, before it is killed.",
            default: "60s",
            bounds: 1...86_400_000
        ),
        OptionDescription(
            "spool",
            .path,
            "The folder in which an object waits, without a name, for its commit; TMPDIR or /var/tmp where none is set."
        ),
        OptionDescription(
            "enforces",
            .choice(["auto", "native", "none"]),
            "Whether the provider shows an object only whole; auto knows those that speak S3, and local.",
            default: "auto"
        ),
        OptionDescription(
            "keeps",
            .choice(["auto", "nothing", "type", "metadata"]),
            "What the driver keeps beside the bytes, metadata with the type; auto knows those that speak S3.",
            default: "auto"
        ),
    ]
}
