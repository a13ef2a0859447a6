// A configuration, resolved: everything the host needs to know to run one generation.

/// Who decided which profile is active.
package enum ProfileSource: Sendable, Hashable {
    /// The command line or the environment, in the caller's words: `--profile`, `COFFER_PROFILE`.
    case argument(String)
    /// `coffer profile use`, kept in the state folder.
    case state
    /// The key `profile:`.
    case text(SourceMark)
    /// Nobody: the base alone.
    case nobody

    /// Who, in words.
    package var description: String {
        switch self {
        case .argument(let name): name
        case .state: "coffer profile use"
        case .text(let mark): mark.description
        case .nobody: "nobody"
        }
    }
}

/// A storage, resolved.
package struct ResolvedStorage: Sendable, Hashable {
    package let name: String
    /// The id of its backend.
    package let backend: String
    package let settings: StorageSettings
    /// What the plugin is opened with.
    package let options: [ResolvedOption]
    /// Every setting with its origin: the host's, the plugin's, then the inactive ones.
    package let resolved: [ResolvedSetting]

    package init(
        name: String,
        backend: String,
        settings: StorageSettings,
        options: [ResolvedOption],
        resolved: [ResolvedSetting]
    ) {
        self.name = name
        self.backend = backend
        self.settings = settings
        self.options = options
        self.resolved = resolved
    }

    /// Whether an instance opened for `other` serves this storage as it is: same backend, same options.
    package func opensLike(_ other: ResolvedStorage) -> Bool {
        name.isSame(as: other.name) && backend.isSame(as: other.backend) && options == other.options
    }
}

/// Where the host listens.
package struct SocketSettings: Sendable, Hashable {
    /// An absolute path; nil for the usual places.
    package var path: String?
    /// The mode of the socket; nil for 0600, or 0666 once `access` names anybody else.
    package var mode: UInt32?
    /// The group of the socket: a name or a number; nil for the host's own.
    package var group: String?

    package init(path: String? = nil, mode: UInt32? = nil, group: String? = nil) {
        self.path = path
        self.mode = mode
        self.group = group
    }
}

/// One rule of `access:`.
package struct AccessRule: Sendable, Hashable {
    /// Whom it is for.
    package enum Subject: Sendable, Hashable {
        case user(String)
        case uid(UInt32)
        case group(String)
        case gid(UInt32)
    }

    /// What it permits.
    package enum Permission: String, Sendable, Hashable, CaseIterable {
        case upload, download, delete, manage
    }

    package var subject: Subject
    package var allow: Set<Permission>
    /// The storages it is for; nil for every one.
    package var storages: [String]?
    /// The prefix of the keys it is for; empty for every key.
    package var prefix: String
    package var mark: SourceMark

    package init(
        subject: Subject,
        allow: Set<Permission>,
        storages: [String]? = nil,
        prefix: String = "",
        mark: SourceMark
    ) {
        self.subject = subject
        self.allow = allow
        self.storages = storages
        self.prefix = prefix
        self.mark = mark
    }
}

/// One entry of `plugins:`.
package struct PluginReference: Sendable, Hashable {
    /// Where its code runs.
    package enum Isolation: String, Sendable, Hashable, CaseIterable {
        /// In the host.
        case inProcess = "in_process"
        /// In a process of its own.
        case process
    }

    /// The id that the entry promises; nil if it names none.
    package var id: String?
    /// The absolute path of the library or its manifest.
    package var path: String
    /// The digest that the library must have, 64 hexadecimal digits in lower case; nil for any.
    package var sha256: String?
    package var isolation: Isolation
    package var mark: SourceMark

    package init(id: String?, path: String, sha256: String?, isolation: Isolation, mark: SourceMark) {
        self.id = id
        self.path = path
        self.sha256 = sha256
        self.isolation = isolation
        self.mark = mark
    }
}

/// The limits of the host; nil leaves one to the host.
package struct HostLimits: Sendable, Hashable {
    package var connections: Int?
    package var threads: Int?
    package var callsPerStorage: Int?
    package var queue: Int?
    /// Milliseconds.
    package var idleTimeout: Int64?
    /// Milliseconds.
    package var drainTimeout: Int64?

    package init() {}
}

/// A whole configuration with one profile active.
package struct Configuration: Sendable, Hashable {
    /// The active profile; nil for the base alone.
    package let activeProfile: String?
    package let decidedBy: ProfileSource
    /// The profiles that the text defines, in its order.
    package let profileNames: [String]
    /// What each profile extends, by its name; a profile on the base alone has none.
    package let extended: [String: String]
    /// The storages, in the order of the text.
    package let storages: [ResolvedStorage]
    /// The storage that a bare key means: `default_storage`, else the first; nil if there is no storage.
    package let defaultStorage: String?
    package let socket: SocketSettings
    package let access: [AccessRule]
    /// Whether a changed file is taken in by itself.
    package let watch: Bool
    package let plugins: [PluginReference]
    package let limits: HostLimits
    /// Every configuration file that was read, the first one first.
    package let files: [String]
    /// Every file that a reference read: they matter to whoever watches, too.
    package let referencedFiles: [String]
    package let warnings: [Diagnostic]

    /// The storage called `name`.
    package func storage(_ name: String) -> ResolvedStorage? { storages.first { $0.name.isSame(as: name) } }
}
