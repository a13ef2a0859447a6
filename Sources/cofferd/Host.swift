import CofferAPI
import CofferBackend
import CofferHTTP
import CofferModel
import CofferPluginHost
import CofferProfile
import CofferRoutes
import CofferService
import CofferSystem
import Glibc

/// The running host: the configuration it was built from, its generations, and how one becomes the next.
final class Host: HostControl {
    /// What changes with a switch.
    private struct Present {
        var configuration: Configuration
        var access: AccessPolicy
    }

    let generations: Generations
    private let shelf: Plugins
    let builder: GenerationBuilder
    private let loader: ConfigurationLoader
    private let present: Locked<Present>
    private let log: Log
    // Held for a whole switch, so that two of them follow one another.
    private let switching = Locked<Void>(())
    private let requiresHealth: Bool
    private let serverMetrics = Locked<@Sendable () -> String>({ "" })
    private let watch = Locked<FileWatch?>(nil)
    private let onSwap = Locked<@Sendable (Configuration) -> Void>({ _ in })

    /// Builds the first generation.
    init(
        loader: ConfigurationLoader,
        plugins: Plugins,
        requiresHealth: Bool,
        log: Log
    ) throws(ConfigurationError) {
        let configuration = try loader.load()
        self.loader = loader
        shelf = plugins
        self.log = log
        self.requiresHealth = requiresHealth
        builder = GenerationBuilder(plugins: plugins, log: log)
        present = Locked(Present(configuration: configuration, access: AccessPolicy(configuration, log: log)))
        generations = Generations(builder.build(configuration, number: 1))
        for warning in configuration.warnings { log.warning("\(warning)") }
    }

    /// What keeps a host that was told to require health from starting; nil where nothing does.
    var unhealthiness: CofferError? {
        guard requiresHealth else { return nil }
        for storage in generations.current.storages {
            do throws(CofferError) { try storage.checkHealth() } catch { return error }
        }
        return nil
    }

    /// The configuration of the current generation.
    var configuration: Configuration { present.withLock { $0.configuration } }

    var access: AccessPolicy { present.withLock { $0.access } }

    var version: VersionInfo { VersionInfo(version: Release.version, abi: Release.abi) }

    func log(_ message: String) { log.warning(message) }

    func plugins() -> [PluginInfo] { shelf.registry.list().map { PluginInfo($0) } }

    func profiles() -> ProfileList {
        let configuration = configuration
        return ProfileList(
            profiles: configuration.profileNames.map {
                ProfileList.Profile(name: $0, extends: configuration.extended[$0])
            },
            active: configuration.activeProfile ?? "",
            decidedBy: configuration.decidedBy.description,
            generation: Int64(generations.current.number)
        )
    }

    func activate(_ profile: String) throws(CofferError) -> ActivationResult {
        try switching.withLock { _ throws(CofferError) in
            let known = configuration.profileNames
            guard known.contains(where: { $0.utf8.elementsEqual(profile.utf8) }) else {
                throw CofferError(
                    .notFound,
                    "no such profile: \(profile); known are \(known.isEmpty ? "none" : known.joined(separator: ", "))"
                )
            }
            let result = try swap { () throws(ConfigurationError) in try loader.load(choosing: profile) }
            if let number = loader.chosen.write(profile) {
                log.error("the choice of profile \(profile) cannot be kept: \(errorText(number))")
            }
            return result
        }
    }

    func reload() throws(CofferError) -> ActivationResult {
        try switching.withLock { _ throws(CofferError) in
            try swap { () throws(ConfigurationError) in try loader.load() }
        }
    }

    /// Builds the generation of what `load` reads and makes it the current one; on any error nothing has changed.
    private func swap(
        _ load: () throws(ConfigurationError) -> Configuration
    ) throws(CofferError) -> ActivationResult {
        let configuration: Configuration
        do throws(ConfigurationError) {
            configuration = try load()
        } catch {
            throw error.summary
        }
        let generation = builder.build(
            configuration,
            number: generations.nextNumber(),
            after: (self.configuration, generations.current)
        )
        for storage in generation.storages {
            if case .failed(let error) = storage.state {
                throw CofferError(
                    error.code,
                    "\(storage.name) cannot be opened: \(error.message)",
                    storage: storage.name
                )
            }
            if requiresHealth { try storage.checkHealth() }
        }
        let access = AccessPolicy(configuration, log: log)
        present.withLock { $0 = Present(configuration: configuration, access: access) }
        generations.swap(to: generation)
        watchFiles()
        onSwap.withLock { $0 }(configuration)
        for warning in configuration.warnings { log.warning("\(warning)") }
        let profile = configuration.activeProfile ?? ""
        log.info("generation \(generation.number): \(profile.isEmpty ? "no profile" : "profile \(profile)")")
        return ActivationResult(profile: profile, generation: Int64(generation.number))
    }

    func makeStorage(_ name: String, _ body: EphemeralStorageBody) throws(CofferError) -> Storage {
        let resolved: ResolvedStorage?
        do throws(ConfigurationError) {
            resolved = try loader.resolve(ephemeral: name, body)
        } catch {
            throw error.summary
        }
        guard let resolved else { throw CofferError(.internal, "\(name) was lost on its way", storage: name) }
        let number = generations.current.number
        let storage = builder.storage(resolved, isDefault: false, isEphemeral: true, generation: number)
        if case .failed(let error) = storage.state { throw error }
        OwnContainers.make(for: [storage], log: log)
        try generations.add(storage)
        return storage
    }

    func metrics() -> String {
        serverMetrics.withLock { $0 }() + shelf.metrics.text()
            + "# HELP coffer_instances Stores that are open.\n# TYPE coffer_instances gauge\n"
            + "coffer_instances \(builder.pool.count)\n"
    }

    /// Lets go of every store and tells the plugins that the process ends.
    func shutDown() {
        generations.swap(
            to: Generation(
                number: generations.nextNumber(),
                profile: "",
                decidedBy: "",
                createdAt: Timestamp(nanoseconds: 0),
                storages: []
            )
        )
        shelf.registry.shutDown()
        // The server, which knows the host, is known by these.
        serverMetrics.withLock { $0 = { "" } }
        onSwap.withLock { $0 = { _ in } }
    }

    /// Takes the server's own figures into ``metrics()``.
    func addMetrics(_ text: @escaping @Sendable () -> String) { serverMetrics.withLock { $0 = text } }

    /// Calls `body` with each configuration that is taken over from now on.
    func whenSwapped(_ body: @escaping @Sendable (Configuration) -> Void) { onSwap.withLock { $0 = body } }

    /// Reloads when a file of the configuration changes, if the present configuration wants that.
    func watchFiles() {
        let configuration = configuration
        guard configuration.watch else { return }
        let files = configuration.files + configuration.referencedFiles
        watch.withLock { watch in
            if let watch { return watch.watch(files) }
            watch = FileWatch(files) { [self] in
                if self.configuration.watch { reloadAloud() }
            }
            if watch == nil { log.error("changed files will not be seen: the kernel has no watches left") }
        }
    }

    /// Reloads and logs what came of it: for a signal, which nobody waits for.
    func reloadAloud() {
        do throws(CofferError) {
            _ = try reload()
        } catch {
            log.error("the configuration was not taken over: \(error.message)")
        }
    }
}

extension Storage {
    /// Refuses a store that cannot be reached, or in which something is missing.
    fileprivate func checkHealth() throws(CofferError) {
        do throws(CofferError) {
            if let warning { throw warning }
            _ = try health(Call())
        } catch {
            var failure = error
            failure.message = "\(name) is not healthy: \(error.message)"
            throw failure
        }
    }
}
