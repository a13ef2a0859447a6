import CofferClient
import CofferJSON

/// What each verb of Tests/Scenarios is in Swift.
struct Verbs {
    let client: CofferClient
    let step: Step

    private var storage: Storage { get throws { client.storage(try step.required("storage")) } }
    private let nothing = document([:])

    init(_ client: CofferClient, _ step: Step) {
        self.client = client
        self.step = step
    }

    /// Does the step and gives its result.
    func call(_ verb: String) async throws -> JSONValue {
        switch verb {
        case "put", "put_file", "put_stream", "abandon", "create": try await write(verb)
        case "get", "read", "seek", "stat", "exists", "list", "page", "url", "link": try await read(verb)
        case "delete", "delete_many", "delete_prefix", "copy", "move", "duplicate", "change": try await change(verb)
        case "containers", "make_container", "remove_container", "info", "check": try await ask(verb)
        default: try await host(verb)
        }
    }

    // MARK: Objects

    private func write(_ verb: String) async throws -> JSONValue {
        let storage = try storage
        let terms = try step.terms()
        switch verb {
        case "put": return document(try await storage.put(step.body(), at: step.key(), options: terms))
        case "put_file":
            let path = try step.required("body")
            return document(try await storage.put(contentsOf: path, at: step.key(), options: terms))
        case "create":
            let name = step.text("filename")
            let location = step.text("location") ?? ""
            let body = try step.body()
            return document(try await storage.put(body, filename: name, location: location, options: terms))
        default: return try await stream(storage, terms, isAbandoned: verb == "abandon")
        }
    }

    private func stream(_ storage: Storage, _ terms: PutOptions, isAbandoned: Bool) async throws -> JSONValue {
        let body = try step.body()
        let piece = Int(step.number("piece") ?? 1)
        let length = step.flag("announced") ? Int64(body.count) : nil
        let end = isAbandoned ? Int(step.number("after") ?? 0) : body.count
        let writer = try await storage.write(at: step.key(), length: length, options: terms)
        for start in stride(from: 0, to: end, by: piece) {
            try await writer.append(Array(body[start..<min(start + piece, end)]))
        }
        guard isAbandoned else { return document(try await writer.finish()) }
        writer.cancel()
        return nothing
    }

    private func read(_ verb: String) async throws -> JSONValue {
        let storage = try storage
        switch verb {
        case "get":
            let key = try step.key()
            try step.keep(await storage.get(key, range: step.range(), conditions: step.conditions()))
            return nothing
        case "read":
            // Its pieces are as large as the reader makes them.
            _ = step.number("piece")
            let reader = try await storage.open(step.key(), range: step.range(), conditions: step.conditions())
            var body: [UInt8] = []
            for try await piece in reader { body += piece }
            try step.keep(body)
            return document(reader.object)
        case "seek": return try await seek(storage)
        case "stat": return document(try await storage.stat(step.key(), conditions: step.conditions()))
        case "exists": return document(["exists": .bool(try await storage.exists(step.key()))])
        case "list": return try await list(storage)
        case "page":
            let page = try await storage.page(
                prefix: step.text("prefix") ?? "",
                delimiter: step.text("delimiter") ?? "",
                startAfter: step.text("start_after") ?? "",
                cursor: step.text("cursor"),
                limit: step.number("limit").map { Int($0) }
            )
            let keys = texts(page.objects.map(\.key.text))
            return document(["keys": keys, "prefixes": texts(page.prefixes), "cursor": text(page.cursor)])
        case "url": return document(["url": .string(try await storage.url(step.key()))])
        default: return try await link(storage)
        }
    }

    private func seek(_ storage: Storage) async throws -> JSONValue {
        let reader = try await storage.open(step.key())
        var all: [UInt8] = []
        var counts: [JSONValue] = []
        for read in step.value("reads")?.arrayValue ?? [] {
            let numbers = (read.arrayValue ?? []).compactMap(\.integerValue)
            let bytes = try await reader.read(at: numbers[0], count: Int(numbers[1]))
            counts.append(.integer(Int64(bytes.count)))
            all += bytes
        }
        try step.keep(all)
        return document(["counts": .array(counts)])
    }

    private func list(_ storage: Storage) async throws -> JSONValue {
        var (keys, prefixes): ([String], [String]) = ([], [])
        let listing = storage.list(
            prefix: step.text("prefix") ?? "",
            delimiter: step.text("delimiter") ?? "",
            startAfter: step.text("start_after") ?? ""
        )
        for try await entry in listing {
            switch entry {
            case .object(let object): keys.append(object.key.text)
            case .prefix(let prefix): prefixes.append(prefix)
            }
        }
        return document(["keys": texts(keys), "prefixes": texts(prefixes)])
    }

    private func link(_ storage: Storage) async throws -> JSONValue {
        let word = step.text("method") ?? "GET"
        guard let method = LinkMethod(rawValue: word) else {
            throw Unsayable("LinkMethod is an enumeration, which has no \(word)")
        }
        let link = try await storage.link(
            step.key(),
            for: method,
            expiresIn: step.number("expires_in").map { .seconds($0) },
            contentType: step.text("content_type"),
            filename: step.text("filename"),
            size: step.number("size")
        )
        return document([
            "url": .string(link.url),
            "method": .string(link.method.rawValue),
            "expires_at": .string(link.expiresAt.description),
            "required_headers": .object(
                JSONObject(link.requiredHeaders.map { JSONObject.Member(name: $0.name, value: .string($0.value)) })
            ),
        ])
    }

    private func change(_ verb: String) async throws -> JSONValue {
        let storage = try storage
        switch verb {
        case "delete":
            try await storage.delete(step.key(), ifMatch: step.match("if_match"))
            return nothing
        case "delete_many":
            let deletions = (step.value("keys")?.arrayValue ?? []).map { item in
                Deletion(
                    Key(item.stringValue ?? item["key"]?.stringValue ?? ""),
                    ifMatch: item["if_match"]?.stringValue
                )
            }
            let results = try await storage.delete(deletions).map {
                document(["key": .string($0.key.text), "code": text($0.error?.code.rawValue)])
            }
            return document(["results": .array(results)])
        case "delete_prefix":
            let prefix = try step.required("prefix")
            let result = try await storage.deletePrefix(
                prefix,
                isDryRun: step.flag("dry_run"),
                force: step.flag("force")
            )
            return document(["count": .integer(result.count), "keys": texts(result.keys.map(\.text))])
        case "change":
            let match = step.match("if_match")
            return document(try await storage.changeMetadata(of: step.key(), step.change(), ifMatch: match))
        case "duplicate": return document(try await storage.duplicate(step.key(), in: step.text("to_storage")))
        default: return try await transfer(storage, isMove: verb == "move")
        }
    }

    private func transfer(_ storage: Storage, isMove: Bool) async throws -> JSONValue {
        let (source, target) = (try step.key(), try step.key("to"))
        let other = step.text("to_storage")
        let (rule, conditions) = (try step.onConflict(), step.conditions())
        let token = step.text("source_if_match")
        let object =
            isMove
            ? try await storage.move(
                source,
                to: target,
                in: other,
                onConflict: rule,
                conditions: conditions,
                sourceIfMatch: token
            )
            : try await storage.copy(
                source,
                to: target,
                in: other,
                onConflict: rule,
                conditions: conditions,
                sourceIfMatch: token
            )
        return document(object)
    }

    // MARK: Storages and the host

    private func ask(_ verb: String) async throws -> JSONValue {
        let storage = try storage
        switch verb {
        case "containers": return document(["names": texts(try await storage.containers().map(\.name))])
        case "make_container":
            try await storage.makeContainer(step.required("name"))
            return nothing
        case "remove_container":
            try await storage.removeContainer(step.required("name"))
            return nothing
        case "info": return document(try await storage.info())
        default:
            // A storage that is not well throws.
            let health = try await storage.health()
            return document(["storage": .string(health.storage), "status": .string("ok")])
        }
    }

    private func host(_ verb: String) async throws -> JSONValue {
        // The storage of the run is said to every verb.
        _ = step.text("storage")
        switch verb {
        case "make_storage":
            let settings = String(decoding: (step.value("settings") ?? .null).bytes(), as: UTF8.self)
            return document(try await client.makeStorage(step.required("name"), settings: settings))
        case "drop_storage":
            try await client.dropStorage(step.required("name"))
            return nothing
        case "storages":
            let storages = try await client.storages()
            let names = texts(storages.storages.map(\.name))
            return document(["names": names, "default": text(storages.defaultStorage?.name)])
        case "health":
            let health = try await client.health()
            return document(["status": .string(health.status), "profile": text(health.profile)])
        case "version":
            let version = try await client.version()
            return document(["version": .string(version.version), "api": .string(version.api)])
        case "plugins": return document(["plugins": texts(try await client.plugins().map(\.id))])
        case "profiles": return document(["active": .string(try await client.profiles().active)])
        case "activate": return document(try await client.activate(profile: step.required("profile")))
        case "reload": return document(try await client.reload())
        default: throw Unusable("there is no verb \(verb)")
        }
    }
}
