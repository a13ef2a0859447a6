// The backend `gridfs`: objects in MongoDB, as files of GridFS.

package import CofferPluginSDK
import GridFSModel

/// The backend `gridfs`.
package final class GridFSBackend: StorageBackend {
    private let store: Store
    package let traits: Traits

    package init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {
        store = Store(try Configuration(name: name, options))
        traits = Self.traits(of: store)
    }

    package func health(call: Call) throws(BackendError) -> Properties { try store.health(call) }

    package func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry {
        try store.stat(request, call)
    }

    package func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        try store.openRead(request, call)
    }

    package func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        try store.beginWrite(request, call)
    }

    package func remove(_ request: RemoveRequest, call: Call) throws(BackendError) { try store.remove(request, call) }

    package func copy(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry {
        try store.copy(request, call)
    }

    package func move(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry {
        try store.move(request, call)
    }

    package func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        try Listing(request, in: store)
    }

    package func listContainers(into sink: EntrySink, call: Call) throws(BackendError) {
        try store.listContainers(into: sink, call)
    }

    package func makeContainer(_ name: ByteString, options: Properties, call: Call) throws(BackendError) {
        guard options.isEmpty else { throw .unsupported("an option of a bucket") }
        try store.makeContainer(name, call)
    }

    package func removeContainer(_ name: ByteString, call: Call) throws(BackendError) {
        try store.removeContainer(name, call)
    }

    package func close() { store.close() }
}
