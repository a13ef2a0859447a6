// URLs that work without credentials of one's own.

package import CofferCrypto
package import CofferPluginSDK
import CofferTransport

extension OpenStackStorage {
    package func presign(_ request: PresignRequest, call: Call) throws(BackendError) -> PresignedURL {
        guard ["GET", "PUT", "HEAD", "DELETE"].contains(request.method) else {
            throw BackendError(.invalidArgument, "a link is for GET, PUT, HEAD or DELETE")
        }
        guard (1...UInt64(Int32.max)).contains(request.expiresSeconds) else {
            throw BackendError(.invalidArgument, "a link works for at least a second")
        }
        guard let linkKey = configuration.linkKey else { throw .unsupported("a link without temp_url_key") }
        // The signature covers the method, the end and the path; nothing else can be bound to it.
        guard request.size == nil, request.query.isEmpty, request.responseType.isEmpty else {
            throw .unsupported("a size, a query or a type of the answer on a temporary URL")
        }
        let isReading = request.method == "GET" || request.method == "HEAD"
        guard request.filename.isEmpty || isReading else {
            throw .unsupported("a file name on a link for \(request.method)")
        }
        var headers = Properties()
        if !request.contentType.isEmpty {
            guard request.method == "PUT", configuration.signsUnboundUploads else {
                throw .unsupported(
                    "binding a content type to a temporary URL, but for uploads with unbound_uploads: true,"
                )
            }
            headers["content-type"] = request.contentType
        }
        let place = try place(call: call)
        let expires = wallClock() / 1_000_000_000 + Int64(clamping: request.expiresSeconds)
        // The path is signed as the store sees it: decoded.
        let account = percentDecoded(place.account.utf8) ?? Array(place.account.utf8)
        let message =
            Array("\(request.method)\n\(expires)\n".utf8) + account + Array("/\(place.container)/".utf8)
            + request.key.bytes
        let digest = hmac(message, key: Array(linkKey.utf8), configuration.linkDigest)
        var query = "temp_url_sig=\(hex(digest))&temp_url_expires=\(expires)"
        if !request.filename.isEmpty { query += "&filename=\(percentEncoded(request.filename.utf8))" }
        let origin = configuration.publicEndpoint ?? place.endpoint.origin
        return PresignedURL(url: "\(origin)\(place.path(request.key))?\(query)", headers: headers, expires: expires)
    }

    private func hmac(_ message: [UInt8], key: [UInt8], _ digest: Configuration.LinkDigest) -> [UInt8] {
        switch digest {
        case .sha1: hmacOf(message, key: key, .sha1, block: 64)
        case .sha256: hmacSHA256(message, key: key)
        case .sha512: hmacOf(message, key: key, .sha512, block: 128)
        }
    }
}

/// HMAC (RFC 2104) with any digest, whose blocks have so many bytes.
package func hmacOf(_ message: [UInt8], key: [UInt8], _ algorithm: Digest.Algorithm, block: Int) -> [UInt8] {
    var padded = key.count > block ? Digest.of(key, algorithm) : key
    padded += [UInt8](repeating: 0, count: block - padded.count)
    let inner = Digest.of(padded.map { $0 ^ 0x36 } + message, algorithm)
    return Digest.of(padded.map { $0 ^ 0x5C } + inner, algorithm)
}
