import CofferModel

extension Route {
    /// Finds the route of a request by its method and its raw target.
    ///
    /// - Throws: ``RouteMismatch``: 404 for a path of no route, 405 with `Allow` for a method that the path does not
    ///   take, 400 for a key or parameter that cannot be.
    package static func parse(method: String, target: String) throws(RouteMismatch) -> Route {
        let parsed: RequestTarget?
        do { parsed = try RequestTarget(target) } catch { throw RouteMismatch(error) }
        guard let parsed else { throw RouteMismatch(CofferError(.notFound, "there is no route \(shown(target))")) }
        guard let operation = RouteTable.operation(method, on: parsed.resource) else {
            let allow = RouteTable.methods(of: parsed.resource)
            let error = CofferError(
                .invalidArgument,
                "\(shown(method)) is not allowed here; allowed are \(allow.joined(separator: ", "))"
            )
            throw RouteMismatch(error, status: 405, allow: allow)
        }
        do { return try make(operation, of: parsed) } catch { throw RouteMismatch(error) }
    }

    private static func make(_ operation: Operation, of target: RequestTarget) throws(CofferError) -> Route {
        let name = target.name
        let takesKeyInQuery = target.rawKey == nil && target.resource.takesKey
        var parameters: [QueryParameter] = []
        var known: [String] = []
        // Most requests have no query, and then nobody looks the row up.
        if !target.rawQuery.isEmpty {
            parameters = RouteTable.row(of: operation)?.query ?? []
            known = parameters.map(\.name)
            if takesKeyInQuery { known.append("key") }
        }
        let query = try QueryReader(target.rawQuery, known: known)
        try query.check(parameters)
        func key() throws(CofferError) -> Key {
            if takesKeyInQuery, query["key"] == nil { throw CofferError(.invalidArgument, "key is missing") }
            guard let text = target.rawKey.map({ PercentCoding.decode($0) }) ?? query["key"] else {
                throw CofferError(.invalidKey, "the key is not percent-encoded UTF-8")
            }
            let key = Key(text)
            try key.checkForReading()
            return key
        }
        func container() throws(CofferError) -> String {
            guard let name = target.rawKey.flatMap({ PercentCoding.decode($0) }), !name.isEmpty else {
                throw CofferError(.invalidArgument, "the container's name is empty or not percent-encoded UTF-8")
            }
            return name
        }
        switch operation {
        case .health: return .health
        case .version: return .version
        case .metrics: return .metrics
        case .openapi: return .openapi
        case .listPlugins: return .listPlugins
        case .listProfiles: return .listProfiles
        case .activateProfile: return .activateProfile(name)
        case .reload: return .reload
        case .listStorages: return .listStorages
        case .getStorage: return .getStorage(name, probe: try query.bool("probe"))
        case .putStorage: return .putStorage(name)
        case .dropStorage: return .dropStorage(name)
        case .checkStorage: return .checkStorage(name)
        case .list: return .list(name, try ListParameters(query))
        case .create: return .create(name, try CreateParameters(query))
        case .deletePrefix: return .deletePrefix(name, try DeletePrefixParameters(query))
        case .put: return .put(name, try key(), onConflict: try query.onConflict())
        case .get: return .get(name, try key(), version: query["version"], download: query["download"])
        case .head: return .head(name, try key(), version: query["version"])
        case .delete: return .delete(name, try key(), version: query["version"])
        case .stat: return .stat(name, try key(), version: query["version"])
        case .patch: return .patch(name, try key())
        case .url: return .url(name, try key())
        case .createLink: return .createLink(name)
        case .listContainers: return .listContainers(name)
        case .createContainer: return .createContainer(name, container: try container())
        case .removeContainer: return .removeContainer(name, container: try container())
        case .deleteMany: return .deleteMany(name)
        case .copy: return .copy(name)
        case .move: return .move(name)
        case .duplicate: return .duplicate(name)
        }
    }

    /// `text` cut to what a message can bear.
    private static func shown(_ text: String) -> String {
        text.utf8.count <= 200 ? text : String(decoding: text.utf8.prefix(200), as: UTF8.self) + "…"
    }
}

extension Resource {
    /// Whether the path or the query names an object.
    fileprivate var takesKey: Bool {
        switch self {
        case .object, .objectByQuery, .stat, .statByQuery, .url, .urlByQuery: true
        default: false
        }
    }
}

extension ListParameters {
    fileprivate init(_ query: QueryReader) throws(CofferError) {
        self.init(
            prefix: query["prefix"] ?? "",
            delimiter: query["delimiter"] ?? "",
            startAfter: query["start_after"] ?? "",
            cursor: query["cursor"],
            limit: try query.integer("limit", in: 1...Self.maximumLimit)
        )
    }
}

extension CreateParameters {
    fileprivate init(_ query: QueryReader) throws(CofferError) {
        if let name = query["name"], name != "uuid" {
            throw CofferError(.invalidArgument, "name must be uuid, not \(name)")
        }
        self.init(filename: query["filename"], location: query["location"] ?? "")
    }
}

extension DeletePrefixParameters {
    fileprivate init(_ query: QueryReader) throws(CofferError) {
        guard let prefix = query["prefix"] else { throw CofferError(.invalidArgument, "prefix is missing") }
        self.init(prefix: prefix, isDryRun: try query.bool("dry_run"), isForced: try query.bool("force"))
        guard !prefix.isEmpty || isForced || isDryRun else {
            throw CofferError(.invalidArgument, "the empty prefix means every object and needs force=true")
        }
    }
}
