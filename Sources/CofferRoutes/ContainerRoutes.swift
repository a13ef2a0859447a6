import CofferAPI
import CofferBackend
import CofferHTTP
import CofferModel
import CofferService

/// `/v1/storages/{storage}/containers`: what the store has beside the storage, for whoever may manage it.
extension Exchange {
    func listContainers(_ name: String) throws(CofferError) -> HTTPResponse {
        let storage = try storage(name, for: .manage)
        let containers = try storage.containers(call).map { ContainerInfo(name: $0.name, created: $0.created) }
        return .json(ContainerInfo.encode(containers))
    }

    func createContainer(_ name: String, _ container: String) throws(CofferError) -> HTTPResponse {
        let storage = try storage(name, for: .manage)
        try storage.makeContainer(container, call)
        return .json(ContainerInfo(name: container).encode(), status: 201)
    }

    func removeContainer(_ name: String, _ container: String) throws(CofferError) -> HTTPResponse {
        let storage = try storage(name, for: .manage)
        try storage.removeContainer(container, call)
        return HTTPResponse(status: 204)
    }
}
