package import CofferBackend
import CofferLoader
package import CofferModel
import CofferSystem

/// Every plugin that this host knows, by id.
///
/// 1. Nothing of a plugin runs before its first storage is opened, unless it has neither a manifest nor a name.
/// 2. The first of an id wins; the others are listed as failed, with the reason.
/// 3. A plugin that is missing, broken or slow is an error of its own and of nobody else.
package final class PluginRegistry: Sendable {
    private let folders: [String]
    private let declared: [DeclaredPlugin]
    private let events: HostEvents
    private let found: Locked<Found>

    private struct Found {
        var records: [PluginRecord]
        var byID: [String: PluginRecord]
    }

    /// Looks for plugins: in the entries of the configuration first, then for manifests in the folders, in order.
    package init(folders: [String], declared: [DeclaredPlugin] = [], events: PluginEvents = PluginEvents()) {
        self.folders = folders
        self.declared = declared
        self.events = events.hostEvents
        let search = PluginSearch(folders: folders, declared: declared, events: self.events)
        found = Locked(Found(records: search.records, byID: search.byID))
    }

    /// Everything that was found, the broken included, in the order of the search.
    package func list() -> [PluginListing] { found.withLock { $0.records }.map(\.listing) }

    /// The ids that a storage may name, in byte order.
    package var ids: [String] { found.withLock { $0.byID.keys.sorted() } }

    /// The options of a plugin, from its manifest if it has one, else by loading it.
    ///
    /// - Throws: ``CofferError`` with `plugin_failed`, naming the file and the reason.
    package func schema(of id: String) throws(CofferError) -> [PluginOptionSchema] {
        let record = try record(id)
        do throws(LoadError) {
            return try record.description(events).options.map(PluginOptionSchema.init)
        } catch {
            throw error.cofferError
        }
    }

    /// Opens a store of the plugin `id`, which is loaded now if it was not.
    ///
    /// - Parameters:
    ///   - id: what `backend:` names.
    ///   - storageName: the operator's name for the store.
    ///   - options: what is set; defaults are filled in.
    ///   - liveOption: reads an option afresh; nil where it has no value.
    ///   - call: the deadline and the cancellation of the opening.
    /// - Returns: the store, open.
    /// - Throws: ``CofferError``: `plugin_failed` names the file and the reason, `config_invalid` the option.
    package func open(
        _ id: String,
        storageName: String,
        options: [(String, String)],
        liveOption: @escaping @Sendable (String) -> String? = { _ in nil },
        call: Call = Call()
    ) throws(CofferError) -> any Backend {
        let record = try record(id)
        let library: PluginLibrary
        do throws(LoadError) {
            library = try record.library(events)
        } catch {
            throw error.cofferError.located(storage: storageName)
        }
        do throws(PluginError) {
            let instance = try call.withABI { (call) throws(PluginError) in
                try library.open(
                    storage: storageName,
                    options: options.map { (name: $0.0, value: $0.1) },
                    liveOption: liveOption,
                    call: call
                )
            }
            return PluginBackend(instance)
        } catch {
            throw error.cofferError().located(storage: storageName)
        }
    }

    /// The library that serves the plugin `id`; nil where there is no such plugin.
    package func libraryPath(of id: String) -> String? { found.withLock { $0.byID[id]?.path } }

    /// Tells every loaded plugin that the process ends; no store is open any more.
    package func shutDown() {
        for record in found.withLock({ $0.records }) { record.loaded?.shutDown() }
    }

    private func record(_ id: String) throws(CofferError) -> PluginRecord {
        if let record = found.withLock({ $0.byID[id] }) { return record }
        let places = declared.map(\.path) + folders
        let known = ids
        throw CofferError(
            .pluginFailed,
            "there is no plugin \(id); known: \(known.isEmpty ? "none" : known.joined(separator: ", "));"
                + " looked at: \(places.isEmpty ? "nothing" : places.joined(separator: ", "))"
        )
    }
}
