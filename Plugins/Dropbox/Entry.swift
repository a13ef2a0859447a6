// The one symbol that the plugin exports.

public import CCofferPlugin
import CofferPluginSDK
import DropboxStore

/// The entry of the plugin: what every host looks for.
@c @implementation
public func coffer_backend_entry_v1(
    _ host: UnsafePointer<coffer_host>?,
    _ error: UnsafeMutablePointer<coffer_error>?
) -> UnsafePointer<coffer_plugin>? {
    exportBackend(DropboxStorage.self, host, error)
}
