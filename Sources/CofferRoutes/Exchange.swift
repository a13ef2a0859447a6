import CofferAPI
import CofferBackend
import CofferHTTP
import CofferModel
import CofferService
import CofferSystem

/// A request with what its route needs at hand.
///
/// A class, because bodies and conditions hold on to it, and a copy of all that a request has is dear.
final class Exchange: Sendable {
    let request: HTTPRequest
    let cancellation: Cancellation
    let host: any HostControl
    /// The generation that the request belongs to, from its head to its last byte.
    let generation: Generation

    init(request: HTTPRequest, cancellation: Cancellation, host: any HostControl, generation: Generation) {
        self.request = request
        self.cancellation = cancellation
        self.host = host
        self.generation = generation
    }

    /// The values of all fields called `name`, which is given in lower case.
    func fields(_ name: String) -> [String] { request.headers.all(name) }

    /// All fields of the head.
    var allFields: FieldList { request.headers.map { ($0.name, $0.value) } }

    /// The cancellation and the trace of this request, for the stores; each storage adds its own time.
    var call: Call { Call(cancellation: cancellation, trace: request.headers["traceparent"] ?? "") }

    /// The storage called `name`, if the caller may do `permission` there with keys that start with `text`.
    ///
    /// Permission first: who may not see a storage does not learn whether it exists.
    func storage(_ name: String, for permission: Permission, text: String = "") throws(CofferError) -> Storage {
        try check(permission, storage: name, text: text)
        return try generation.storage(name)
    }

    /// Refuses what the caller may not do.
    func check(_ permission: Permission, storage: String? = nil, text: String = "") throws(CofferError) {
        // A caller without credentials came by TCP, where no rule of the socket holds.
        guard let peer = request.peer else {
            throw CofferError(.unauthenticated, "this connection does not say who is calling", storage: storage)
        }
        try host.access.check(permission, for: peer, storage: storage, text: text)
    }

    /// `info` as answers tell it.
    func stored(_ info: ObjectInfo, in storage: Storage) -> StoredObject {
        StoredObject(
            storage: storage.name,
            backend: storage.backendID,
            info: info,
            generation: Int64(storage.generation)
        )
    }
}
