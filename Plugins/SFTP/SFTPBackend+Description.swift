// What the backend says of itself.

package import CCofferPlugin
import CofferPluginSDK

extension SFTPBackend {
    static let description = PluginDescription(
        id: "sftp",
        version: "0.9.0",
        name: "SFTP",
        licence: "Apache-2.0",
        description: "Objects as plain files on a server that speaks SFTP.",
        capabilities: [
            .stat, .read, .readRange, .readPinned, .write, .atomicReplace, .createIfAbsent, .remove, .list,
            .listDelimiter, .listAfter, .listSorted, .copy, .move, .modificationTime, .usage, .durable, .directories,
        ],
        options: access + trust + place
    )

    private static let access = [
        OptionDescription("host", .string, "The server's name or address.", flags: .required),
        OptionDescription("port", .integer, "The server's port.", default: "22", bounds: 1...65_535),
        OptionDescription(
            "user",
            .string,
            "Whom to log in as; the user of the host process by default.",
            deprecatedAlias: "username"
        ),
        OptionDescription("password", .string, "The password to log in with.", flags: .secret),
        OptionDescription(
            "key_file",
            .path,
            "The private key to log in with, as a file.",
            deprecatedAlias: "key_filename"
        ),
        OptionDescription("key", .string, "The private key itself, in PEM or OpenSSH's format.", flags: .secret),
        OptionDescription("passphrase", .string, "What opens the private key.", flags: .secret),
        OptionDescription("agent", .boolean, "Whether to log in with the keys of an SSH agent.", default: "false"),
        OptionDescription("agent_socket", .path, "Where the agent listens; where SSH_AUTH_SOCK says by default."),
    ]

    private static let trust = [
        OptionDescription(
            "known_hosts",
            .path,
            "The file that must know the server's key; the user's own and the machine's by default."
        ),
        OptionDescription(
            "host_key",
            .string,
            "The server's key instead: SHA256:… as ssh-keygen -l prints it, or a public key; several with commas."
        ),
    ]

    private static let place = [
        OptionDescription(
            "root",
            .string,
            "The directory below which objects are files; relative to where a login begins.",
            default: "."
        ),
        OptionDescription("create", .boolean, "Make the root at the first write when it is missing.", default: "true"),
        OptionDescription(
            "server",
            .choice(["openssh", "other"]),
            """
            openssh: it has OpenSSH's extensions, and what needs one that it lacks is refused; other: version 3 alone, \
            without atomic replacement.
            """,
            default: "openssh"
        ),
        OptionDescription(
            "durability",
            .choice(["full", "relaxed"]),
            "full: an answered write survives a power loss of the server; relaxed: it survives only the host's.",
            default: "full"
        ),
        OptionDescription("file_mode", .string, "The mode of new files, in octal.", default: "0600"),
        OptionDescription("directory_mode", .string, "The mode of new directories, in octal.", default: "0700"),
        OptionDescription(
            "connections",
            .integer,
            "The most connections at once; each carries any number of calls.",
            default: "4",
            bounds: 1...64
        ),
        OptionDescription(
            "connect_timeout",
            .duration,
            "How long connecting and logging in may take.",
            default: "15s",
            bounds: 100...600_000
        ),
        OptionDescription(
            "stall_timeout",
            .duration,
            "How long the server may be silent while it owes an answer.",
            default: "30s",
            bounds: 1000...600_000
        ),
        OptionDescription(
            "keepalive",
            .duration,
            "After how much silence the peer is asked whether it lives; 0 is never.",
            default: "30s",
            bounds: 0...7_200_000
        ),
        OptionDescription(
            "sweep_after",
            .duration,
            "After how long an unfinished file of another machine's host is taken for abandoned.",
            default: "24h",
            bounds: 60_000...31_536_000_000
        ),
    ]
}

/// What the entry answers; the entry itself is of the library alone, so that tests can link this room.
package func exportSFTPBackend(
    _ host: UnsafePointer<coffer_host>?,
    _ error: UnsafeMutablePointer<coffer_error>?
) -> UnsafePointer<coffer_plugin>? {
    exportBackend(SFTPBackend.self, host, error)
}
