// URLs that work without credentials of one's own.

import CofferCrypto
package import CofferPluginSDK
import CofferTransport

extension GCSStorage {
    package func presign(_ request: PresignRequest, call: Call) throws(BackendError) -> PresignedURL {
        guard ["GET", "PUT", "HEAD", "DELETE"].contains(request.method) else {
            throw BackendError(.invalidArgument, "a link is for GET, PUT, HEAD or DELETE")
        }
        guard (1...LinkSigner.longestLife).contains(request.expiresSeconds) else {
            throw BackendError(.invalidArgument, "a link works for 1 second to 7 days")
        }
        try Place.check(request.key)
        let (headers, query) = try bindings(of: request)
        let place = configuration.place
        let email: String
        let sign: (String) throws(BackendError) -> [UInt8]
        switch try tokens.identity(call: call) {
        case .document(.account(let account)):
            email = account.email
            sign = { text throws(BackendError) in
                guard let signature = account.signer.signature(of: Array(text.utf8)) else {
                    throw BackendError(.unauthenticated, "the private key cannot sign")
                }
                return signature
            }
        case .nobody:
            throw .unsupported("a link without credentials")
        default:
            guard configuration.signsRemotely else {
                throw .unsupported("a link without a private key (iam_sign_blob: true lets Google sign)")
            }
            email = try signerEmail(call: call)
            sign = { [tokens] text throws(BackendError) in
                let token = try tokens.token(call: call)
                return try tokens.service.signature(of: Array(text.utf8), as: email, token: token, call: call)
            }
        }
        let now = wallClock()
        var signer = LinkSigner(
            method: request.method,
            path: place.publicPath(request.key),
            headers: [(name: "host", value: place.publicOrigin.authority)]
                + headers.map { (name: $0.name, value: $0.value) },
            email: email,
            time: HTTPDate.formatBasic(now),
            seconds: request.expiresSeconds
        )
        signer.query = query
        let target = signer.target(signature: try sign(signer.stringToSign))
        return PresignedURL(
            url: "\(place.publicOrigin)\(target)",
            headers: headers,
            expires: now / 1_000_000_000 + Int64(request.expiresSeconds)
        )
    }

    /// What is bound to a link: headers that must be sent with it, and parameters.
    private func bindings(
        of request: PresignRequest
    ) throws(BackendError) -> (headers: Properties, query: [(name: String, value: String)]) {
        var query = request.query.map { (name: $0.name, value: $0.value) }
        var headers = Properties()
        if request.method == "PUT" {
            if !request.filename.isEmpty || !request.responseType.isEmpty {
                throw .unsupported("a file name on a link for PUT")
            }
            if !request.contentType.isEmpty { headers["content-type"] = request.contentType }
            if let size = request.size { headers["x-goog-content-length-range"] = "\(size),\(size)" }
            if let acl = configuration.acl { headers["x-goog-acl"] = Self.headerWord(ofACL: acl) }
            if let kind = configuration.storageClass { headers["x-goog-storage-class"] = kind }
            if let key = configuration.kmsKey { headers["x-goog-encryption-kms-key-name"] = key }
            return (headers, query)
        }
        if request.size != nil { throw .unsupported("a size on a link for \(request.method)") }
        let type = request.responseType.isEmpty ? request.contentType : request.responseType
        if !type.isEmpty { query.append((name: "response-content-type", value: type)) }
        if !request.filename.isEmpty {
            query.append((name: "response-content-disposition", value: disposition(request.filename)))
        }
        return (headers, query)
    }

    /// The word of a predefined list in headers, which is that of the JSON API with dashes: `public-read`.
    private static func headerWord(ofACL acl: String) -> String {
        String(
            decoding: acl.utf8.flatMap { byte in
                (0x41...0x5A).contains(byte) ? [UInt8(ascii: "-"), byte | 0x20] : [byte]
            },
            as: UTF8.self
        )
    }

    private func signerEmail(call: Call) throws(BackendError) -> String {
        if let email = configuration.signerEmail { return email }
        guard case .machine = try tokens.identity(call: call) else {
            throw Options.wrong("service_account_email", "is missing: somebody must sign the link")
        }
        return try tokens.service.machineEmail(call: call)
    }

    package func publicURL(of key: ByteString, call: Call) throws(BackendError) -> String {
        "\(configuration.place.publicOrigin)\(configuration.place.publicPath(key))"
    }

    /// The download's name (RFC 6266): in ASCII for old clients, and as it is.
    private func disposition(_ name: String) -> String {
        let plain = String(
            String.UnicodeScalarView(
                name.unicodeScalars.map { scalar in
                    let isPlain = (0x20..<0x7F).contains(scalar.value) && scalar != "\"" && scalar != "\\"
                    return isPlain ? scalar : "_"
                }
            )
        )
        let ascii = "attachment; filename=\"\(plain)\""
        return plain.utf8.elementsEqual(name.utf8)
            ? ascii : "\(ascii); filename*=UTF-8''\(percentEncoded(name.utf8))"
    }
}
