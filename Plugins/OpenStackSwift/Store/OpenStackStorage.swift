// The backend that keeps objects in a container of OpenStack Swift.

import CofferParts
package import CofferPluginSDK
import CofferTransport

/// Objects in a container of OpenStack Swift.
///
/// An object that fits into one segment is one object of the store. A larger one is a manifest in the container and
/// segments in a container of their own, which no listing shows: see ``SegmentStore``.
package final class OpenStackStorage: StorageBackend {
    let configuration: Configuration
    let host: HostServices
    let sessions: SessionSource
    let readAhead = ReadAhead()
    let knowledge = Guarded(Knowledge())
    package let traits: Traits
    private let login: Login
    private let reached = Guarded<[HTTPEndpoint]>([])

    /// What was learned of the containers.
    struct Knowledge: Sendable {
        /// Whether our container was seen.
        var hasContainer = false
        /// Whether the container of segments is there for certain.
        var hasSegmentContainer = false
        /// Whether there are segments, and when that was looked at.
        var segments: (areThere: Bool, at: UInt64)?
        /// Whether what killed hosts left was cleared away.
        var isSwept = false
    }

    package init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {
        let configuration = try Configuration(name: name, options)
        self.configuration = configuration
        self.host = host
        let login = Login(configuration.access, configuration.settings)
        self.login = login
        sessions = SessionSource(given: login.given, isRenewable: login.isPossible) { call throws(BackendError) in
            try login.session(call: call)
        }
        traits = Self.traits(of: configuration)
    }

    package func close() {
        login.close()
        for endpoint in reached.withLock({ $0 }) { endpoint.close() }
    }

    /// What holds for an instance that is set like this.
    private static func traits(of configuration: Configuration) -> Traits {
        var native = description.capabilities
        if !configuration.enforcesCreation { native.remove(.createIfAbsent) }
        if configuration.linkKey == nil { native.remove(.presign) }
        var limits = Traits.Limits()
        limits.maxObject = SegmentPlan.largestObject(configuration.mostSegments)
        limits.preferredPart = configuration.segmentSize
        limits.maxParts = UInt64(configuration.mostSegments)
        limits.minPart = 1
        limits.maxKey = 1024
        limits.maxListPage = 10_000
        limits.maxBatch = 1000
        limits.maxMetadata = UInt64(ObjectHead.mostMetadata)
        return Traits(native: native, limits: limits)
    }

    /// Where everything is; logs in where that is not known yet.
    func place(call: Call) throws(BackendError) -> Place {
        let session = try sessions.session(call: call)
        let origin = session.account.origin
        let endpoint = reached.withLock { reached in
            if let known = reached.first(where: { $0.origin == origin }) { return known }
            let endpoint = HTTPEndpoint(
                origin,
                settings: configuration.settings,
                signer: TokenSigner(sessions: sessions)
            )
            reached.append(endpoint)
            return endpoint
        }
        return Place(
            endpoint: endpoint,
            account: session.account.target == "/" ? "" : session.account.target,
            container: configuration.container,
            segmentContainer: configuration.segmentContainer
        )
    }
}

// Sending requests.
extension OpenStackStorage {
    /// Sends a request; an answer that is no success is thrown.
    @discardableResult
    func send(
        _ request: HTTPRequest,
        at place: Place,
        _ doing: @autoclosure () -> String,
        call: Call
    ) throws(BackendError) -> HTTPAnswer {
        let answer = try place.endpoint.send(request, call: call)
        guard answer.head.isSuccess else { throw Refusal.error(answer, doing()) }
        return answer
    }

    /// What is known of an object; nil if there is none.
    func head(_ key: ByteString, at place: Place, call: Call) throws(BackendError) -> HTTPHead? {
        var question = HTTPRequest("HEAD", place.path(key))
        addNewest(to: &question)
        let answer = try place.endpoint.send(question, call: call)
        if answer.status == 404 {
            try expectContainer(at: place, "looking at \(key)", call: call)
            return nil
        }
        guard answer.head.isSuccess else { throw Refusal.error(answer, "looking at \(key)", key: key) }
        noteContainer()
        return answer.head
    }

    func addNewest(to request: inout HTTPRequest) {
        if configuration.asksNewest { request.headers.add("X-Newest", "true") }
    }

    /// What a head tells of an object.
    func entry(_ key: ByteString, _ head: HTTPHead) -> Entry {
        ObjectHead.entry(key, head.headers, size: head.headers["content-length"].flatMap { Int64($0) } ?? -1)
    }

    /// Notes that our container is there: what is not found in it is only an object.
    func noteContainer() {
        knowledge.withLock { $0.hasContainer = true }
    }

    /// The store answers the same to an object and to a container that are missing: looks which it is.
    func expectContainer(at place: Place, _ doing: String, call: Call) throws(BackendError) {
        guard !knowledge.withLock({ $0.hasContainer }) else { return }
        let answer = try place.endpoint.send(HTTPRequest("HEAD", place.containerPath), call: call)
        if answer.status == 404 { throw Refusal.noContainer(doing) }
        // Who may not look at the container may still look at objects.
        guard answer.head.isSuccess || answer.status == 403 else { throw Refusal.error(answer, doing) }
        noteContainer()
    }
}
