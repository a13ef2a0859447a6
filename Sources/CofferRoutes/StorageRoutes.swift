import CofferAPI
import CofferBackend
import CofferHTTP
import CofferModel
import CofferService
import CofferSystem

/// `/v1/storages` and `/v1/storages/{storage}`: what there is, in which state, made and dropped at run time.
extension Exchange {
    func listStorages() throws(CofferError) -> HTTPResponse {
        var seen: [StorageInfo] = []
        for storage in generation.storages where (try? check(.download, storage: storage.name)) != nil {
            seen.append(StorageInfo(storage.description))
        }
        return .json(StorageList(storages: seen, generation: Int64(generation.number)).encode())
    }

    func getStorage(_ name: String, isProbing: Bool) throws(CofferError) -> HTTPResponse {
        let storage = try storage(name, for: .download)
        if isProbing {
            try check(.manage, storage: name)
            for finding in try storage.probe(call) where !finding.isProven {
                host.log("storage \(name): \(finding.capability.rawValue) is not proven: \(finding.detail)")
            }
        }
        return .json(StorageInfo(storage.description).encode())
    }

    func makeStorage(_ name: String) throws(CofferError) -> HTTPReply {
        try check(.manage)
        return .receive(
            JSONBody { [self] (bytes) throws(CofferError) in
                let storage = try host.makeStorage(name, try EphemeralStorageBody(parsing: bytes))
                return .json(StorageInfo(storage.description).encode(), status: 201)
            }
        )
    }

    func dropStorage(_ name: String) throws(CofferError) -> HTTPResponse {
        try check(.manage)
        try host.generations.drop(name)
        return HTTPResponse(status: 204)
    }

    func checkStorage(_ name: String) throws(CofferError) -> HTTPResponse {
        let storage = try storage(name, for: .download)
        let start = MonotonicTime.now
        let details = try storage.health(call).map { StorageInfo.Setting($0.name, $0.value) }
        let milliseconds = (MonotonicTime.now.nanoseconds - start.nanoseconds) / 1_000_000
        return .json(StorageHealth(storage: name, details: details, milliseconds: milliseconds).encode())
    }

    func url(_ name: String, _ key: Key) throws(CofferError) -> HTTPResponse {
        let storage = try storage(name, for: .download, text: key.text)
        return .json(URLAnswer.encode(try storage.url(key, call)))
    }
}

extension StorageInfo {
    /// A storage as answers tell it.
    init(_ storage: StorageDescription) {
        var failure: CofferError?
        if case .failed(let error) = storage.state { failure = error }
        self.init(
            name: storage.name,
            backend: storage.backend,
            isDefault: storage.isDefault,
            isEphemeral: storage.isEphemeral,
            failure: failure,
            warning: storage.warning,
            url: storage.policy.url,
            capabilities: storage.capabilities,
            limits: storage.limits,
            policy: StorageInfo.settings(of: storage.policy),
            probe: storage.findings?.map {
                ProbeResult(capability: $0.capability.rawValue, verdict: $0.verdict.rawValue, detail: $0.detail)
            },
            generation: Int64(storage.generation)
        )
    }

    /// What the operator decided, in the words of the configuration.
    private static func settings(of policy: StoragePolicy) -> [Setting] {
        var settings = [
            Setting("accept", text(policy.accept)),
            Setting("deny", text(policy.deny)),
            Setting("on_conflict", policy.onConflict.rawValue),
            Setting("read_only", String(policy.isReadOnly)),
            Setting("checksum", policy.checksum?.rawValue ?? "none"),
            Setting("atomic", policy.atomic.rawValue),
            Setting("writers", policy.writers.rawValue),
            Setting("conditions", policy.conditions.rawValue),
        ]
        if let size = policy.maxSize { settings.append(Setting("max_size", String(size))) }
        if let timeout = policy.stepTimeout { settings.append(Setting("timeout", "\(timeout / 1_000_000)ms")) }
        settings.append(Setting("max_link_ttl", "\(policy.linkLimit)s"))
        if let concurrency = policy.concurrency { settings.append(Setting("concurrency", String(concurrency))) }
        return settings
    }

    private static func text(_ rule: FileTypeRule) -> String {
        (rule.isAllExcept ? "all except " : "") + rule.items.joined(separator: " ")
    }
}
