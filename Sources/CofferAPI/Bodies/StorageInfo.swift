package import CofferJSON
public import CofferModel

/// What the host tells of a storage.
public struct StorageInfo: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// The backend's id.
    public var backend: String
    /// Whether a bare key means this storage.
    public var isDefault: Bool
    /// Whether it was made at run time and goes with the host.
    public var isEphemeral: Bool
    /// Why it cannot be used; nil where it can.
    public var failure: CofferError?
    /// What does not work although the storage can be used; nil where all is well.
    public var warning: CofferError?
    /// The base of its objects' public URLs.
    public var url: String?
    /// What it can do, and how well.
    public var capabilities: Capabilities
    /// Its store's limits.
    public var limits: StoreLimits
    /// Facts of its policy worth showing, like `max_size`.
    public var policy: [Setting]
    /// What the last probe found; nil before the first.
    public var probe: [ProbeResult]?
    /// The generation of the configuration it belongs to.
    public var generation: Int64

    /// What a probe found of one capability.
    public struct ProbeResult: Sendable, Hashable {
        /// The capability's word.
        public var capability: String
        /// What the store makes of it: `kept`, `ignored`, or `unknown` where nobody could tell.
        public var verdict: String
        /// What was seen.
        public var detail: String

        /// Creates a finding.
        public init(capability: String, verdict: String, detail: String) {
            self.capability = capability
            self.verdict = verdict
            self.detail = detail
        }
    }

    /// A name and a value to show.
    public struct Setting: Sendable, Hashable {
        /// The name, as in YAML.
        public var name: String
        /// The value.
        public var value: String

        /// Pairs a name with a value.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Creates a description.
    public init(
        name: String,
        backend: String,
        isDefault: Bool = false,
        isEphemeral: Bool = false,
        failure: CofferError? = nil,
        warning: CofferError? = nil,
        url: String? = nil,
        capabilities: Capabilities = Capabilities(),
        limits: StoreLimits = StoreLimits(),
        policy: [Setting] = [],
        probe: [ProbeResult]? = nil,
        generation: Int64
    ) {
        self.name = name
        self.backend = backend
        self.isDefault = isDefault
        self.isEphemeral = isEphemeral
        self.failure = failure
        self.warning = warning
        self.url = url
        self.capabilities = capabilities
        self.limits = limits
        self.policy = policy
        self.probe = probe
        self.generation = generation
    }

    /// Whether it can be used: `open` or `failed`.
    public var state: String { failure == nil ? "open" : "failed" }
}

extension StorageInfo {
    /// The description as a JSON document.
    package func encode() -> [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// Writes the description as one JSON value.
    package func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("name", name)
            $0.member("backend", backend)
            $0.member("default", isDefault)
            $0.member("ephemeral", isEphemeral)
            $0.member("state", state)
            $0.name("problem")
            if let failure { Problem.write(failure, to: &$0) } else { $0.null() }
            $0.name("warning")
            if let warning { Problem.write(warning, to: &$0) } else { $0.null() }
            $0.member("url", url)
            $0.name("capabilities")
            $0.object {
                for capability in Capability.allCases {
                    let entry = capabilities[capability]
                    $0.name(capability.rawValue)
                    $0.object {
                        $0.member("grade", entry.grade.rawValue)
                        $0.member("reason", entry.reason)
                    }
                }
            }
            $0.name("facts")
            $0.array {
                for fact in StoreFact.allCases where capabilities.facts.contains(fact) { $0.value(fact.rawValue) }
            }
            $0.name("limits")
            $0.object {
                for limit in Self.limitMembers { $0.member(limit.name, limits[keyPath: limit.path]) }
            }
            $0.name("policy")
            $0.object {
                for setting in policy { $0.member(setting.name, setting.value) }
            }
            $0.name("probe")
            if let probe { Self.write(probe, to: &$0) } else { $0.null() }
            $0.member("generation", generation)
        }
    }

    private static func write(_ probe: [ProbeResult], to writer: inout JSONWriter) {
        writer.array {
            for result in probe {
                $0.object {
                    $0.member("capability", result.capability)
                    $0.member("verdict", result.verdict)
                    $0.member("detail", result.detail)
                }
            }
        }
    }

    private static func readProbe(_ body: BodyReader) throws(CofferError) -> [ProbeResult]? {
        guard body.value("probe") != nil else { return nil }
        var results: [ProbeResult] = []
        for item in try body.objects("probe") {
            results.append(
                ProbeResult(
                    capability: try item.string("capability"),
                    verdict: try item.string("verdict"),
                    detail: try item.optionalString("detail") ?? ""
                )
            )
        }
        return results
    }

    /// Reads a description.
    package init(_ body: BodyReader) throws(CofferError) {
        var capabilities = Capabilities()
        if let table = try body.optionalObject("capabilities") {
            // A newer host may know more of both than we do.
            for capability in Capability.allCases {
                guard let entry = try table.optionalObject(capability.rawValue) else { continue }
                let grade = Grade(rawValue: try entry.string("grade")) ?? .none
                capabilities[capability] = Capabilities.Entry(grade, reason: try entry.optionalString("reason"))
            }
        }
        capabilities.facts = Set(try body.strings("facts").compactMap { StoreFact(rawValue: $0) })
        var limits = StoreLimits()
        if let table = try body.optionalObject("limits") {
            for limit in Self.limitMembers { limits[keyPath: limit.path] = try table.optionalInteger(limit.name) }
        }
        self.init(
            name: try body.string("name"),
            backend: try body.string("backend"),
            isDefault: try body.optionalBool("default") ?? false,
            isEphemeral: try body.optionalBool("ephemeral") ?? false,
            failure: body.value("problem").map { Problem.decode($0) },
            warning: body.value("warning").map { Problem.decode($0) },
            url: try body.optionalString("url"),
            capabilities: capabilities,
            limits: limits,
            policy: try body.stringPairs("policy").map { Setting($0.name, $0.value) },
            probe: try Self.readProbe(body),
            generation: try body.optionalInteger("generation") ?? 0
        )
    }

    /// Reads the document that ``encode()`` writes.
    package init(parsing bytes: [UInt8]) throws(CofferError) { try self.init(BodyReader(parsing: bytes)) }

    private static var limitMembers: [(name: String, path: WritableKeyPath<StoreLimits, Int64?>)] {
        [
            ("object_size", \.objectSize), ("key_length", \.keyLength), ("list_page", \.listPage), ("batch", \.batch),
            ("presign_seconds", \.presignSeconds), ("metadata_size", \.metadataSize),
        ]
    }
}

/// All storages, as `GET /v1/storages` answers: `{storages, default, generation}`.
public struct StorageList: Sendable, Hashable {
    /// In the order of the configuration.
    public var storages: [StorageInfo]
    /// The generation of the configuration.
    public var generation: Int64

    /// Creates a list.
    public init(storages: [StorageInfo], generation: Int64) {
        self.storages = storages
        self.generation = generation
    }

    /// The storage that a bare key means.
    public var defaultStorage: StorageInfo? { storages.first { $0.isDefault } }

    /// The list as a JSON document.
    package func encode() -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.name("storages")
            $0.array {
                for storage in storages { storage.write(to: &$0) }
            }
            $0.member("default", defaultStorage?.name)
            $0.member("generation", generation)
        }
        return writer.bytes
    }

    /// Reads the document that ``encode()`` writes.
    package init(parsing bytes: [UInt8]) throws(CofferError) {
        let body = try BodyReader(parsing: bytes)
        var storages: [StorageInfo] = []
        for reader in try body.objects("storages") { storages.append(try StorageInfo(reader)) }
        self.init(storages: storages, generation: try body.optionalInteger("generation") ?? 0)
    }
}
