// A backend that is a storage of a real host: what the suite asks of it, the host answers.

import CofferJSON
import CofferPluginSDK

/// A storage of a `cofferd` as a backend: the plugin under test, with everything that the host puts on top of it.
///
/// 1. It keeps nothing and adds nothing: an operation is a request, and an answer of the host is its answer.
/// 2. What the host grades native or emulated counts as native here, as far as the wire has words for it.
final class RelayBackend: StorageBackend {
    /// The options that say which host and which plugin; all others are the plugin's own.
    enum Setting {
        static let program = "cofferd"
        static let plugin = "plugin"
        static let backend = "backend"
        /// Before a name that is the plugin's own.
        static let own = "option."
        /// Before a name of the plugin's own whose value is no text: a number, a size, a list.
        static let ownPlain = "plain."
    }

    /// What the wire can say.
    static let expressible: Capabilities = [
        .stat, .read, .readRange, .readPinned, .readCondition, .write, .atomicReplace, .createIfAbsent, .ifMatch,
        .remove,
        .removeIfMatch, .removeBatch, .list, .listDelimiter, .listAfter, .listSorted, .copy, .copyCondition, .move,
        .contentType, .contentProperties, .userMetadata, .checksum, .publicURL, .readOnly, .caseInsensitive,
        .normalizing, .eventual, .directories,
    ]

    static let description = PluginDescription(
        id: "through-host",
        version: "1.0.0",
        name: "Through the host",
        licence: "Apache-2.0",
        description: "A storage of a host, for the conformance suite.",
        capabilities: expressible,
        options: [OptionDescription("*", .string, "Which host and which plugin.", flags: .open)]
    )

    let traits: Traits
    let grades: Grades
    let host: HostUnderTest

    init(name: String, options: Options, host services: HostServices, call: Call) throws(BackendError) {
        host = try HostUnderTest.shared(
            try Self.configuration(options),
            program: try options.required(Setting.program),
            call: call
        )
        do throws(BackendError) {
            let answer = try host.ask(HostRequest("GET", "/v1/storages/\(HostUnderTest.storage)"), call)
            guard let storage = try? JSONValue(parsing: answer.body) else {
                throw BackendError(.corrupt, "the host's description of the storage is no JSON")
            }
            if let problem = storage["problem"], !problem.isNull {
                throw BackendError(
                    .config,
                    "the host refuses it: \(problem["detail"]?.stringValue ?? "without a reason")"
                )
            }
            grades = Grades(storage)
            traits = grades.traits
        } catch {
            host.leave()
            throw error
        }
    }

    func close() { host.leave() }

    /// A configuration with one storage; values are JSON, which YAML contains.
    private static func configuration(_ options: Options) throws(BackendError) -> String {
        func quoted(_ text: String) -> String { JSONValue.string(text).description }
        let backend = try options.required(Setting.backend)
        var lines = [
            "plugins:", "  \(backend): \(quoted(try options.required(Setting.plugin)))",
            "storages:", "  \(HostUnderTest.storage):", "    backend: \(backend)", "    on_conflict: replace",
            "    writers: exclusive", "    atomic: best_effort",
        ]
        for name in options.names.sorted() {
            let value = options.string(name) ?? ""
            if name.hasPrefix(Setting.own) {
                lines.append("    \(name.dropFirst(Setting.own.count)): \(quoted(value))")
            } else if name.hasPrefix(Setting.ownPlain) {
                lines.append("    \(name.dropFirst(Setting.ownPlain.count)): \(value)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: Requests

    private func target(_ resource: String, _ query: [(String, ByteString)]) -> String {
        let pairs = query.map { "\($0.0)=\(Escaped.encode($0.1.bytes))" }
        return "/v1/storages/\(HostUnderTest.storage)/\(resource)" + (pairs.isEmpty ? "" : "?")
            + pairs.joined(separator: "&")
    }

    private func add(_ conditions: Conditions, to request: inout HostRequest) throws(BackendError) {
        func value(_ token: ByteString) -> String { token == "*" ? "*" : "\"\(token)\"" }
        if !conditions.ifMatch.isEmpty { try request.add("If-Match", value(conditions.ifMatch)) }
        if !conditions.ifNoneMatch.isEmpty { try request.add("If-None-Match", value(conditions.ifNoneMatch)) }
    }

    /// The wire answers a lost create with 412 as well: only a request that had no other condition lost that one.
    private func told(_ error: BackendError, _ conditions: Conditions, isSourceFree: Bool = true) -> BackendError {
        guard error.code == .precondition, !conditions.ifNoneMatch.isEmpty, conditions.ifMatch.isEmpty, isSourceFree
        else { return error }
        return BackendError(.alreadyExists, error.message, native: error.native)
    }

    func health(call: Call) throws(BackendError) -> Properties {
        _ = try host.ask(HostRequest("GET", target("health", [])), call)
        var facts = Properties()
        facts[ThroughHost.emulatedFact] = grades.emulatedWords.joined(separator: ", ")
        return facts
    }

    func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry {
        // An answer to HEAD has no room for a reason, but only that knows conditions.
        guard request.conditions.isEmpty else {
            var head = HostRequest("HEAD", target("object", [("key", request.key)]))
            try add(request.conditions, to: &head)
            return Entry(request.key, try host.ask(head, call).head)
        }
        let answer = try host.ask(HostRequest("GET", target("stat", [("key", request.key)])), call).body
        guard let object = try? JSONValue(parsing: answer) else {
            throw BackendError(.corrupt, "the host's description of an object is no JSON")
        }
        return Entry(json: object)
    }

    func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        // No range of the wire is empty.
        switch request.range {
        case .suffix(0), .slice(_, 0):
            let entry = try stat(request, call: call)
            let range = try request.range.resolve(size: UInt64(max(0, entry.size)))
            return ReadAnswer(entry: entry, range: range, body: .stream(RelayNothing()))
        default: break
        }
        var get = HostRequest("GET", target("object", [("key", request.key)]))
        try add(request.conditions, to: &get)
        switch request.range {
        case .all: break
        case .from(let offset): try get.add("Range", "bytes=\(offset)-")
        case .slice(let offset, let length):
            let (last, isHuge) = offset.addingReportingOverflow(length - 1)
            try get.add("Range", "bytes=\(offset)-" + (isHuge ? "" : "\(last)"))
        case .suffix(let length): try get.add("Range", "bytes=-\(length)")
        }
        let connection = try host.connection(call)
        _ = try connection.send(get.bytes, call)
        let head = try connection.receiveHead(call, hasBody: true)
        guard head.isSuccess, let length = connection.announced else {
            throw Problem.error(head, try connection.receiveAll(call))
        }
        let entry = Entry(request.key, head)
        // `bytes FIRST-LAST/SIZE`
        let first = head["content-range"].flatMap { $0.split(separator: " ").last?.split(separator: "-").first }
        let start = first.flatMap { UInt64($0) } ?? 0
        return ReadAnswer(
            entry: entry,
            range: start..<start + length,
            body: .stream(RelayRead(connection, host, keepsConnection: head.keepsConnection))
        )
    }

    func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        var put = HostRequest("PUT", target("object", [("key", request.key), ("on_conflict", "replace")]))
        try add(request.conditions, to: &put)
        for (name, value) in request.properties { try put.add(name, value) }
        for (name, value) in request.metadata { try put.add("Coffer-Meta-\(name)", Escaped.encode(value.utf8)) }
        for digest in request.checksums { try put.add("Repr-Digest", try WireDigest.field(digest)) }
        // Without a body to come nobody waits for one, and the object would be there at once.
        let announced = request.size == 0 ? nil : request.size
        if let size = announced {
            try put.add("Content-Length", String(size))
        } else {
            try put.add("Transfer-Encoding", "chunked")
        }
        // What can be refused without the body is refused before it.
        try put.add("Expect", "100-continue")
        let connection = try host.connection(call)
        _ = try connection.send(put.bytes, call)
        let head = try connection.receiveHead(call, hasBody: true)
        guard head.status == 100 else {
            throw told(Problem.error(head, try connection.receiveAll(call)), request.conditions)
        }
        let conditions = request.conditions
        return RelayWrite(connection, host, isChunked: announced == nil) {
            self.told($0, conditions)
        } published: {
            self.published($0)
        }
    }

    func remove(_ request: RemoveRequest, call: Call) throws(BackendError) {
        var delete = HostRequest("DELETE", target("object", [("key", request.key)]))
        // The wire has no strict removal, but a removal of what exists.
        let isStrictAlone = request.isStrict && request.ifMatch.isEmpty
        try add(Conditions(ifMatch: isStrictAlone ? "*" : request.ifMatch), to: &delete)
        do throws(BackendError) {
            _ = try host.ask(delete, call)
        } catch {
            throw isStrictAlone && error.code == .precondition ? .notFound(request.key) : error
        }
    }

    func removeBatch(_ requests: [RemoveRequest], results: BatchResults, call: Call) throws(BackendError) {
        let keys = requests.map { request -> JSONValue in
            guard !request.ifMatch.isEmpty else { return .string(request.key.string) }
            return ["key": .string(request.key.string), "if_match": .string(request.ifMatch.string)]
        }
        let answer = try host.ask(body(["keys": .array(keys)], of: "delete"), call).body
        let items = (try? JSONValue(parsing: answer))?["results"]?.arrayValue ?? []
        for (index, item) in items.enumerated() {
            try results.report(index, item["problem"].flatMap { Problem.error($0) })
        }
    }

    func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        RelayListing(request, host) { self.target("objects", $0) }
    }

    func copy(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry { try transfer(request, "copy", call) }

    func move(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry { try transfer(request, "move", call) }

    private func transfer(_ request: CopyRequest, _ verb: String, _ call: Call) throws(BackendError) -> Entry {
        var members: [JSONObject.Member] = [
            .init(name: "from", value: .string(request.from.string)),
            .init(name: "to", value: .string(request.to.string)),
            .init(name: "on_conflict", value: "replace"),
        ]
        if !request.sourceIfMatch.isEmpty {
            members.append(.init(name: "source_if_match", value: .string(request.sourceIfMatch.string)))
        }
        var post = body(.object(JSONObject(members)), of: verb)
        try add(request.conditions, to: &post)
        let (head, answer) = try host.exchange(post, call)
        guard head.isSuccess, let object = try? JSONValue(parsing: answer) else {
            let error = Problem.error(head, answer)
            let key = (try? JSONValue(parsing: answer))?["key"]?.stringValue
            let isOfTarget = key.map { ByteString($0) == request.to } ?? request.sourceIfMatch.isEmpty
            throw told(error, request.conditions, isSourceFree: request.sourceIfMatch.isEmpty || isOfTarget)
        }
        return published(object)
    }

    /// A new object as the answer tells it, without the digest of the host's own where the store keeps none: what the
    /// suite asks is what a stat tells.
    private func published(_ object: JSONValue) -> Entry {
        var entry = Entry(json: object)
        if !traits.native.contains(.checksum) { entry.checksums = [] }
        return entry
    }

    func publicURL(of key: ByteString, call: Call) throws(BackendError) -> String {
        let answer = try host.ask(HostRequest("GET", target("url", [("key", key)])), call).body
        guard let url = (try? JSONValue(parsing: answer))?["url"]?.stringValue else {
            throw BackendError(.corrupt, "the host gave no URL")
        }
        return url
    }

    private func body(_ value: JSONValue, of resource: String) -> HostRequest {
        var request = HostRequest("POST", target(resource, []))
        request.body = value.bytes()
        return request
    }
}
