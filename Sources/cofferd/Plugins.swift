import CofferAPI
import CofferModel
import CofferPluginHost
import CofferProfile
import CofferSystem

/// The plugins that the present configuration can use.
///
/// A reload looks for them again. What is loaded stays loaded: the loader gives the same library for the same file.
final class Plugins: Sendable {
    private struct Present {
        var declared: [DeclaredPlugin]
        var registry: PluginRegistry
    }

    private let present: Locked<Present>
    private let events: PluginEvents
    /// The numbers that plugins tell.
    let metrics: PluginMetrics

    init(log: Log) {
        let metrics = PluginMetrics()
        self.metrics = metrics
        events = PluginEvents(
            log: { line in
                let level: Log.Level = line.level == .error ? .error : line.level == .warning ? .warning : .info
                log.write(level, "\(line.storage ?? line.plugin): \(line.message)")
            },
            metric: { metrics.take($0) }
        )
        present = Locked(
            Present(declared: [], registry: PluginRegistry(folders: Locations.plugins, events: events))
        )
    }

    /// The registry of the present configuration.
    var registry: PluginRegistry { present.withLock { $0.registry } }

    /// Looks for plugins again, with `references` first.
    func search(_ references: [PluginReference]) {
        let declared = references.map { DeclaredPlugin(id: $0.id, path: $0.path, sha256: $0.sha256) }
        let registry = PluginRegistry(folders: Locations.plugins, declared: declared, events: events)
        present.withLock { $0 = Present(declared: declared, registry: registry) }
    }

    /// Says where plugins are looked for, if there are none: every backend of a configuration is unknown then.
    func complainIfEmpty() {
        guard registry.ids.isEmpty else { return }
        let folders = Locations.plugins.joined(separator: ", ")
        Terminal.complain("no plugin was found in \(folders); COFFER_PLUGIN_PATH names more folders")
    }

    /// The option tables of all backends that a configuration may name.
    ///
    /// A plugin that is known but broken takes any option: its storage then fails with the plugin's own reason, and not
    /// the configuration with a wrong one.
    func schemas() -> [BackendSchema] {
        let registry = registry
        return registry.ids.map { id in
            guard let options = try? registry.schema(of: id) else {
                return BackendSchema(id: id, options: [], isOpen: true)
            }
            return BackendSchema(
                id: id,
                options: options.filter { !$0.isOpen }.map { OptionSchema($0) },
                isOpen: options.contains { $0.isOpen }
            )
        }
    }
}

extension OptionSchema {
    /// An option as the plugin declares it.
    fileprivate init(_ option: PluginOptionSchema) {
        self.init(
            option.name,
            ValueType(rawValue: option.type) ?? .string,
            isRequired: option.isRequired,
            isSecret: option.isSecret,
            isLive: option.isLive,
            default: option.defaultValue,
            choices: option.choices,
            doc: option.documentation,
            minimum: option.minimum,
            maximum: option.maximum,
            deprecatedAlias: option.deprecatedAlias
        )
    }
}

extension PluginInfo {
    /// A plugin as answers tell it.
    init(_ plugin: PluginListing) {
        var state = "found"
        var failure: CofferError?
        switch plugin.state {
        case .found: break
        case .loaded: state = "loaded"
        case .failed(let reason):
            state = "failed"
            failure = CofferError(.pluginFailed, reason)
        }
        func text(_ text: String) -> String? { text.isEmpty ? nil : text }
        self.init(
            id: plugin.id,
            version: text(plugin.version),
            abi: text(plugin.abi),
            licence: text(plugin.license),
            summary: text(plugin.description),
            path: plugin.path,
            source: plugin.manifest,
            isolation: PluginReference.Isolation.inProcess.rawValue,
            state: state,
            failure: failure,
            options: plugin.options.map {
                Option(
                    name: $0.name,
                    type: $0.type,
                    isRequired: $0.isRequired,
                    isSecret: $0.isSecret,
                    defaultValue: $0.defaultValue,
                    summary: $0.documentation
                )
            }
        )
    }
}
