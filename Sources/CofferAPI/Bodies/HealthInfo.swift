import CofferJSON
public import CofferModel

/// Whether the host lives, and how its storages are: `GET /v1/health`.
public struct HealthInfo: Sendable, Hashable {
    /// One storage's state.
    public struct StorageState: Sendable, Hashable {
        /// The storage's name.
        public var name: String
        /// The backend's id.
        public var backend: String
        /// Why it cannot be used; nil where it can.
        public var failure: CofferError?
        /// What does not work although it can be used; nil where all is well.
        public var warning: CofferError?

        /// Creates a state.
        public init(name: String, backend: String, failure: CofferError? = nil, warning: CofferError? = nil) {
            self.name = name
            self.backend = backend
            self.failure = failure
            self.warning = warning
        }
    }

    /// In the order of the configuration.
    public var storages: [StorageState]
    /// The active profile.
    public var profile: String?
    /// The generation of the configuration.
    public var generation: Int64

    /// Creates a report.
    public init(storages: [StorageState], profile: String? = nil, generation: Int64) {
        self.storages = storages
        self.profile = profile
        self.generation = generation
    }

    /// `ok`, or `degraded` where a storage has failed or is not well.
    public var status: String {
        storages.allSatisfy { $0.failure == nil && $0.warning == nil } ? "ok" : "degraded"
    }

    /// The report as a JSON document.
    package func encode() -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("status", status)
            $0.member("profile", profile)
            $0.member("generation", generation)
            $0.name("storages")
            $0.array {
                for storage in storages {
                    $0.object {
                        $0.member("name", storage.name)
                        $0.member("backend", storage.backend)
                        $0.member("state", storage.failure == nil ? "open" : "failed")
                        $0.name("problem")
                        if let failure = storage.failure { Problem.write(failure, to: &$0) } else { $0.null() }
                        $0.name("warning")
                        if let warning = storage.warning { Problem.write(warning, to: &$0) } else { $0.null() }
                    }
                }
            }
        }
        return writer.bytes
    }

    /// Reads the document that ``encode()`` writes.
    package init(parsing bytes: [UInt8]) throws(CofferError) {
        let body = try BodyReader(parsing: bytes)
        var storages: [StorageState] = []
        for reader in try body.objects("storages") {
            storages.append(
                StorageState(
                    name: try reader.string("name"),
                    backend: try reader.string("backend"),
                    failure: reader.value("problem").map { Problem.decode($0) },
                    warning: reader.value("warning").map { Problem.decode($0) }
                )
            )
        }
        self.init(
            storages: storages,
            profile: try body.optionalString("profile"),
            generation: try body.optionalInteger("generation") ?? 0
        )
    }
}

/// What a test of one storage's connection found: `GET /v1/storages/{storage}/health`.
public struct StorageHealth: Sendable, Hashable {
    /// The storage's name.
    public var storage: String
    /// What the store told of itself.
    public var details: [StorageInfo.Setting]
    /// How long it took, in milliseconds.
    public var milliseconds: Int64

    /// Creates a report.
    public init(storage: String, details: [StorageInfo.Setting], milliseconds: Int64) {
        self.storage = storage
        self.details = details
        self.milliseconds = milliseconds
    }

    /// The report as a JSON document; a store that failed is answered with a problem instead.
    package func encode() -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("storage", storage)
            $0.member("status", "ok")
            $0.member("milliseconds", milliseconds)
            $0.name("details")
            $0.object {
                for detail in details { $0.member(detail.name, detail.value) }
            }
        }
        return writer.bytes
    }

    /// Reads the document that ``encode()`` writes.
    package init(parsing bytes: [UInt8]) throws(CofferError) {
        let body = try BodyReader(parsing: bytes)
        self.init(
            storage: try body.string("storage"),
            details: try body.stringPairs("details").map { StorageInfo.Setting($0.name, $0.value) },
            milliseconds: try body.optionalInteger("milliseconds") ?? 0
        )
    }
}

/// The versions of host, API and ABI: `GET /v1/version`.
public struct VersionInfo: Sendable, Hashable {
    /// Of the host.
    public var version: String
    /// Of this contract: `v1`.
    public var api: String
    /// Of the plugin ABI that the host was built with.
    public var abi: String

    /// Creates an answer.
    public init(version: String, api: String = "v1", abi: String) {
        self.version = version
        self.api = api
        self.abi = abi
    }

    /// The versions as a JSON document.
    package func encode() -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("version", version)
            $0.member("api", api)
            $0.member("abi", abi)
        }
        return writer.bytes
    }

    /// Reads the document that ``encode()`` writes.
    package init(parsing bytes: [UInt8]) throws(CofferError) {
        let body = try BodyReader(parsing: bytes)
        self.init(
            version: try body.string("version"),
            api: try body.string("api"),
            abi: try body.string("abi")
        )
    }
}
