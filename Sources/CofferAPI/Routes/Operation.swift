/// Everything that can be asked of the host; the raw value is the operation's id in `openapi.json`.
package enum Operation: String, Sendable, Hashable, CaseIterable {
    case health, version, metrics, openapi
    case listPlugins = "list_plugins"
    case listProfiles = "list_profiles"
    case activateProfile = "activate_profile"
    case reload
    case listStorages = "list_storages"
    case getStorage = "get_storage"
    case putStorage = "put_storage"
    case dropStorage = "drop_storage"
    case checkStorage = "check_storage"
    case list
    case create
    case deletePrefix = "delete_prefix"
    case put, get, head, delete
    case stat, patch
    case url
    case createLink = "create_link"
    case listContainers = "list_containers"
    case createContainer = "create_container"
    case removeContainer = "remove_container"
    case deleteMany = "delete_many"
    case copy, move, duplicate
}

/// A parameter of a query.
package struct QueryParameter: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// Text of at most so many bytes.
        case text(limit: Int)
        /// What an earlier answer gave.
        case cursor
        case integer
        case bool
        case choice([String])
    }

    package let name: String
    package let kind: Kind
    package let isRequired: Bool
    package let summary: String

    package init(_ name: String, _ summary: String, _ kind: Kind = .text(limit: 1024), isRequired: Bool = false) {
        self.name = name
        self.kind = kind
        self.isRequired = isRequired
        self.summary = summary
    }
}

/// One line of the contract: a method on a resource.
package struct RouteRow: Sendable {
    package let operation: Operation
    package let method: String
    package let resource: Resource
    package let summary: String
    package let query: [QueryParameter]
}

/// All routes; parsing, the client and `openapi.json` go by this one table.
package enum RouteTable {
    package static let rows: [RouteRow] = [
        row(.health, "GET", .health, "Whether the host lives, and each storage's state"),
        row(.version, "GET", .version, "The versions of host, API and ABI"),
        row(.metrics, "GET", .metrics, "Metrics as Prometheus text"),
        row(.openapi, "GET", .openapi, "This contract"),
        row(.listPlugins, "GET", .plugins, "The plugins found and loaded"),
        row(.listProfiles, "GET", .profiles, "The profiles, the active one and who decided"),
        row(.activateProfile, "POST", .activation, "Make a profile the active one"),
        row(.reload, "POST", .reload, "Read the configuration again"),
        row(.listStorages, "GET", .storages, "All storages"),
        row(.getStorage, "GET", .storage, "One storage: capabilities, limits, URL, state", [probe]),
        row(.putStorage, "PUT", .storage, "Make an ephemeral storage"),
        row(.dropStorage, "DELETE", .storage, "Drop an ephemeral storage; its data stays"),
        row(.checkStorage, "GET", .storageHealth, "Test the connection without writing"),
        row(.list, "GET", .objects, "A page of a listing, or all of it as NDJSON", listing),
        row(.create, "POST", .objects, "Write under a generated key", creation),
        row(.deletePrefix, "DELETE", .objects, "Delete everything under a prefix, by segments", deletion),
        row(.put, "PUT", .object, "Write an object", [onConflict]),
        row(.get, "GET", .object, "Read an object", [version, disposition]),
        row(.head, "HEAD", .object, "What is known of an object, as fields", [version]),
        row(.delete, "DELETE", .object, "Delete an object; its absence is success", [version]),
        row(.stat, "GET", .stat, "What is known of an object, as JSON", [version]),
        row(.patch, "PATCH", .stat, "Change an object's metadata"),
        row(.url, "GET", .url, "An object's public URL"),
        row(.createLink, "POST", .links, "A signed URL for one object and one method, which expires"),
        row(.listContainers, "GET", .containers, "The buckets or containers of the storage's store"),
        row(.createContainer, "PUT", .container, "Make a container"),
        row(.removeContainer, "DELETE", .container, "Remove an empty container"),
        row(.deleteMany, "POST", .deletion, "Delete many objects, with one result for each"),
        row(.copy, "POST", .copy, "Copy an object"),
        row(.move, "POST", .move, "Move an object"),
        row(.duplicate, "POST", .duplicate, "Copy an object to a new generated key"),
    ]

    /// The line of `operation`.
    package static func row(of operation: Operation) -> RouteRow? { rows.first { $0.operation == operation } }

    /// The methods that `resource` answers, for `Allow`.
    package static func methods(of resource: Resource) -> [String] {
        let own = rows.filter { $0.resource == resource || $0.resource.byQuery == resource }.map(\.method)
        return own.contains("GET") && !own.contains("HEAD") ? own + ["HEAD"] : own
    }

    /// What `method` on `resource` does; nil where it is not allowed.
    ///
    /// HEAD is allowed wherever GET is.
    package static func operation(_ method: String, on resource: Resource) -> Operation? {
        var fallback: Operation?
        for index in rows.indices
        where rows[index].resource == resource || rows[index].resource.byQuery == resource {
            if rows[index].method == method { return rows[index].operation }
            if rows[index].method == "GET" && method == "HEAD" { fallback = rows[index].operation }
        }
        return fallback
    }

    private static func row(
        _ operation: Operation,
        _ method: String,
        _ resource: Resource,
        _ summary: String,
        _ query: [QueryParameter] = []
    ) -> RouteRow {
        RouteRow(operation: operation, method: method, resource: resource, summary: summary, query: query)
    }

    private static let probe = QueryParameter("probe", "Prove conditions with an object of our own first", .bool)
    private static let version = QueryParameter("version", "The version's id, where the storage keeps versions")
    private static let onConflict = QueryParameter(
        "on_conflict",
        "What to do when the key is taken; the storage's own rule if absent",
        .choice(["error", "replace", "rename"])
    )
    private static let disposition = QueryParameter(
        "download",
        "Offer the object for saving under this name; an empty one takes the key's last segment"
    )
    private static let listing = [
        QueryParameter("prefix", "Only keys that start with these bytes"),
        QueryParameter("delimiter", "Keys that share what follows the prefix up to here become one prefix"),
        QueryParameter("start_after", "Only keys greater than this"),
        QueryParameter("cursor", "Continues a listing with the same arguments", .cursor),
        QueryParameter("limit", "Entries in a page, 1 to 10000", .integer),
    ]
    private static let creation = [
        QueryParameter("filename", "The original name; its extension is kept"),
        QueryParameter("location", "The prefix under which the key is made", .text(limit: 900)),
        QueryParameter("name", "How the key is made", .choice(["uuid"])),
    ]
    private static let deletion = [
        QueryParameter("prefix", "The prefix, by segments; empty means all and needs force", isRequired: true),
        QueryParameter("dry_run", "Only count what would be deleted", .bool),
        QueryParameter("force", "Allow the empty prefix", .bool),
    ]
}
