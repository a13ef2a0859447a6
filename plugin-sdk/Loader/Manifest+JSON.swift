public import CofferJSON

extension Manifest {
    /// Reads a manifest's text; `path` is what an error names.
    ///
    /// A member that it does not know is an error: a mistyped `sha256` must not mean "no digest".
    ///
    /// - Throws: ``LoadError``.
    public init(parsing bytes: [UInt8], path: String) throws(LoadError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw LoadError("\(path):\(error.line):\(error.column)", .manifest, error.reason)
        }
        guard let object = value.objectValue else { throw LoadError(path, .manifest, "it is no JSON object") }
        var reader = MemberReader(object, path: path, place: "")
        let version = try reader.integer("manifest_version")
        guard version == 1 else {
            throw LoadError(path, .manifest, "its manifest_version is \(version.map(String.init) ?? "missing"), not 1")
        }
        var description = PluginDescription(
            id: try reader.required("id"),
            version: try reader.required("version"),
            abi: try reader.required("abi")
        )
        guard PluginDescription.isValidID(description.id) else {
            throw LoadError(path, .manifest, "its id \"\(description.id)\" is not [a-z][a-z0-9-]{0,31}")
        }
        description.name = try reader.text("name") ?? ""
        description.license = try reader.text("license") ?? ""
        description.summary = try reader.text("description") ?? ""
        description.homepage = try reader.text("homepage") ?? ""
        guard let capabilities = CapabilityBits(words: try reader.words("capabilities") ?? []) else {
            throw LoadError(path, .manifest, "it names an unknown capability")
        }
        description.capabilities = capabilities
        for (index, value) in (try reader.array("options") ?? []).enumerated() {
            let place = "options[\(index)]."
            guard let object = value.objectValue else {
                throw LoadError(path, .manifest, "options[\(index)] is no object")
            }
            var members = MemberReader(object, path: path, place: place)
            description.options.append(try PluginOption(&members))
            try members.finish()
        }
        if let problem = description.optionProblem { throw LoadError(path, .manifest, problem) }
        let libraries = try reader.texts("library") ?? [:]
        guard !libraries.isEmpty else { throw LoadError(path, .manifest, "it names no library") }
        let word = try reader.text("isolation") ?? Isolation.inProcess.rawValue
        guard let isolation = Isolation(rawValue: word) else {
            throw LoadError(path, .manifest, "its isolation is \"\(word)\", not in_process or process")
        }
        description.wantsProcess = isolation == .process
        self.init(
            description,
            libraries: libraries,
            digests: try reader.texts("sha256") ?? [:],
            isolation: isolation
        )
        try reader.finish()
    }

    /// The manifest as text.
    public var json: [UInt8] {
        var members: [(String, JSONValue)] = [
            ("manifest_version", 1), ("id", .string(description.id)), ("version", .string(description.version)),
            ("abi", .string(description.abi)),
        ]
        let texts = [
            ("name", description.name), ("license", description.license), ("description", description.summary),
            ("homepage", description.homepage),
        ]
        members += texts.filter { !$0.1.isEmpty }.map { ($0.0, .string($0.1)) }
        members.append(("library", object(libraries)))
        if !digests.isEmpty { members.append(("sha256", object(digests))) }
        members.append(("isolation", .string(isolation.rawValue)))
        members.append(("options", .array(description.options.map(\.json))))
        members.append(("capabilities", .array(description.capabilities.words.map(JSONValue.string))))
        return JSONValue.object(JSONObject(members.map { JSONObject.Member(name: $0.0, value: $0.1) }))
            .bytes(isIndented: true)
    }

    private func object(_ texts: [String: String]) -> JSONValue {
        .object(
            JSONObject(
                texts.sorted { $0.key < $1.key }.map { JSONObject.Member(name: $0.key, value: .string($0.value)) }
            )
        )
    }
}

extension PluginOption {
    fileprivate init(_ members: inout MemberReader) throws(LoadError) {
        let word = try members.required("type")
        guard let kind = Kind(rawValue: word) else { throw members.wrong("type", "is \"\(word)\", which is unknown") }
        self.init(try members.required("name"), kind)
        isRequired = try members.truth("required") ?? false
        isSecret = try members.truth("secret") ?? false
        isLive = try members.truth("live") ?? false
        defaultValue = try members.text("default")
        choices = try members.words("choices") ?? []
        documentation = try members.text("doc") ?? ""
        minimum = try members.integer("min") ?? 0
        maximum = try members.integer("max") ?? 0
        deprecatedAlias = try members.text("deprecated_alias")
    }

    /// The option as manifests and answers show it; it has no value, and so no secret.
    public var json: JSONValue {
        var members: [(String, JSONValue)] = [("name", .string(name)), ("type", .string(kind.rawValue))]
        if isRequired { members.append(("required", true)) }
        if isSecret { members.append(("secret", true)) }
        if isLive { members.append(("live", true)) }
        if let defaultValue { members.append(("default", .string(defaultValue))) }
        if !choices.isEmpty { members.append(("choices", .array(choices.map(JSONValue.string)))) }
        if !documentation.isEmpty { members.append(("doc", .string(documentation))) }
        if minimum != 0 || maximum != 0 {
            members.append(("min", .integer(minimum)))
            members.append(("max", .integer(maximum)))
        }
        if let deprecatedAlias { members.append(("deprecated_alias", .string(deprecatedAlias))) }
        return .object(JSONObject(members.map { JSONObject.Member(name: $0.0, value: $0.1) }))
    }
}

/// Takes the members out of an object one by one, so that what is left over can be refused.
private struct MemberReader {
    private var object: JSONObject
    private let path: String
    private let place: String

    init(_ object: JSONObject, path: String, place: String) {
        self.object = object
        self.path = path
        self.place = place
    }

    func wrong(_ name: String, _ reason: String) -> LoadError {
        LoadError(path, .manifest, "\(place)\(name) \(reason)")
    }

    /// The value of `name` as `read` sees it; nil where there is none.
    private mutating func take<T>(
        _ name: String,
        _ kind: String,
        _ read: (JSONValue) -> T?
    ) throws(LoadError) -> T? {
        guard let value = object[name] else { return nil }
        object[name] = nil
        guard let result = read(value) else { throw wrong(name, "is \(value.kind), not \(kind)") }
        return result
    }

    mutating func text(_ name: String) throws(LoadError) -> String? { try take(name, "a string", \.stringValue) }
    mutating func integer(_ name: String) throws(LoadError) -> Int64? {
        try take(name, "a whole number", \.integerValue)
    }
    mutating func truth(_ name: String) throws(LoadError) -> Bool? { try take(name, "true or false", \.boolValue) }
    mutating func array(_ name: String) throws(LoadError) -> [JSONValue]? { try take(name, "an array", \.arrayValue) }

    mutating func required(_ name: String) throws(LoadError) -> String {
        guard let text = try text(name) else { throw wrong(name, "is missing") }
        return text
    }

    mutating func words(_ name: String) throws(LoadError) -> [String]? {
        try take(name, "an array of strings") { value in
            guard let elements = value.arrayValue else { return nil }
            let words = elements.compactMap(\.stringValue)
            return words.count == elements.count ? words : nil
        }
    }

    mutating func texts(_ name: String) throws(LoadError) -> [String: String]? {
        try take(name, "an object of strings") { value in
            guard let members = value.objectValue else { return nil }
            var texts: [String: String] = [:]
            for member in members {
                guard let text = member.value.stringValue else { return nil }
                texts[member.name] = text
            }
            return texts
        }
    }

    /// Refuses what nobody took.
    func finish() throws(LoadError) {
        if let member = object.members.first { throw wrong(member.name, "is not a member of a manifest") }
    }
}
