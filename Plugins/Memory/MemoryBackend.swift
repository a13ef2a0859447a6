// The backend `memory`: objects in the memory of the host, gone when it ends.

public import CCofferPlugin
import CofferPluginSDK
import MemoryStore

/// The backend `memory`.
final class MemoryBackend: StorageBackend {
    static let description = PluginDescription(
        id: "memory",
        version: "1.0.0",
        name: "Memory",
        licence: "Apache-2.0",
        description: "Objects in the memory of the host, gone when it ends.",
        capabilities: MemoryStore.native,
        options: [MemoryStore.sizeOption]
    )

    private let store: MemoryStore
    let traits: Traits

    init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {
        store = MemoryStore(capacity: try options.size("size") ?? 0)
        traits = store.traits
    }

    func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry { try store.stat(request) }

    func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        try store.openRead(request)
    }

    func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        try store.beginWrite(request)
    }

    func remove(_ request: RemoveRequest, call: Call) throws(BackendError) { try store.remove(request) }

    func removeBatch(_ requests: [RemoveRequest], results: BatchResults, call: Call) throws(BackendError) {
        try store.removeBatch(requests, results: results, call: call)
    }

    func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        store.openList(request)
    }

    func copy(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry { try store.copy(request) }

    func move(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry { try store.move(request) }

    func beginUpload(_ request: WriteRequest, call: Call) throws(BackendError) -> ByteString {
        try store.beginUpload(request)
    }

    func beginPart(_ request: PartRequest, call: Call) throws(BackendError) -> any WriteStream {
        try store.beginPart(request)
    }

    func listParts(of upload: ByteString, into sink: EntrySink, call: Call) throws(BackendError) {
        try store.listParts(of: upload, into: sink)
    }

    func completeUpload(
        _ upload: ByteString,
        _ request: WriteRequest,
        parts: [UploadPart],
        call: Call
    ) throws(BackendError) -> Entry {
        try store.completeUpload(upload, request, parts: parts)
    }

    func abortUpload(_ upload: ByteString, call: Call) throws(BackendError) { try store.abortUpload(upload) }

    func listUploads(_ request: UploadListRequest, into sink: EntrySink, call: Call) throws(BackendError) {
        try store.listUploads(request, into: sink)
    }

    func usage(call: Call) throws(BackendError) -> Usage { store.usage() }
}

/// The one exported symbol.
@c @implementation
public func coffer_backend_entry_v1(
    _ host: UnsafePointer<coffer_host>?,
    _ error: UnsafeMutablePointer<coffer_error>?
) -> UnsafePointer<coffer_plugin>? {
    exportBackend(MemoryBackend.self, host, error)
}
