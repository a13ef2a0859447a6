// What the backend says of itself: its capabilities and its options.

package import CofferPluginSDK

extension DropboxStorage {
    package static let description = PluginDescription(
        id: "dropbox",
        version: "0.9.0",
        name: "Dropbox",
        licence: "Apache-2.0",
        description: "Objects as files in Dropbox.",
        capabilities: [
            .stat, .read, .readRange, .readPinned, .readCondition, .write, .atomicReplace, .createIfAbsent, .ifMatch,
            .remove, .removeIfMatch, .removeBatch, .list, .listDelimiter, .listAfter, .listSorted, .copy,
            .copyCondition, .modificationTime, .presign, .durable, .directories,
        ],
        options: access + place + transfers
    )

    private static let access = [
        OptionDescription(
            "refresh_token",
            .string,
            "The token that the account's owner granted for long; access tokens are fetched with it.",
            flags: [.secret, .live],
            deprecatedAlias: "oauth2_refresh_token"
        ),
        OptionDescription("app_key", .string, "The key of the app that refresh_token was granted to."),
        OptionDescription(
            "app_secret",
            .string,
            "The secret of that app; none where the grant was made with PKCE.",
            flags: .secret
        ),
        OptionDescription(
            "access_token",
            .string,
            "A token that works for some hours; without refresh_token nothing comes after it.",
            flags: [.secret, .live],
            deprecatedAlias: "oauth2_access_token"
        ),
    ]

    private static let place = [
        OptionDescription(
            "root_path",
            .string,
            "The folder that holds the objects, made with the first of them; the app's whole folder where none is set."
        ),
        OptionDescription(
            "namespace",
            .string,
            "The id of the namespace that paths begin in, such as a team's space; the member's own where none is set."
        ),
        OptionDescription(
            "api_endpoint",
            .url,
            "Where calls go, for tests and gateways; https, or http on this machine.",
            default: "https://api.dropboxapi.com"
        ),
        OptionDescription(
            "content_endpoint",
            .url,
            "Where the bytes of files go and come from; https, or http on this machine.",
            default: "https://content.dropboxapi.com"
        ),
    ]

    private static let transfers = [
        OptionDescription(
            "part_size",
            .size,
            "What is larger goes up in parts of this size, a multiple of 4MiB.",
            default: "8MiB",
            bounds: (4 << 20)...(148 << 20)
        ),
        OptionDescription(
            "upload_concurrency",
            .integer,
            "Parts of one object that go up at once.",
            default: "4",
            bounds: 1...64
        ),
        OptionDescription("ca_file", .path, "A PEM file of the authorities to trust instead of the system's."),
        OptionDescription("proxy", .string, "The URL of a proxy.", flags: .secret),
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
            "How long Dropbox may take to begin its answer.",
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
        OptionDescription("retries", .integer, "How often a failed call is repeated.", default: "6", bounds: 0...100),
        OptionDescription("connections", .integer, "The most calls at once.", default: "32", bounds: 1...4096),
    ]
}
