// The backend that keeps objects in a bucket of Google Cloud Storage.

import CofferJSON
import CofferParts
package import CofferPluginSDK
import CofferTransport

/// Objects in a bucket of Google Cloud Storage, over its JSON API.
package final class GCSStorage: StorageBackend {
    let configuration: Configuration
    let host: HostServices
    let endpoint: HTTPEndpoint
    let tokens: TokenSource
    let readAhead = ReadAhead()
    package let traits: Traits

    package init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {
        configuration = try Configuration(name: name, options)
        self.host = host
        tokens = try TokenSource(configuration)
        endpoint = HTTPEndpoint(configuration.place.origin, settings: configuration.settings, signer: tokens)
        traits = Self.traits(of: configuration)
    }

    package func close() { endpoint.close() }

    /// What holds for an instance that is set like this.
    private static func traits(of configuration: Configuration) -> Traits {
        var native = description.capabilities
        if !configuration.isPublic { native.remove(.publicURL) }
        let hasKey = configuration.source == .key || configuration.source == .auto
        let mayFindKey = hasKey || configuration.source == .applicationDefault
        if !mayFindKey && !(configuration.source == .metadata && configuration.signsRemotely) {
            native.remove(.presign)
        }
        var limits = Traits.Limits()
        limits.maxObject = 5 << 40
        limits.preferredPart = configuration.chunkSize
        limits.maxKey = 1024
        limits.maxListPage = 1000
        limits.maxBatch = 1000
        limits.maxPresignSeconds = LinkSigner.longestLife
        limits.maxMetadata = UInt64(ObjectDraft.metadataLimit)
        return Traits(native: native, limits: limits)
    }
}

// Sending requests.
extension GCSStorage {
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

    /// What the store says of an object; nil if there is none.
    func resource(_ key: ByteString, call: Call) throws(BackendError) -> ObjectResource? {
        try resource(try endpoint.send(HTTPRequest("GET", configuration.place.path(key)), call: call), key)
    }

    /// What an answer to that question says.
    func resource(_ answer: HTTPAnswer, _ key: ByteString) throws(BackendError) -> ObjectResource? {
        guard answer.head.isSuccess else {
            let refusal = Refusal(answer)
            if answer.status == 404, !refusal.isAboutBucket { return nil }
            throw refusal.error(answer, "looking at \(key)", key: key)
        }
        return try resource(in: answer, "looking at \(key)")
    }

    /// The resource that an answer holds.
    func resource(in answer: HTTPAnswer, _ doing: String) throws(BackendError) -> ObjectResource {
        let document = try Self.document(answer, doing)
        guard let resource = ObjectResource(document) else {
            throw BackendError(.io, "\(doing): the store's answer names no object")
        }
        return resource
    }

    /// The document that an answer holds.
    static func document(_ answer: HTTPAnswer, _ doing: String) throws(BackendError) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(parsing: answer.body)
        } catch {
            throw BackendError(.io, "\(doing): the store's answer is no JSON: \(error)")
        }
    }
}
