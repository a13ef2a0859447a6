// The backend that keeps objects as files on an FTP server.

import CofferListing
import CofferPluginSDK

/// Objects as files of an FTP server: the object `a/b` is the file `a/b` below the root.
final class FTPBackend: StorageBackend {
    private let store: Store
    let traits: Traits

    init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {
        let settings = try Settings(options)
        store = Store(settings)
        traits = Self.traits(settings)
    }

    func close() {
        store.sweeper.stop()
        store.pool.close()
    }

    func health(call: Call) throws(BackendError) -> Properties {
        let patience = store.patience(call)
        return try meaning { () throws(Fault) in
            try store.pool.repeating(patience) { control throws(Fault) -> Properties in
                let isThere = try Looking(control).isDirectory(store.server.base, patience)
                guard isThere || store.settings.makesRoot else {
                    throw .failed(
                        BackendError(.unavailable, "the root is missing, and option create forbids to make it")
                    )
                }
                return [
                    "encryption": control.channel.version ?? "none",
                    "listing": store.server.hasMLSD ? "mlsd" : "list",
                    "root": isThere ? "present" : "made by the first write",
                ]
            }
        }
    }

    func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry {
        defer { store.sweeper.startIfDue(store) }
        return try store.stat(request.key, store.patience(call))
    }

    func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        defer { store.sweeper.startIfDue(store) }
        return try store.openRead(request, store.patience(call))
    }

    func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        let name = try store.names.name(of: request.key.bytes)
        for property in request.properties { throw .unsupported("the property \(property.name)") }
        if request.modified != nil { try store.requireTimes(store.patience(call)) }
        return Writer(store, request, name)
    }

    func remove(_ request: RemoveRequest, call: Call) throws(BackendError) {
        try store.remove(request, store.patience(call))
    }

    func removeBatch(_ requests: [RemoveRequest], results: BatchResults, call: Call) throws(BackendError) {
        try store.removeBatch(requests, results, store.patience(call))
    }

    func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        TreeListing(of: Directories(store), request, budget: 32 << 20)
    }

    func move(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry {
        try store.move(request, store.patience(call))
    }
}
