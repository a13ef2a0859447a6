// The one symbol that the plugin exports.

import AzureStore
public import CCofferPlugin
import CofferPluginSDK

/// The entry of the plugin: what every host looks for.
@c @implementation
public func coffer_backend_entry_v1(
    _ host: UnsafePointer<coffer_host>?,
    _ error: UnsafeMutablePointer<coffer_error>?
) -> UnsafePointer<coffer_plugin>? {
    exportBackend(AzureStorage.self, host, error)
}
