// Puts signatures on the requests of an endpoint.

import CofferCrypto
package import CofferPluginSDK
package import CofferTransport

/// Puts signatures on the requests of an endpoint, with the credentials of the moment.
package final class S3Signer: RequestSigner, Sendable {
    private let source: CredentialSource
    private let region: String
    private let signing: Configuration.PayloadSigning
    private let kept = Guarded<Signer?>(nil)

    /// A signer that asks `source` each time.
    package init(_ source: CredentialSource, region: String, signing: Configuration.PayloadSigning) {
        self.source = source
        self.region = region
        self.signing = signing
    }

    /// Says how the body is bound where the caller has not; the chunks of a body are the caller's.
    private static let payloadHeader = "x-amz-content-sha256"

    package func sign(_ request: inout HTTPRequest, origin: HTTPOrigin, call: Call) throws(BackendError) {
        guard !source.isAnonymous else { return }
        let time = HTTPDate.formatBasic(wallClock())
        let signer = try signer(at: time, call: call)
        // Documents go as they are: only bytes of objects are framed.
        let isChunked =
            signing == .chunked && request.method == "PUT" && !request.body.isEmpty
            && request.headers["Content-Type"] != "application/xml"
        let payload =
            isChunked ? .chunks : self.payload(of: request.body.span.bytes, isSecure: origin.isSecure)
        if isChunked {
            let length = request.body.count
            request.headers["Content-Encoding"] = Self.chunkedEncoding(request.headers["Content-Encoding"])
            request.headers["x-amz-decoded-content-length"] = String(length)
        }
        let seed = put(payload, on: &request, at: time, with: signer, authority: origin.authority)
        guard isChunked else { return }
        var chunks = ChunkSigner(signer, at: time, seed: seed)
        request.body = chunks.frame(request.body, chunk: Self.chunkLength)
    }

    /// Signs a request whose body is appended in chunks; what frames them.
    package func signChunked(
        _ request: inout HTTPRequest,
        length: UInt64,
        origin: HTTPOrigin,
        call: Call
    ) throws(BackendError) -> ChunkSigner {
        let time = HTTPDate.formatBasic(wallClock())
        let signer = try signer(at: time, call: call)
        request.headers["Content-Encoding"] = Self.chunkedEncoding(request.headers["Content-Encoding"])
        request.headers["x-amz-decoded-content-length"] = String(length)
        let seed = put(.chunks, on: &request, at: time, with: signer, authority: origin.authority)
        return ChunkSigner(signer, at: time, seed: seed)
    }

    /// Signs a request whose body is not bound.
    package func signUnsigned(
        _ request: inout HTTPRequest,
        origin: HTTPOrigin,
        call: Call
    ) throws(BackendError) {
        let time = HTTPDate.formatBasic(wallClock())
        _ = put(.unsigned, on: &request, at: time, with: try signer(at: time, call: call), authority: origin.authority)
    }

    /// Bytes of one chunk of a framed body.
    package static let chunkLength = 64 << 10

    /// Whether a body that streams must be framed in signed chunks.
    package func framesStreams(isSecure: Bool) -> Bool {
        guard !source.isAnonymous else { return false }
        return switch signing {
        case .auto: !isSecure
        case .unsigned: false
        case .signed, .chunked: true
        }
    }

    package func renew(after head: HTTPHead, to request: HTTPRequest, call: Call) throws(BackendError) -> Bool {
        guard let refused = kept.withLock({ $0?.credentials }) else { return false }
        return source.renew(instead: refused)
    }

    /// The signer of the day and of the credentials of the moment.
    package func signer(at time: String, call: Call) throws(BackendError) -> Signer {
        let credentials = try source.credentials(call: call)
        return kept.withLock { kept in
            if let kept, kept.credentials == credentials, time.utf8.starts(with: kept.day) { return kept }
            let fresh = Signer(credentials, region: region, at: time)
            kept = fresh
            return fresh
        }
    }

    private func payload(of body: RawSpan, isSecure: Bool) -> PayloadHash {
        guard !body.isEmpty else { return .empty }
        let isSigned = signing == .auto ? !isSecure : signing != .unsigned
        return isSigned ? .sha256(hex(Digest.of(body))) : .unsigned
    }

    /// Adds the headers of a signature; answers the signature.
    private func put(
        _ payload: PayloadHash,
        on request: inout HTTPRequest,
        at time: String,
        with signer: Signer,
        authority: String
    ) -> String {
        request.headers[Self.payloadHeader] = payload.header
        request.headers["x-amz-date"] = time
        request.headers["x-amz-security-token"] = signer.credentials.sessionToken
        request.headers["Authorization"] = nil
        var signed = SignedRequest(method: request.method, host: authority, target: request.target)
        for field in request.headers where !Self.isUnsigned(field) {
            signed.headers.append((name: field.name.lowercased(), value: field.value))
        }
        let signature = signer.signature(of: signed, payload: payload, at: time)
        request.headers["Authorization"] = signer.authorization(signature)
        return signature.value
    }

    /// What proxies on the way may change or drop.
    private static func isUnsigned(_ field: HTTPHeaders.Field) -> Bool {
        field.isCalled("User-Agent") || field.isCalled("Expect") || field.isCalled("Accept")
            || field.isCalled("Accept-Encoding") || field.isCalled("Content-Length") || field.isCalled("Host")
    }

    private static func chunkedEncoding(_ present: String?) -> String {
        present.map { "aws-chunked,\($0)" } ?? "aws-chunked"
    }
}
