// The backend that keeps objects as block blobs.

import CofferParts
package import CofferPluginSDK
import CofferTransport

/// Objects as block blobs in a container of Azure Blob Storage.
package final class AzureStorage: StorageBackend {
    let configuration: Configuration
    let host: HostServices
    let endpoint: HTTPEndpoint
    let access: Access
    let readAhead = ReadAhead()
    let delegation = Guarded<DelegationKey?>(nil)
    /// Whether the service lists from a name on; until it says no, it is asked to.
    let startsListings = Guarded(true)
    package let traits: Traits

    package init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {
        configuration = try Configuration(name: name, options)
        self.host = host
        access =
            switch configuration.login {
            case .key(let key): .key(SharedKey(account: configuration.place.account, key: key))
            case .signature(let query): .signature(query)
            case .application(let application):
                .token(TokenSource(application, settings: configuration.settings))
            }
        endpoint = HTTPEndpoint(
            configuration.place.origin,
            settings: configuration.settings,
            signer: BlobSigner(access)
        )
        traits = Self.traits(access)
    }

    package func close() {
        endpoint.close()
        if case .token(let source) = access { source.close() }
    }

    /// What holds for an instance with such credentials.
    private static func traits(_ access: Access) -> Traits {
        var native = description.capabilities
        var limits = Traits.Limits()
        limits.maxObject = BlockPlan.largestObject
        limits.maxKey = 1024
        limits.maxListPage = 5000
        limits.maxBatch = 256
        limits.maxMetadata = 4096
        switch access {
        case .key: limits.maxPresignSeconds = longestLink
        case .token: limits.maxPresignSeconds = longestDelegatedLink
        // A signature cannot sign another one.
        case .signature: native.remove(.presign)
        }
        return Traits(native: native, limits: limits)
    }

    /// The longest life of a link by a key: a year.
    static let longestLink: UInt64 = 365 * 86_400
    /// The longest life of a link by a key that was lent: seven days, less what clocks may differ.
    static let longestDelegatedLink: UInt64 = 7 * 86_400 - 3600
}

// Sending requests.
extension AzureStorage {
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
    ) throws(BackendError) -> HTTPRequest {
        let path = configuration.place.path(try BlobName.name(of: key))
        return HTTPRequest(method, query.isEmpty ? path : "\(path)?\(query)", headers: headers, body: body)
    }

    /// What is known of an object; nil if there is none.
    func head(_ key: ByteString, call: Call) throws(BackendError) -> HTTPHead? {
        let answer = try endpoint.send(try request("HEAD", key), call: call)
        let refusal = Refusal(answer)
        if refusal.isAbsent { return nil }
        guard answer.head.isSuccess else { throw refusal.error(answer, "looking at \(key)", key: key) }
        return answer.head
    }

    /// What a head tells of an object.
    func entry(_ key: ByteString, _ head: HTTPHead) -> Entry {
        ObjectHead.entry(key, head.headers, size: head.headers["content-length"].flatMap { Int64($0) } ?? -1)
    }
}
