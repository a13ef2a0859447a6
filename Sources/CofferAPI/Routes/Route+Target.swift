package import CofferModel

extension Route {
    /// The method and the raw target that ask for this.
    ///
    /// A key travels in the query whenever a segment of it is empty, `.` or `..`, since what lies between may
    /// normalise paths.
    package var request: (method: String, target: String) {
        (RouteTable.row(of: operation)?.method ?? "GET", path + queryText)
    }

    private var path: String {
        let template = RouteTable.row(of: operation)?.resource.template ?? ""
        guard let name = storage ?? profile else { return template }
        let encoded = PercentCoding.encode(name, keeping: .component)
        var parts = template.split(separator: "/").map(String.init)
        if parts.count > 2 { parts[2] = encoded }
        if let container { parts[parts.count - 1] = PercentCoding.encode(container, keeping: .component) }
        if let key {
            parts.removeLast()
            if key.needsQuery {
                if parts.last == "objects" { parts[parts.count - 1] = "object" }
            } else {
                parts.append(PercentCoding.encode(key.text, keeping: .path))
            }
        }
        return "/" + parts.joined(separator: "/")
    }

    private var queryText: String {
        var items: [(String, String)] = []
        func add(_ name: String, _ value: String?) {
            if let value { items.append((name, value)) }
        }
        if let key, key.needsQuery { add("key", key.text) }
        switch self {
        case .getStorage(_, probe: true): add("probe", "true")
        case .list(_, let parameters):
            add("prefix", parameters.prefix.isEmpty ? nil : parameters.prefix)
            add("delimiter", parameters.delimiter.isEmpty ? nil : parameters.delimiter)
            add("start_after", parameters.startAfter.isEmpty ? nil : parameters.startAfter)
            add("cursor", parameters.cursor)
            add("limit", parameters.limit.map { String($0) })
        case .create(_, let parameters):
            add("filename", parameters.filename)
            add("location", parameters.location.isEmpty ? nil : parameters.location)
        case .deletePrefix(_, let parameters):
            add("prefix", parameters.prefix)
            if parameters.isDryRun { add("dry_run", "true") }
            if parameters.isForced { add("force", "true") }
        case .put(_, _, let onConflict): add("on_conflict", onConflict?.rawValue)
        case .get(_, _, let version, let download):
            add("version", version)
            add("download", download)
        case .head(_, _, let version), .delete(_, _, let version), .stat(_, _, let version): add("version", version)
        default: break
        }
        guard !items.isEmpty else { return "" }
        let encoded = items.map { "\($0.0)=\(PercentCoding.encode($0.1, keeping: .component))" }
        return "?" + encoded.joined(separator: "&")
    }

    private var container: String? {
        switch self {
        case .createContainer(_, let name), .removeContainer(_, let name): name
        default: nil
        }
    }

    private var profile: String? {
        guard case .activateProfile(let name) = self else { return nil }
        return name
    }

    /// The object that is addressed; nil where there is none.
    package var key: Key? {
        switch self {
        case .put(_, let key, _), .get(_, let key, _, _), .head(_, let key, _), .delete(_, let key, _),
            .stat(_, let key, _), .patch(_, let key), .url(_, let key):
            key
        default: nil
        }
    }
}

extension Key {
    /// Whether something on the way might change this key in a path.
    package var needsQuery: Bool {
        text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).contains { segment in
            segment.isEmpty || segment.elementsEqual(".".utf8) || segment.elementsEqual("..".utf8)
        }
    }
}
