package import CofferModel

/// A request's operation with its parameters, as its method and target say.
package enum Route: Sendable, Hashable {
    case health
    case version
    case metrics
    case openapi
    case listPlugins
    case listProfiles
    case activateProfile(String)
    case reload
    case listStorages
    case getStorage(String, probe: Bool)
    case putStorage(String)
    case dropStorage(String)
    case checkStorage(String)
    case list(String, ListParameters)
    case create(String, CreateParameters)
    case deletePrefix(String, DeletePrefixParameters)
    case put(String, Key, onConflict: OnConflict?)
    /// `download` is the name to save under; empty means the key's last segment.
    case get(String, Key, version: String?, download: String?)
    case head(String, Key, version: String?)
    case delete(String, Key, version: String?)
    case stat(String, Key, version: String?)
    case patch(String, Key)
    case url(String, Key)
    case createLink(String)
    case listContainers(String)
    case createContainer(String, container: String)
    case removeContainer(String, container: String)
    case deleteMany(String)
    case copy(String)
    case move(String)
    case duplicate(String)
}

/// What to list.
package struct ListParameters: Sendable, Hashable {
    package var prefix: String
    package var delimiter: String
    package var startAfter: String
    package var cursor: String?
    /// Entries in a page; nil leaves it to the host.
    package var limit: Int?

    package static let defaultLimit = 1000
    package static let maximumLimit = 10_000

    package init(
        prefix: String = "",
        delimiter: String = "",
        startAfter: String = "",
        cursor: String? = nil,
        limit: Int? = nil
    ) {
        self.prefix = prefix
        self.delimiter = delimiter
        self.startAfter = startAfter
        self.cursor = cursor
        self.limit = limit
    }
}

/// How to make a key.
package struct CreateParameters: Sendable, Hashable {
    package var filename: String?
    package var location: String

    package init(filename: String? = nil, location: String = "") {
        self.filename = filename
        self.location = location
    }
}

/// What to delete by prefix.
package struct DeletePrefixParameters: Sendable, Hashable {
    package var prefix: String
    package var isDryRun: Bool
    package var isForced: Bool

    package init(prefix: String, isDryRun: Bool = false, isForced: Bool = false) {
        self.prefix = prefix
        self.isDryRun = isDryRun
        self.isForced = isForced
    }
}

extension Route {
    /// What is asked.
    package var operation: Operation {
        switch self {
        case .health: .health
        case .version: .version
        case .metrics: .metrics
        case .openapi: .openapi
        case .listPlugins: .listPlugins
        case .listProfiles: .listProfiles
        case .activateProfile: .activateProfile
        case .reload: .reload
        case .listStorages: .listStorages
        case .getStorage: .getStorage
        case .putStorage: .putStorage
        case .dropStorage: .dropStorage
        case .checkStorage: .checkStorage
        case .list: .list
        case .create: .create
        case .deletePrefix: .deletePrefix
        case .put: .put
        case .get: .get
        case .head: .head
        case .delete: .delete
        case .stat: .stat
        case .patch: .patch
        case .url: .url
        case .createLink: .createLink
        case .listContainers: .listContainers
        case .createContainer: .createContainer
        case .removeContainer: .removeContainer
        case .deleteMany: .deleteMany
        case .copy: .copy
        case .move: .move
        case .duplicate: .duplicate
        }
    }

    /// The storage that is addressed; nil where the request is about the host.
    package var storage: String? {
        switch self {
        case .health, .version, .metrics, .openapi, .listPlugins, .listProfiles, .activateProfile, .reload,
            .listStorages:
            nil
        case .getStorage(let name, _), .putStorage(let name), .dropStorage(let name), .checkStorage(let name),
            .list(let name, _), .create(let name, _), .deletePrefix(let name, _), .put(let name, _, _),
            .get(let name, _, _, _), .head(let name, _, _), .delete(let name, _, _), .stat(let name, _, _),
            .patch(let name, _), .url(let name, _), .deleteMany(let name), .copy(let name), .move(let name),
            .duplicate(let name), .createLink(let name), .listContainers(let name), .createContainer(let name, _),
            .removeContainer(let name, _):
            name
        }
    }
}
