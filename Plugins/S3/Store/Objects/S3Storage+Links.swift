// URLs that work without credentials of one's own.

package import CofferPluginSDK
import CofferTransport

extension S3Storage {
    package func presign(_ request: PresignRequest, call: Call) throws(BackendError) -> PresignedURL {
        guard ["GET", "PUT", "HEAD", "DELETE"].contains(request.method) else {
            throw BackendError(.invalidArgument, "a link is for GET, PUT, HEAD or DELETE")
        }
        guard (1...Presigner.longestLife).contains(request.expiresSeconds) else {
            throw BackendError(.invalidArgument, "a link works for 1 second to 7 days")
        }
        let now = wallClock()
        let time = HTTPDate.formatBasic(now)
        let signer = try signer.signer(at: time, call: call)
        let place = configuration.place
        var signed = SignedRequest(
            method: request.method,
            host: place.publicOrigin.authority,
            target: place.publicPath(request.key)
        )
        var query = request.query.map { (name: $0.name, value: $0.value) }
        var headers = Properties()
        switch request.method {
        case "PUT":
            if !request.filename.isEmpty || !request.responseType.isEmpty {
                throw .unsupported("a file name on a link for PUT")
            }
            if !request.contentType.isEmpty { headers["content-type"] = request.contentType }
            if let size = request.size { headers["content-length"] = String(size) }
            for field in configuration.creation { headers[field.name] = field.value }
        default:
            if request.size != nil { throw .unsupported("a size on a link for \(request.method)") }
            let type = request.responseType.isEmpty ? request.contentType : request.responseType
            if !type.isEmpty { query.append((name: "response-content-type", value: type)) }
            if !request.filename.isEmpty {
                query.append((name: "response-content-disposition", value: disposition(request.filename)))
            }
        }
        for field in configuration.objectHeaders { headers[field.name] = field.value }
        if !query.isEmpty { signed.target += "?" + encodedQuery(query) }
        signed.headers = headers.map { (name: $0.name.lowercased(), value: $0.value) }
        let target = Presigner(signer, at: time).target(of: signed, seconds: request.expiresSeconds)
        let end = now / 1_000_000_000 + Int64(request.expiresSeconds)
        // A link dies with the credentials that signed it.
        let expires = signer.credentials.expires.map { min(end, $0 / 1_000_000_000) } ?? end
        return PresignedURL(url: "\(place.publicOrigin)\(target)", headers: headers, expires: expires)
    }

    package func publicURL(of key: ByteString, call: Call) throws(BackendError) -> String {
        "\(configuration.place.publicOrigin)\(configuration.place.publicPath(key))"
    }

    /// The download's name (RFC 6266): in ASCII for old clients, and as it is.
    private func disposition(_ name: String) -> String {
        let plain = name.unicodeScalars.map { scalar in
            scalar.isASCII && scalar.value >= 0x20 && scalar.value != 0x7F && scalar != "\"" && scalar != "\\"
                ? Character(scalar) : "_"
        }
        let ascii = "attachment; filename=\"\(String(plain))\""
        return String(plain).utf8.elementsEqual(name.utf8)
            ? ascii : "\(ascii); filename*=UTF-8''\(percentEncoded(name.utf8))"
    }
}
