import CofferJSON
public import CofferModel

/// What the host knows of a plugin: `GET /v1/plugins`.
public struct PluginInfo: Sendable, Hashable {
    /// An option that storages on this backend may set.
    public struct Option: Sendable, Hashable {
        /// Its name in YAML.
        public var name: String
        /// The kind of value it takes: `string`, `size`, `duration` and so on.
        public var type: String
        /// Whether a storage must set it.
        public var isRequired: Bool
        /// Whether its value is never shown.
        public var isSecret: Bool
        /// What holds where nobody sets it.
        public var defaultValue: String?
        /// What it does.
        public var summary: String

        /// Creates an option.
        public init(
            name: String,
            type: String,
            isRequired: Bool = false,
            isSecret: Bool = false,
            defaultValue: String? = nil,
            summary: String = ""
        ) {
            self.name = name
            self.type = type
            self.isRequired = isRequired
            self.isSecret = isSecret
            self.defaultValue = defaultValue
            self.summary = summary
        }
    }

    /// The backend's id.
    public var id: String
    /// The plugin's own version.
    public var version: String?
    /// The version of the ABI it was built for.
    public var abi: String?
    /// Its licence, as an SPDX expression.
    public var licence: String?
    /// What it is for.
    public var summary: String?
    /// The library.
    public var path: String?
    /// What declared it: a manifest's path, or the configuration.
    public var source: String?
    /// `in_process` or `process`.
    public var isolation: String?
    /// `found`, `loaded` or `failed`.
    public var state: String
    /// Why it cannot be used.
    public var failure: CofferError?
    /// What storages may set; empty before it was loaded.
    public var options: [Option]

    /// Creates a description.
    public init(
        id: String,
        version: String? = nil,
        abi: String? = nil,
        licence: String? = nil,
        summary: String? = nil,
        path: String? = nil,
        source: String? = nil,
        isolation: String? = nil,
        state: String,
        failure: CofferError? = nil,
        options: [Option] = []
    ) {
        self.id = id
        self.version = version
        self.abi = abi
        self.licence = licence
        self.summary = summary
        self.path = path
        self.source = source
        self.isolation = isolation
        self.state = state
        self.failure = failure
        self.options = options
    }
}

extension PluginInfo {
    /// The answer of `GET /v1/plugins`: `{plugins}`.
    package static func encode(_ plugins: [PluginInfo]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.name("plugins")
            $0.array {
                for plugin in plugins { plugin.write(to: &$0) }
            }
        }
        return writer.bytes
    }

    /// Reads the answer.
    package static func parse(_ bytes: [UInt8]) throws(CofferError) -> [PluginInfo] {
        var plugins: [PluginInfo] = []
        for body in try BodyReader(parsing: bytes).objects("plugins") { plugins.append(try PluginInfo(body)) }
        return plugins
    }

    private func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("id", id)
            $0.member("version", version)
            $0.member("abi", abi)
            $0.member("licence", licence)
            $0.member("description", summary)
            $0.member("path", path)
            $0.member("source", source)
            $0.member("isolation", isolation)
            $0.member("state", state)
            $0.name("problem")
            if let failure { Problem.write(failure, to: &$0) } else { $0.null() }
            $0.name("options")
            $0.array {
                for option in options {
                    $0.object {
                        $0.member("name", option.name)
                        $0.member("type", option.type)
                        $0.member("required", option.isRequired)
                        $0.member("secret", option.isSecret)
                        $0.member("default", option.defaultValue)
                        $0.member("description", option.summary)
                    }
                }
            }
        }
    }

    private init(_ body: BodyReader) throws(CofferError) {
        var options: [Option] = []
        for option in try body.objects("options") {
            options.append(
                Option(
                    name: try option.string("name"),
                    type: try option.string("type"),
                    isRequired: try option.optionalBool("required") ?? false,
                    isSecret: try option.optionalBool("secret") ?? false,
                    defaultValue: try option.optionalString("default"),
                    summary: try option.optionalString("description") ?? ""
                )
            )
        }
        self.init(
            id: try body.string("id"),
            version: try body.optionalString("version"),
            abi: try body.optionalString("abi"),
            licence: try body.optionalString("licence"),
            summary: try body.optionalString("description"),
            path: try body.optionalString("path"),
            source: try body.optionalString("source"),
            isolation: try body.optionalString("isolation"),
            state: try body.string("state"),
            failure: body.value("problem").map { Problem.decode($0) },
            options: options
        )
    }
}
