// Where a host finds the backend.

public import CCofferPlugin
import CofferPluginSDK
import GridFSStore

/// The one exported symbol.
@c @implementation
public func coffer_backend_entry_v1(
    _ host: UnsafePointer<coffer_host>?,
    _ error: UnsafeMutablePointer<coffer_error>?
) -> UnsafePointer<coffer_plugin>? {
    exportBackend(GridFSBackend.self, host, error)
}
