// The Memory backend.
public import CCofferPlugin
import CofferPluginSDK

final class MemoryBackend: StorageBackend {
    static let description = PluginDescription(id: "memory", version: "0.1", name: "m", licence: "MIT", description: "d", capabilities: [])
    init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {}
    var traits: Traits { Traits(native: []) }
}

/// The one exported symbol.
@c @implementation
public func coffer_backend_entry_v0(
    _ host: UnsafePointer<coffer_host>?,
    _ error: UnsafeMutablePointer<coffer_error>?
) -> UnsafePointer<coffer_plugin>? {
    exportBackend(MemoryBackend.self, host, error)
}
