// What the backend says of itself.

package import CCofferPlugin
import CofferPluginSDK

extension FTPBackend {
    static let description = PluginDescription(
        id: "ftp",
        version: "0.9.0",
        name: "FTP and FTPS",
        licence: "Apache-2.0",
        description: "Objects as plain files on an FTP server, in clear or by TLS.",
        capabilities: [
            .stat, .read, .readRange, .write, .atomicReplace, .remove, .removeBatch, .list, .listDelimiter, .listAfter,
            .listSorted, .move, .modificationTime, .directories,
        ],
        options: connectionOptions + storeOptions
    )

    private static let connectionOptions = [
        OptionDescription("host", .string, "The server's name or address.", flags: .required),
        OptionDescription("port", .integer, "Its port: 21, or 990 with tls implicit.", bounds: 1...65535),
        OptionDescription("user", .string, "The user.", default: "anonymous"),
        OptionDescription("password", .string, "The user's password.", flags: .secret),
        OptionDescription(
            "tls",
            .choice(["none", "explicit", "implicit"]),
            """
            none: password and data in clear; explicit: TLS is asked for (AUTH TLS) before the login; implicit: TLS from \
            the first byte.
            """,
            default: "none"
        ),
        OptionDescription("ca_file", .path, "Certificates to trust (PEM) instead of the system's."),
        OptionDescription("client_certificate", .path, "A certificate (PEM) to show to the server."),
        OptionDescription("client_key", .path, "Its private key (PEM), if not in the same file."),
        OptionDescription(
            "protect_data",
            .boolean,
            "Encrypt data connections too; false only for servers that cannot.",
            default: "true"
        ),
        OptionDescription(
            "mode",
            .choice(["passive", "active"]),
            "Who opens data connections: passive: this side; active: the server.",
            default: "passive"
        ),
        OptionDescription(
            "active_address",
            .string,
            "With mode active: the address for the server to connect to, if it is not that of the control connection."
        ),
        OptionDescription(
            "connections",
            .integer,
            "How many control connections are kept at most.",
            default: "8",
            bounds: 1...256
        ),
        OptionDescription(
            "connect_timeout",
            .duration,
            "How long a connection, and each step of a login, may take.",
            default: "10s",
            bounds: 1...3_600_000
        ),
        OptionDescription(
            "stall_timeout",
            .duration,
            "How long the server may stand still in an answer or a transfer.",
            default: "30s",
            bounds: 1...86_400_000
        ),
        OptionDescription(
            "idle_timeout",
            .duration,
            "How long a connection is kept that nobody uses.",
            default: "60s",
            bounds: 0...86_400_000
        ),
        OptionDescription(
            "pipelining",
            .boolean,
            "Send commands together; false for servers that lose some.",
            default: "true"
        ),
    ]

    private static let storeOptions = [
        OptionDescription(
            "root",
            .string,
            "Where keys begin: a path from the server's root with a slash before it, else from where the login leads."
        ),
        OptionDescription("create", .boolean, "Make the root when a write finds it missing.", default: "true"),
        OptionDescription(
            "encoding",
            .choice(["utf-8", "latin-1"]),
            "What names on the server are; a key that Latin-1 cannot write is refused.",
            default: "utf-8"
        ),
        OptionDescription(
            "list_command",
            .choice(["auto", "mlsd", "list"]),
            "auto: MLSD where the server has it, else LIST.",
            default: "auto"
        ),
        OptionDescription(
            "atomic_rename",
            .boolean,
            """
            Your word that this server's rename replaces what is there in one step, as POSIX systems do: then replacing \
            and moving are atomic.
            """,
            default: "false"
        ),
        OptionDescription(
            "set_mtime",
            .boolean,
            "Your word that this server sets times (MFMT): then a given modification time is kept, to the second.",
            default: "false"
        ),
        OptionDescription(
            "leftovers_after",
            .duration,
            "How old an upload that another machine left unfinished must be to be removed.",
            default: "24h",
            bounds: 60_000...31_536_000_000
        ),
    ]

    /// What holds for an instance that is set like this.
    static func traits(_ settings: Settings) -> Traits {
        var native = description.capabilities
        if !settings.isAtomic { native.subtract([.atomicReplace, .move]) }
        if !settings.keepsTimes { native.remove(.modificationTime) }
        var limits = Traits.Limits()
        limits.maxKey = 1024
        limits.maxBatch = 1000
        return Traits(native: native, limits: limits)
    }
}

/// What the entry answers; the entry itself is of the library alone, so that tests can link this room.
package func exportFTPBackend(
    _ host: UnsafePointer<coffer_host>?,
    _ error: UnsafeMutablePointer<coffer_error>?
) -> UnsafePointer<coffer_plugin>? {
    exportBackend(FTPBackend.self, host, error)
}
