// The backend `fault`: the store in memory, with a seeded plan of failures.

public import CCofferPlugin
import CofferPluginSDK
import MemoryStore

/// The backend `fault`: what goes wrong with real stores, on demand and the same each time.
final class FaultBackend: StorageBackend {
    static let description = PluginDescription(
        id: "fault",
        version: "1.0.0",
        name: "Fault",
        licence: "Apache-2.0",
        description: "Objects in memory behind a seeded plan of failures, for tests.",
        capabilities: MemoryStore.native.subtracting(.resume),  // No plan has faults for uploads in parts.
        options: [
            MemoryStore.sizeOption,
            OptionDescription("seed", .integer, "What the random numbers of the plan start from.", default: "0"),
            OptionDescription(
                "plan",
                .list,
                "Rules: OPERATION KIND [NAME=VALUE ...]; the first that picks a call wins."
            ),
            OptionDescription("latency", .duration, "How long each call takes at least.", default: "0"),
            OptionDescription("grades", .list, "Capabilities that the store shall not have."),
            OptionDescription("unproven", .list, "Conditions on changes that the store takes and nobody vouches for."),
            OptionDescription("ignores", .list, "Conditions on changes that the store drops without a word."),
            OptionDescription("no_emulation", .list, "Capabilities that the host must not emulate."),
        ]
    )

    let traits: Traits
    private let store: MemoryStore
    private let faults: FaultInjector
    private let ignored: Capabilities
    private let shuffleSeed: UInt64

    init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {
        store = MemoryStore(capacity: try options.size("size") ?? 0)
        let seed = UInt64(bitPattern: try options.integer("seed") ?? 0)
        shuffleSeed = seed
        faults = FaultInjector(
            plan: try FaultPlan(try options.list("plan"), seed: seed),
            latency: nanoseconds(milliseconds: try options.milliseconds("latency") ?? 0)
        )
        var traits = store.traits
        traits.native.formIntersection(Self.description.capabilities)
        traits.native.subtract(try CapabilityWords.read(try options.list("grades"), option: "grades"))
        traits.unproven = try CapabilityWords.read(conditions: try options.list("unproven"), option: "unproven")
        traits.native.subtract(traits.unproven)
        ignored = try CapabilityWords.read(conditions: try options.list("ignores"), option: "ignores")
        traits.noEmulation = try CapabilityWords.read(try options.list("no_emulation"), option: "no_emulation")
        self.traits = traits
    }

    func health(call: Call) throws(BackendError) -> Properties {
        try faults.around(.health, nil, call) { () throws(BackendError) in Properties() }
    }

    func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry {
        try faults.around(.stat, request.key, call) { () throws(BackendError) in shown(try store.stat(request)) }
    }

    func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        var answer = try faults.around(.readOpen, request.key, call) { () throws(BackendError) in
            try store.openRead(request)
        } discarding: {
            $0.discard()
        }
        answer.entry = shown(answer.entry)
        if case .stream(let stream) = answer.body {
            let source: any ReadStream =
                traits.native.contains(.readPinned)
                ? stream : UnpinnedReadStream(request.key, answer.range, in: store)
            answer.body = .stream(FaultReadStream(source, of: request.key, faults))
        }
        return answer
    }

    func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        var request = request
        if ignored.contains(.createIfAbsent) { request.conditions.ifNoneMatch = .empty }
        if ignored.contains(.ifMatch) { request.conditions.ifMatch = .empty }
        let stream = try faults.around(.writeBegin, request.key, call) { () throws(BackendError) in
            try store.beginWrite(request)
        } discarding: {
            $0.close()
        }
        return FaultWriteStream(stream, of: request.key, faults, keepsChecksums: traits.native.contains(.checksum))
    }

    func remove(_ request: RemoveRequest, call: Call) throws(BackendError) {
        var request = request
        if ignored.contains(.removeIfMatch) { request.ifMatch = .empty }
        try faults.around(.remove, request.key, call) { () throws(BackendError) in try store.remove(request) }
    }

    func removeBatch(_ requests: [RemoveRequest], results: BatchResults, call: Call) throws(BackendError) {
        var requests = requests
        if ignored.contains(.removeIfMatch) {
            for index in requests.indices { requests[index].ifMatch = .empty }
        }
        // A batch is reported once, whatever happens: done twice would be reported twice.
        try faults.around(.removeBatch, requests.first?.key, call, isRepeatable: false) { () throws(BackendError) in
            try store.removeBatch(requests, results: results, call: call)
        }
    }

    func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        let stream = try faults.around(.listOpen, request.prefix, call) { () throws(BackendError) -> any ListStream in
            guard traits.native.contains(.listSorted) else {
                return ShuffledListStream(store.listAll(request), seed: shuffleSeed)
            }
            return store.openList(request)
        } discarding: {
            $0.close()
        }
        return FaultListStream(stream, of: request.prefix, faults)
    }

    func copy(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry {
        let request = sent(request)
        return try faults.around(.copy, request.from, call) { () throws(BackendError) in
            shown(try store.copy(request))
        }
    }

    func move(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry {
        let request = sent(request)
        return try faults.around(.move, request.from, call) { () throws(BackendError) in
            shown(try store.move(request))
        }
    }

    func usage(call: Call) throws(BackendError) -> Usage {
        try faults.around(.usage, nil, call) { () throws(BackendError) in store.usage() }
    }

    /// A copy without the conditions that this store ignores.
    private func sent(_ request: CopyRequest) -> CopyRequest {
        guard ignored.contains(.copyCondition) else { return request }
        var request = request
        request.conditions = Conditions()
        request.sourceIfMatch = .empty
        return request
    }

    /// An entry without what this store shall not keep.
    private func shown(_ entry: Entry) -> Entry {
        guard !traits.native.contains(.checksum) else { return entry }
        var entry = entry
        entry.checksums = []
        return entry
    }
}

/// The one exported symbol.
@c @implementation
public func coffer_backend_entry_v1(
    _ host: UnsafePointer<coffer_host>?,
    _ error: UnsafeMutablePointer<coffer_error>?
) -> UnsafePointer<coffer_plugin>? {
    exportBackend(FaultBackend.self, host, error)
}
