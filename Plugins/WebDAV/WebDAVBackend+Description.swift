// What the backend says of itself.

package import CCofferPlugin
import CofferPluginSDK

extension WebDAVBackend {
    static let description = PluginDescription(
        id: "webdav",
        version: "1.0.0",
        name: "WebDAV",
        licence: "Apache-2.0",
        description: "Objects as files on a WebDAV server: Apache, nginx, Nextcloud, rclone and others.",
        capabilities: [
            .stat, .read, .readRange, .readPinned, .readCondition, .write, .atomicReplace, .createIfAbsent, .ifMatch,
            .remove, .removeIfMatch, .list, .listDelimiter, .listAfter, .listSorted, .copy, .move, .contentType,
            .contentProperties, .userMetadata, .modificationTime, .directories,
        ],
        options: [
            OptionDescription(
                "endpoint",
                .url,
                "The collection below which objects are files: https://dav.example.org/remote.php/dav/files/me.",
                flags: .required
            ),
            OptionDescription("root", .string, "A folder below the endpoint, made where it is missing.", default: ""),
            OptionDescription(
                "server",
                .choice(["generic", "apache", "nginx", "rclone"]),
                """
                What is known of the server: apache (mod_dav) and nginx gather an upload aside, so that replacing is \
                atomic; of generic nothing is known.
                """,
                default: "generic"
            ),
            OptionDescription(
                "upload",
                .choice(["auto", "direct", "move"]),
                """
                direct: PUT to the object's own name; move: PUT to a temporary name, then MOVE; auto: direct where the \
                server is known to gather aside and keeps no properties, else move.
                """,
                default: "auto"
            ),
            OptionDescription(
                "properties",
                .choice(["none", "dead"]),
                "dead: content type and metadata as a property of the file, where the server keeps such; none: refused.",
                default: "none"
            ),
            OptionDescription(
                "auth",
                .choice(["auto", "none", "basic", "digest", "bearer"]),
                "How credentials are shown; auto is bearer with a token, else what the server asks for, basic first.",
                default: "auto"
            ),
            OptionDescription("user", .string, "The user's name."),
            OptionDescription("password", .string, "The user's password.", flags: [.secret, .live]),
            OptionDescription("token", .string, "A bearer token.", flags: [.secret, .live]),
            OptionDescription("ca_file", .path, "A PEM file of the authorities to trust instead of the system's."),
            OptionDescription("verify_tls", .boolean, "Whether the server's certificate is verified.", default: "true"),
            OptionDescription(
                "proxy",
                .string,
                "A proxy's URL; empty is none, unset what the environment says.",
                flags: .secret
            ),
            OptionDescription(
                "connect_timeout",
                .duration,
                "How long a connection may take.",
                default: "10s",
                bounds: 1...3_600_000
            ),
            OptionDescription(
                "stall_timeout",
                .duration,
                "The longest silence of the server, before an answer and within it.",
                default: "60s",
                bounds: 1...3_600_000
            ),
            OptionDescription(
                "max_concurrency",
                .integer,
                "The most requests at once; 429, 503 and rising latency take away from it.",
                default: "32",
                bounds: 1...4096
            ),
        ]
    )
}

/// What the entry answers; the entry itself is of the library alone, so that tests can link this room.
package func exportWebDAVBackend(
    _ host: UnsafePointer<coffer_host>?,
    _ error: UnsafeMutablePointer<coffer_error>?
) -> UnsafePointer<coffer_plugin>? {
    exportBackend(WebDAVBackend.self, host, error)
}
