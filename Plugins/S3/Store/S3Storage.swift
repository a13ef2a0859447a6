// The backend that keeps objects in a bucket.

import CofferMetadata
import CofferParts
package import CofferPluginSDK
import CofferTransport

/// Objects in a bucket of Amazon S3 or of a store that speaks its protocol.
package final class S3Storage: StorageBackend {
    let configuration: Configuration
    let host: HostServices
    let endpoint: HTTPEndpoint
    let signer: S3Signer
    let credentials: CredentialSource
    let heads: ObjectHead
    let clock = StoreClock()
    let readAhead = ReadAhead()
    package let traits: Traits

    package init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {
        configuration = try Configuration(name: name, options)
        self.host = host
        credentials = CredentialSource(configuration)
        signer = S3Signer(credentials, region: configuration.region, signing: configuration.signing)
        endpoint = HTTPEndpoint(configuration.place.origin, settings: configuration.settings, signer: signer)
        heads = ObjectHead(
            metadata: MetadataCode(
                keepsUnderscores: configuration.traits.keepsUnderscores,
                valueLimit: configuration.traits.metadataValueLimit
            )
        )
        traits = Self.traits(of: configuration)
    }

    package func close() { endpoint.close() }

    /// What holds for an instance that is set like this.
    private static func traits(of configuration: Configuration) -> Traits {
        var native = description.capabilities
        var unproven: Capabilities = []
        let known = configuration.traits
        for (condition, capability) in [
            (.create, .createIfAbsent), (.replace, .ifMatch), (.remove, .removeIfMatch), (.copy, .copyCondition),
        ] as [(ProviderTraits.Conditions, Capabilities)] where !known.conditions.contains(condition) {
            native.remove(capability)
            if !known.refuted.contains(condition) { unproven.insert(capability) }
        }
        // An upload would be completed without the conditions that the storage keeps elsewhere.
        if !known.conditions.isEmpty && !known.conditions.contains(.complete) { native.remove(.resume) }
        if !configuration.isPublic { native.remove(.publicURL) }
        if configuration.source == .anonymous { native.remove(.presign) }
        var limits = Traits.Limits()
        limits.maxObject = PartPlan.largestObject
        limits.preferredPart = configuration.partSize
        limits.maxParts = UInt64(PartPlan.mostParts)
        limits.minPart = PartPlan.smallestPart
        limits.maxKey = 1024
        limits.maxListPage = 1000
        limits.maxBatch = 1000
        limits.maxPresignSeconds = Presigner.longestLife
        limits.maxMetadata = configuration.traits.metadataLimit
        return Traits(native: native, unproven: unproven, limits: limits)
    }
}

// Sending requests.
extension S3Storage {
    /// Sends a request; an answer that is no success is thrown.
    @discardableResult
    func send(
        _ request: HTTPRequest,
        _ doing: @autoclosure () -> String,
        key: ByteString? = nil,
        call: Call
    ) throws(BackendError) -> HTTPAnswer {
        let answer = try endpoint.send(request, call: call)
        guard answer.head.isSuccess else { throw Refusal(answer).error(answer, doing(), key: key) }
        return answer
    }

    /// A request for an object.
    func request(
        _ method: String,
        _ key: ByteString,
        query: String = "",
        headers: HTTPHeaders = HTTPHeaders(),
        body: [UInt8] = []
    ) -> HTTPRequest {
        let path = configuration.place.path(key)
        var request = HTTPRequest(method, query.isEmpty ? path : "\(path)?\(query)", headers: headers, body: body)
        for field in configuration.objectHeaders { request.headers.add(field.name, field.value) }
        return request
    }

    /// What is known of an object; nil if there is none.
    func head(_ key: ByteString, call: Call) throws(BackendError) -> HTTPHead? {
        let asked = wallClock()
        let answer = try endpoint.send(request("HEAD", key), call: call)
        noteDate(of: answer, asked: asked)
        if answer.status == 404 { return nil }
        guard answer.head.isSuccess else { throw Refusal(answer).error(answer, "looking at \(key)", key: key) }
        return answer.head
    }

    /// Sets our idea of the store's clock by an answer.
    func noteDate(of answer: HTTPAnswer, asked: Int64) {
        guard let date = answer.head.headers["date"].flatMap({ HTTPDate.parse($0) }) else { return }
        clock.note(date, asked: asked, answered: wallClock())
    }

    /// What a head tells of an object.
    func entry(_ key: ByteString, _ head: HTTPHead) -> Entry {
        heads.entry(key, head.headers, size: head.headers["content-length"].flatMap { Int64($0) } ?? -1)
    }
}
