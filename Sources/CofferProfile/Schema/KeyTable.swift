// Every key of a configuration, once: validation and the reference both read this table.

/// Where a key may stand.
enum Place: String, CaseIterable {
    case top, profile, defaults, backend, storage, limits, socket, access, plugin
}

/// One key of the configuration.
struct KeyRow {
    /// What stands under the key.
    enum Form {
        /// One value, checked like an option of a plugin.
        case value
        /// Something of its own, in words for the reference.
        case special(String)
    }

    let schema: OptionSchema
    let form: Form
    /// The default in words, where it is no value of the key.
    let defaultWords: String?
    let places: [Place]

    var name: String { schema.name }

    /// The type in words, for the reference.
    var typeName: String {
        switch form {
        case .special(let words): words
        case .value where schema.type == .enum: schema.choices.map { "`\($0)`" }.joined(separator: ", ")
        case .value: schema.type.rawValue
        }
    }
}

/// The keys that the host itself knows.
enum KeyTable {
    /// The keys that may stand in `place`, in the order of the reference.
    static func rows(in place: Place) -> [KeyRow] { byPlace[place]?.rows ?? [] }

    /// The names of the keys that may stand in `place`.
    static func names(in place: Place) -> [String] { rows(in: place).map(\.name) }

    /// The row of `key` in `place`.
    static func row(_ key: String, in place: Place) -> KeyRow? { byPlace[place]?.byName[Word(key)] }

    private static let byPlace: [Place: (rows: [KeyRow], byName: [Word: KeyRow])] = Dictionary(
        uniqueKeysWithValues: Place.allCases.map { place in
            let rows = all.filter { $0.places.contains(place) }
            return (place, (rows, Dictionary(uniqueKeysWithValues: rows.map { (Word($0.name), $0) })))
        }
    )

    private static func value(_ schema: OptionSchema, default words: String? = nil, in places: [Place]) -> KeyRow {
        KeyRow(schema: schema, form: .value, defaultWords: words, places: places)
    }

    private static func special(
        _ name: String,
        _ words: String,
        default defaultWords: String? = nil,
        in places: [Place],
        _ doc: String
    ) -> KeyRow {
        let schema = OptionSchema(name, .string, doc: doc)
        return KeyRow(schema: schema, form: .special(words), defaultWords: defaultWords, places: places)
    }

    /// Where the settings of a storage may stand.
    private static let everywhere: [Place] = [.defaults, .backend, .storage]

    static let all: [KeyRow] = profile + top + storage + limits + socket + access + plugin

    private static let top: [KeyRow] = [
        special(
            "profile",
            "name",
            in: [.top],
            "The active profile. `--profile`, `COFFER_PROFILE` and `coffer profile use` override it."
        ),
        special("defaults", "mapping", in: [.top, .profile], "Settings of every storage, whatever its backend."),
        special(
            "backends",
            "mapping",
            in: [.top, .profile],
            "Settings of every storage on a backend, by the backend's id."
        ),
        special("storages", "mapping", in: [.top, .profile], "The storages by name, in order."),
        special("profiles", "mapping", in: [.top], "The profiles by name."),
        special(
            "default_storage",
            "name",
            default: "the first storage",
            in: [.top, .profile],
            "The storage that a key without a storage's name means."
        ),
        special(
            "plugins",
            "list or mapping",
            in: [.top],
            "Libraries to take as they are, for development: a list of paths, a list of mappings, or a mapping from id to path."
        ),
        special("socket", "path or mapping", in: [.top], "Where the host listens."),
        special(
            "access",
            "list",
            default: "the host's own user and root",
            in: [.top, .profile],
            "Who else may do what. A profile's list takes the place of the whole list."
        ),
        value(
            OptionSchema("watch", .bool, default: "false", doc: "Take in a changed file by itself."),
            in: [.top]
        ),
        special("limits", "mapping", in: [.top], "Limits of the host."),
        special(
            "include",
            "path or list",
            in: [.top],
            "Files that lie under this one: what this file says wins, and a later file of the list over an earlier one."
        ),
    ]

    private static let storage: [KeyRow] = [
        special(
            "backend",
            "id",
            in: [.defaults, .storage],
            "The kind of store. It takes no references."
        ),
        value(
            OptionSchema(
                "url",
                .url,
                doc: "The public URL of the storage. An inherited one is a parent: the storage's name is appended."
            ),
            in: everywhere
        ),
        value(
            OptionSchema(
                "on_conflict",
                .enum,
                default: "error",
                choices: ["error", "replace", "rename"],
                doc:
                    "What a write does when the key is taken: refuse, replace the object, or take a free name beside it."
            ),
            in: everywhere
        ),
        special(
            "accept",
            "file types",
            default: "ALL",
            in: everywhere,
            "The file types that the storage takes."
        ),
        special(
            "deny",
            "file types",
            default: "NONE",
            in: everywhere,
            "The file types that the storage refuses; it wins over `accept`."
        ),
        value(
            OptionSchema("max_size", .size, doc: "The most bytes that an object may have.", minimum: 1),
            in: everywhere
        ),
        value(
            OptionSchema("read_only", .bool, default: "false", doc: "Refuse everything that would change the storage."),
            in: everywhere
        ),
        value(
            OptionSchema(
                "prefix",
                .string,
                default: "",
                doc: "Whole segments put before every key; the storage sees nothing outside them."
            ),
            in: everywhere
        ),
        value(
            OptionSchema(
                "checksum",
                .enum,
                default: "sha256",
                choices: ["sha256", "crc32c", "none"],
                doc: "The digest that is computed over every write."
            ),
            in: everywhere
        ),
        value(
            OptionSchema(
                "writers",
                .enum,
                default: "shared",
                choices: ["shared", "exclusive"],
                doc:
                    "`exclusive` is your word that this host alone writes there, and lets it emulate conditions under its own locks."
            ),
            in: everywhere
        ),
        value(
            OptionSchema(
                "atomic",
                .enum,
                default: "required",
                choices: ["required", "best_effort"],
                doc: "`required` refuses a store that cannot replace an object whole; `best_effort` takes it as it is."
            ),
            in: everywhere
        ),
        value(
            OptionSchema(
                "conditions",
                .enum,
                default: "auto",
                choices: ["auto", "required", "none"],
                doc:
                    "`auto` honours conditions at the grade that the storage has, which is none for a store that is unproven; "
                    + "`required` refuses a storage without them, native or emulated; `none` refuses requests with conditions."
            ),
            in: everywhere
        ),
        value(
            OptionSchema(
                "timeout",
                .duration,
                default: "30s",
                doc: "How long one step of a call may take: a call that makes progress may take longer.",
                minimum: 1
            ),
            in: everywhere
        ),
        value(
            OptionSchema(
                "concurrency",
                .int,
                doc: "How many calls may run at once in the storage.",
                minimum: 1,
                maximum: 65_536
            ),
            default: "`limits.calls_per_storage`",
            in: everywhere
        ),
        value(
            OptionSchema(
                "max_link_ttl",
                .duration,
                default: "7d",
                doc: "How long a link may live; a store may allow less.",
                minimum: 1000
            ),
            in: everywhere
        ),
    ]

    private static let profile: [KeyRow] = [
        special("extends", "name", in: [.profile], "Another profile, over which this one is laid.")
    ]

    private static let limits: [KeyRow] = [
        count("connections", 1_000_000, "Open connections; one more is refused with 503."),
        count("threads", 4_096, "Threads that serve requests."),
        count("calls_per_storage", 65_536, "Calls that run at once in one storage, unless its `concurrency` says so."),
        count("queue", 1_000_000, "Requests that wait for one storage; one more is refused with 503."),
        value(
            OptionSchema(
                "idle_timeout",
                .duration,
                doc: "How long an idle connection is kept.",
                minimum: 1
            ),
            default: "set by the host",
            in: [.limits]
        ),
        value(
            OptionSchema(
                "drain_timeout",
                .duration,
                doc: "How long requests in flight may take to end at shutdown.",
                minimum: 1
            ),
            default: "set by the host",
            in: [.limits]
        ),
    ]

    private static func count(_ name: String, _ maximum: Int64, _ doc: String) -> KeyRow {
        value(
            OptionSchema(name, .int, doc: doc, minimum: 1, maximum: maximum),
            default: "set by the host",
            in: [.limits]
        )
    }

    private static let socket: [KeyRow] = [
        value(OptionSchema("path", .path, doc: "The path of the socket."), in: [.socket]),
        special(
            "mode",
            "octal",
            default: "0600, or 0666 with `access`",
            in: [.socket],
            "The mode of the socket, always read as octal."
        ),
        value(OptionSchema("group", .string, doc: "The group of the socket, by name or number."), in: [.socket]),
    ]

    private static let access: [KeyRow] = [
        value(OptionSchema("user", .string, doc: "A user by name."), in: [.access]),
        value(OptionSchema("uid", .int, doc: "A user by number.", minimum: 0, maximum: 4_294_967_294), in: [.access]),
        value(OptionSchema("group", .string, doc: "A group by name."), in: [.access]),
        value(OptionSchema("gid", .int, doc: "A group by number.", minimum: 0, maximum: 4_294_967_294), in: [.access]),
        special(
            "allow",
            "list",
            in: [.access],
            "What is permitted: `upload`, `download`, `delete`, `manage`."
        ),
        special("storages", "list", default: "every storage", in: [.access], "The storages that it is for."),
        value(
            OptionSchema("prefix", .string, default: "", doc: "The prefix of the keys that it is for."),
            in: [.access]
        ),
    ]

    private static let plugin: [KeyRow] = [
        value(
            OptionSchema("path", .path, isRequired: true, doc: "The library, or its manifest."),
            in: [.plugin]
        ),
        special("sha256", "64 hexadecimal digits", in: [.plugin], "The digest that the library must have."),
        value(
            OptionSchema(
                "isolation",
                .enum,
                default: "in_process",
                choices: ["in_process", "process"],
                doc: "Where its code runs; this version refuses `process`."
            ),
            in: [.plugin]
        ),
    ]
}
