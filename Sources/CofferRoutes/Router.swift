import CofferAPI
package import CofferHTTP
import CofferModel
import CofferService
package import CofferSystem

/// Answers every request of the socket: finds the route, calls it, makes an answer of what it says or throws.
package struct Router: HTTPHandler {
    private let host: any HostControl
    private let lanes: Lanes
    private let metrics: RequestMetrics
    private static let generationField = Wire.generation.lowercasedASCII

    package init(host: any HostControl, lanes: Lanes, metrics: RequestMetrics) {
        self.host = host
        self.lanes = lanes
        self.metrics = metrics
    }

    package func lane(for request: HTTPRequest) -> Lane? {
        lanes.lane(method: request.method, target: request.target) { name in
            // Whatever has no such name will be told so; its lane is as wide as any.
            (try? host.generations.current.storage(name))?.concurrency
        }
    }

    package func respond(to request: HTTPRequest, cancellation: Cancellation) -> HTTPReply {
        let start = MonotonicTime.now
        let route: Route
        do throws(RouteMismatch) {
            route = try Route.parse(method: request.method, target: request.target)
        } catch {
            var response = HTTPResponse.problem(error.error, status: error.status)
            if !error.allow.isEmpty { response.headers.add("Allow", error.allow.joined(separator: ", ")) }
            return .response(numbered(response, host.generations.current))
        }
        let exchange = Exchange(
            request: request,
            cancellation: cancellation,
            host: host,
            generation: host.generations.current
        )
        let count: @Sendable (Int) -> Void = { [metrics] status in
            metrics.count(
                storage: exchange.knownStorage(route.storage),
                operation: route.operation.rawValue,
                status: status,
                nanoseconds: MonotonicTime.now.nanoseconds - start.nanoseconds
            )
        }
        let reply: HTTPReply
        do throws(CofferError) {
            reply = try exchange.run(route, metrics)
        } catch {
            reply = .response(.problem(error.located(storage: route.storage)))
        }
        switch reply {
        case .response(let response):
            count(response.status)
            return .response(numbered(response, exchange.generation))
        case .receive(let body):
            return .receive(MeasuredBody(body, generation: exchange.generation.number, count: count))
        }
    }

    package func refusal(status: Int, reason: String) -> HTTPResponse {
        let code: CofferError.Code = status == 503 ? .unavailable : status == 413 ? .tooLarge : .invalidArgument
        return numbered(.problem(CofferError(code, reason), status: status), host.generations.current)
    }

    /// The answer with the number of the generation that gave it, unless it names one itself.
    private func numbered(_ response: HTTPResponse, _ generation: Generation) -> HTTPResponse {
        if response.headers.has(Self.generationField) { return response }
        return response.with(Wire.generation, String(generation.number))
    }
}

extension Exchange {
    /// `name` if there is such a storage: what callers make up must not fill the metrics.
    fileprivate func knownStorage(_ name: String?) -> String {
        guard let name, (try? generation.storage(name)) != nil else { return "" }
        return name
    }

    /// Calls the route's function.
    fileprivate func run(_ route: Route, _ metrics: RequestMetrics) throws(CofferError) -> HTTPReply {
        switch route {
        case .put(let storage, let key, let onConflict): try put(storage, key, onConflict: onConflict)
        case .create(let storage, let parameters): try create(storage, parameters)
        case .putStorage(let name): try makeStorage(name)
        case .patch(let storage, let key): try patch(storage, key)
        case .deleteMany(let storage): try deleteMany(storage)
        case .copy(let storage): try copy(storage)
        case .move(let storage): try move(storage)
        case .duplicate(let storage): try duplicate(storage)
        case .createLink(let storage): try createLink(storage)
        default: .response(try answer(route, metrics))
        }
    }

    /// The routes that need no body.
    private func answer(_ route: Route, _ metrics: RequestMetrics) throws(CofferError) -> HTTPResponse {
        switch route {
        case .get(let storage, let key, let version, let download):
            try get(storage, key, version: version, download: download)
        case .head(let storage, let key, let version): try head(storage, key, version: version)
        case .stat(let storage, let key, let version): try stat(storage, key, version: version)
        case .delete(let storage, let key, let version): try delete(storage, key, version: version)
        case .list(let storage, let parameters): try list(storage, parameters)
        case .deletePrefix(let storage, let parameters): try deletePrefix(storage, parameters)
        case .url(let storage, let key): try url(storage, key)
        case .listContainers(let storage): try listContainers(storage)
        case .createContainer(let storage, let container): try createContainer(storage, container)
        case .removeContainer(let storage, let container): try removeContainer(storage, container)
        case .health: health()
        case .version: version()
        case .metrics: try self.metrics(metrics)
        case .openapi: openAPI()
        case .listPlugins: try listPlugins()
        case .listProfiles: try listProfiles()
        case .activateProfile(let profile): try activateProfile(profile)
        case .reload: try reload()
        case .listStorages: try listStorages()
        case .getStorage(let name, let probe): try getStorage(name, isProbing: probe)
        case .dropStorage(let name): try dropStorage(name)
        case .checkStorage(let name): try checkStorage(name)
        case .put, .create, .putStorage, .patch, .deleteMany, .copy, .move, .duplicate, .createLink:
            throw CofferError(.internal, "\(route.operation.rawValue) takes a body")
        }
    }
}
