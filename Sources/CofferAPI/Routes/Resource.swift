/// The shapes of paths: what a target names, whatever is done to it.
package enum Resource: String, Sendable, Hashable, CaseIterable {
    case health = "/v1/health"
    case version = "/v1/version"
    case metrics = "/metrics"
    case openapi = "/v1/openapi.json"
    case plugins = "/v1/plugins"
    case profiles = "/v1/profiles"
    case activation = "/v1/profiles/{profile}/activate"
    case reload = "/v1/reload"
    case storages = "/v1/storages"
    case storage = "/v1/storages/{storage}"
    case storageHealth = "/v1/storages/{storage}/health"
    case objects = "/v1/storages/{storage}/objects"
    case object = "/v1/storages/{storage}/objects/{key}"
    case objectByQuery = "/v1/storages/{storage}/object"
    case stat = "/v1/storages/{storage}/stat/{key}"
    case statByQuery = "/v1/storages/{storage}/stat"
    case url = "/v1/storages/{storage}/url/{key}"
    case urlByQuery = "/v1/storages/{storage}/url"
    case links = "/v1/storages/{storage}/links"
    case containers = "/v1/storages/{storage}/containers"
    case container = "/v1/storages/{storage}/containers/{container}"
    case deletion = "/v1/storages/{storage}/delete"
    case copy = "/v1/storages/{storage}/copy"
    case move = "/v1/storages/{storage}/move"
    case duplicate = "/v1/storages/{storage}/duplicate"

    /// The path with `{storage}`, `{profile}`, `{container}` and `{key}` in the places of names.
    package var template: String { rawValue }

    /// The same resource with its key in the query instead of the path.
    package var byQuery: Resource? {
        switch self {
        case .object: .objectByQuery
        case .stat: .statByQuery
        case .url: .urlByQuery
        default: nil
        }
    }
}
