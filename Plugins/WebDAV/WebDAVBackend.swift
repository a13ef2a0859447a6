// The backend `webdav`.

import CofferPluginSDK
import CofferTransport

/// The backend `webdav`: each call is one of ``Store``.
final class WebDAVBackend: StorageBackend {
    let traits: Traits
    private let store: Store

    init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {
        let settings = try Settings(options)
        let signer = try Credentials(options, host: host)
        store = Store(settings, HTTPEndpoint(settings.location.origin, settings: settings.http, signer: signer))
        traits = settings.traits
    }

    func health(call: Call) throws(BackendError) -> Properties { try store.health(call) }

    func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry {
        let entry = try store.entry(of: request.key, call)
        try request.conditions.checkRead(request.key, etag: entry.etag)
        return entry
    }

    func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        try store.openRead(request, call)
    }

    func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        try Writer(request, in: store, call)
    }

    func remove(_ request: RemoveRequest, call: Call) throws(BackendError) { try store.remove(request, call) }

    func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        Listing(request, in: store)
    }

    func copy(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry { try store.copy(request, call) }

    func move(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry { try store.move(request, call) }

    func close() { store.endpoint.close() }
}
