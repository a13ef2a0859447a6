import CofferBackend
import CofferModel
import CofferPluginHost
import CofferProfile
import CofferService
import CofferSystem

/// Makes generations of configurations: opens what is not open yet, and shares what is.
struct GenerationBuilder: Sendable {
    let plugins: Plugins
    let pool = InstancePool()
    let log: Log

    init(plugins: Plugins, log: Log) {
        self.plugins = plugins
        self.log = log
    }

    /// The generation of `configuration`; a storage that cannot be opened is in it as failed.
    ///
    /// What probes have proven of a storage of `previous` holds on, as long as it is opened with the same settings.
    func build(
        _ configuration: Configuration,
        number: Int,
        after previous: (configuration: Configuration, generation: Generation)? = nil
    ) -> Generation {
        let generation = Generation(
            number: number,
            profile: configuration.activeProfile ?? "",
            decidedBy: configuration.decidedBy.description,
            createdAt: Timestamp(nanoseconds: WallClock.nanoseconds),
            storages: configuration.storages.map { resolved in
                let isDefault = configuration.defaultStorage.map { $0.utf8.elementsEqual(resolved.name.utf8) } ?? false
                var proven: [Capability] = []
                if let previous, previous.configuration.storage(resolved.name)?.opensLike(resolved) == true,
                    let old = try? previous.generation.storage(resolved.name)  // One that is gone has proven nothing.
                {
                    proven = old.provenConditions
                }
                return storage(
                    resolved,
                    isDefault: isDefault,
                    isEphemeral: false,
                    generation: number,
                    proven: proven
                )
            }
        )
        OwnContainers.make(for: generation.storages, log: log)
        return generation
    }

    /// One storage.
    func storage(
        _ resolved: ResolvedStorage,
        isDefault: Bool,
        isEphemeral: Bool,
        generation: Int,
        proven: [Capability] = []
    ) -> Storage {
        let (pool, registry) = (pool, plugins.registry)
        let policy: StoragePolicy
        do throws(CofferError) {
            policy = try StoragePolicy(resolved.settings)
        } catch {
            // The resolver lets no such words pass; a storage that cannot be understood stays closed.
            return Storage(
                name: resolved.name,
                backendID: resolved.backend,
                isDefault: isDefault,
                generation: generation,
                opener: { (_) throws(CofferError) in throw error }
            )
        }
        let storage = Storage(
            name: resolved.name,
            backendID: resolved.backend,
            isDefault: isDefault,
            isEphemeral: isEphemeral,
            generation: generation,
            policy: policy,
            container: resolved.ownContainer,
            proven: proven,
            closer: { work in Self.inBackground(work) },
            opener: { (emulation) throws(CofferError) in
                try pool.instance(InstancePool.Identity(resolved, registry, emulation)) { () throws(CofferError) in
                    EmulatedBackend(try Self.open(resolved, registry), emulation)
                }
            }
        )
        if case .failed(let error) = storage.state {
            log.error("storage \(resolved.name) is not open: \(error.message)")
        }
        return storage
    }

    private static func open(
        _ resolved: ResolvedStorage,
        _ registry: PluginRegistry
    ) throws(CofferError) -> any Backend {
        let live = Dictionary(
            resolved.options.compactMap { option in option.live.map { (option.name, $0) } },
            uniquingKeysWith: { first, _ in first }
        )
        return try registry.open(
            resolved.backend,
            storageName: resolved.name,
            options: resolved.options.map { ($0.name, $0.value.unmasked) },
            // A value that cannot be read now is one that the plugin does not get: it keeps the old one.
            liveOption: { name in live[name].flatMap { try? $0.read(from: ConfigurationLoader.sources) } },
            call: Call(stepTimeout: resolved.settings.timeout > 0 ? resolved.settings.timeout * 1_000_000 : nil)
        )
    }

    /// Closing a store may take a second, and whoever lets go of it last has better things to do.
    private static func inBackground(_ work: @escaping @Sendable () -> Void) {
        if (try? Thread.start(named: "close", work)) == nil { work() }
    }
}

extension ResolvedStorage {
    /// The container to make if it is missing: a convention of the options `create` and `container`.
    ///
    /// A plugin whose store has containers declares both; without `container`, the storage's name is the container's.
    fileprivate var ownContainer: String? {
        func value(_ name: String) -> String? {
            options.first { $0.name.utf8.elementsEqual(name.utf8) }?.value.unmasked
        }
        guard value("create") == "true" else { return nil }
        return value("container").flatMap { $0.isEmpty ? nil : $0 } ?? name
    }
}

extension InstancePool.Identity {
    /// What `resolved` is opened with.
    fileprivate init(_ resolved: ResolvedStorage, _ registry: PluginRegistry, _ emulation: EmulationOptions) {
        self.init(
            storage: resolved.name,
            backend: resolved.backend,
            library: registry.libraryPath(of: resolved.backend) ?? "",
            options: Dictionary(resolved.options.map { ($0.name, $0.value.unmasked) }, uniquingKeysWith: { $1 }),
            isExclusiveWriter: emulation.isExclusiveWriter,
            refusesConditions: emulation.refusesConditions
        )
    }
}
