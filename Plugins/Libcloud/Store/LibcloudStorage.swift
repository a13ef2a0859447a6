// The backend that keeps objects at a provider of Apache Libcloud.

import CofferJSON
package import CofferPluginSDK

/// Objects in a container of a provider of Apache Libcloud.
///
/// Libcloud lives in Python processes of ours, since a Python inside the host would need its symbols to be seen by all, and
/// drivers take one call at a time. Each process is asked one question after the other over a socket.
package final class LibcloudStorage: StorageBackend {
    let configuration: Configuration
    let pool: Pool
    let rule: KeyRule
    package let traits: Traits

    package init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {
        configuration = try Configuration(name: name, options)
        rule = KeyRule(configuration.family)
        pool = Pool(Launcher(configuration: configuration, host: host))
        var limits = Traits.Limits()
        limits.maxKey = 1024
        limits.maxListPage = 10_000
        // What a request of S3 can hold of it.
        if configuration.native.contains(.userMetadata) { limits.maxMetadata = 2048 }
        traits = Traits(native: configuration.native, limits: limits)
    }

    package func health(call: Call) throws(BackendError) -> Properties {
        let question = Question("health", "looking at the container \(configuration.container)")
        _ = try pool.ask(question, call: call)
        let facts = pool.facts
        return [
            "provider": configuration.provider, "container": configuration.container,
            "libcloud": facts["libcloud"]?.stringValue ?? "", "python": facts["python"]?.stringValue ?? "",
        ]
    }

    package func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry {
        var question = Question("stat", "looking at \(request.key)")
        question["key"] = .string(try rule.text(request.key))
        question["conditions"] = request.conditions.json
        return shown(try pool.ask(question, call: call).entry(request.key))
    }

    package func remove(_ request: RemoveRequest, call: Call) throws(BackendError) {
        var question = Question("remove", "removing \(request.key)")
        question["key"] = .string(try rule.text(request.key))
        question["strict"] = .bool(request.isStrict)
        question.isRepeatable = !request.isStrict
        question.isChange = true
        _ = try pool.ask(question, call: call)
    }

    package func listContainers(into sink: EntrySink, call: Call) throws(BackendError) {
        var names: [String] = []
        _ = try pool.ask(Question("containers", "listing containers"), call: call) { answer throws(BackendError) in
            for row in answer.head["rows"]?.arrayValue ?? [] {
                if let name = row.arrayValue?.first?.stringValue { names.append(name) }
            }
        }
        for name in names { try sink.send(Entry(ByteString(name), kind: .container)) }
    }

    package func makeContainer(_ name: ByteString, options: Properties, call: Call) throws(BackendError) {
        guard options.isEmpty else { throw .unsupported("an option of a new container") }
        var question = Question("make", "making the container \(name)")
        question.isRepeatable = false
        question.isChange = true
        question["name"] = .string(try container(name))
        _ = try pool.ask(question, call: call)
    }

    package func removeContainer(_ name: ByteString, call: Call) throws(BackendError) {
        var question = Question("drop", "removing the container \(name)")
        question.isRepeatable = false
        question.isChange = true
        question["name"] = .string(try container(name))
        _ = try pool.ask(question, call: call)
    }

    package func close() { pool.close() }

    private func container(_ name: ByteString) throws(BackendError) -> String {
        let isName = !name.isEmpty && !name.bytes.contains { $0 == 0x2F || $0 == 0x5C || $0 < 0x20 }
        guard isName, name != ".", name != "..", let text = String(validating: name.bytes, as: UTF8.self) else {
            throw BackendError(.invalidArgument, "no name of a container: \(name)")
        }
        return text
    }

    /// An entry without what this instance does not vouch for.
    func shown(_ entry: Entry) -> Entry {
        var entry = entry
        if !configuration.native.contains(.contentType) { entry.properties = Properties() }
        if !configuration.native.contains(.userMetadata) {
            entry.metadata = Properties()
            entry.checksums = Checksums()
        }
        return entry
    }
}

extension Conditions {
    /// The conditions of a read, for a child.
    var json: JSONValue {
        ["match": .string(ifMatch.string), "none": .string(ifNoneMatch.string)]
    }
}
