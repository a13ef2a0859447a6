// The backend `gridfs`: objects in MongoDB, as files of GridFS.

public import CCofferPlugin
import CofferPluginSDK
import GridFSModel

/// The backend `gridfs`.
final class GridFSBackend: StorageBackend {
    private let store: Store
    let traits: Traits

    init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {
        store = Store(try Configuration(name: name, options))
        traits = Self.traits(of: store)
    }

    func health(call: Call) throws(BackendError) -> Properties { try store.health(call) }

    func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry { try store.stat(request, call) }

    func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        try store.openRead(request, call)
    }

    func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        try store.beginWrite(request, call)
    }

    func remove(_ request: RemoveRequest, call: Call) throws(BackendError) { try store.remove(request, call) }

    func copy(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry { try store.copy(request, call) }

    func move(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry { try store.move(request, call) }

    func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        try Listing(request, in: store)
    }

    func listContainers(into sink: EntrySink, call: Call) throws(BackendError) {
        try store.listContainers(into: sink, call)
    }

    func makeContainer(_ name: ByteString, options: Properties, call: Call) throws(BackendError) {
        guard options.isEmpty else { throw .unsupported("an option of a bucket") }
        try store.makeContainer(name, call)
    }

    func removeContainer(_ name: ByteString, call: Call) throws(BackendError) {
        try store.removeContainer(name, call)
    }

    func close() { store.close() }
}

/// The one exported symbol.
@c @implementation
public func coffer_backend_entry_v0(
    _ host: UnsafePointer<coffer_host>?,
    _ error: UnsafeMutablePointer<coffer_error>?
) -> UnsafePointer<coffer_plugin>? {
    exportBackend(GridFSBackend.self, host, error)
}
