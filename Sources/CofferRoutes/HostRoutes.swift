import CofferAPI
import CofferBackend
import CofferHTTP
import CofferModel
import CofferService

/// Routes about the host itself: health, versions, metrics, plugins, profiles, the contract.
extension Exchange {
    /// Anybody who can connect may ask whether the host lives; the storages are named to those who may read them.
    func health() -> HTTPResponse {
        let storages = generation.storages.filter { (try? check(.download, storage: $0.name)) != nil }
        let states = storages.map { storage in
            var failure: CofferError?
            if case .failed(let error) = storage.state { failure = error }
            return HealthInfo.StorageState(
                name: storage.name,
                backend: storage.backendID,
                failure: failure,
                warning: storage.warning
            )
        }
        let profile = generation.profile.isEmpty ? nil : generation.profile
        return .json(HealthInfo(storages: states, profile: profile, generation: Int64(generation.number)).encode())
    }

    func version() -> HTTPResponse { .json(host.version.encode()) }

    func metrics(_ metrics: RequestMetrics) throws(CofferError) -> HTTPResponse {
        try check(.manage)
        var text = metrics.text()
        text += host.metrics()
        text += "# HELP coffer_generation The number of the current generation.\n# TYPE coffer_generation counter\n"
        text += "coffer_generation \(generation.number)\n"
        return HTTPResponse(
            status: 200,
            headers: [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")],
            body: .bytes(Array(text.utf8))
        )
    }

    func openAPI() -> HTTPResponse { .json(OpenAPI.document) }

    func listPlugins() throws(CofferError) -> HTTPResponse {
        try check(.manage)
        return .json(PluginInfo.encode(host.plugins()))
    }

    func listProfiles() throws(CofferError) -> HTTPResponse {
        try check(.manage)
        return .json(host.profiles().encode())
    }

    func activateProfile(_ profile: String) throws(CofferError) -> HTTPResponse {
        try check(.manage)
        return switched(try host.activate(profile))
    }

    func reload() throws(CofferError) -> HTTPResponse {
        try check(.manage)
        return switched(try host.reload())
    }

    /// The answer names the generation that it made, not the one that it began in.
    private func switched(_ result: ActivationResult) -> HTTPResponse {
        .json(result.encode()).with(Wire.generation, String(result.generation))
    }
}
