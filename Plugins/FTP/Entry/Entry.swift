// The entry of the plugin.

public import CCofferPlugin
import FTPBackend

/// What every host looks for.
@c @implementation
public func coffer_backend_entry_v1(
    _ host: UnsafePointer<coffer_host>?,
    _ error: UnsafeMutablePointer<coffer_error>?
) -> UnsafePointer<coffer_plugin>? {
    exportFTPBackend(host, error)
}
