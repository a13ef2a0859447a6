// URLs that work without credentials of one's own: shared access signatures of one blob.

package import CofferPluginSDK
import CofferTransport

extension AzureStorage {
    package func presign(_ request: PresignRequest, call: Call) throws(BackendError) -> PresignedURL {
        let name = try BlobName.name(of: request.key)
        let permissions: [String: String] = ["GET": "r", "HEAD": "r", "PUT": "cw", "DELETE": "d"]
        guard let permission = permissions[request.method] else {
            throw BackendError(.invalidArgument, "a link is for GET, PUT, HEAD or DELETE")
        }
        guard request.expiresSeconds > 0, request.expiresSeconds <= traits.limits.maxPresignSeconds else {
            throw BackendError(
                .invalidArgument,
                "a link works for 1 to \(traits.limits.maxPresignSeconds) seconds"
            )
        }
        guard request.size == nil else { throw .unsupported("a size on a link") }
        guard request.query.isEmpty else { throw .unsupported("a parameter of its own on a link") }
        let place = configuration.place
        var signed = SharedAccess(
            account: place.account,
            container: place.container,
            name: name,
            permissions: permission,
            expires: wallClock() / 1_000_000_000 + Int64(request.expiresSeconds),
            isSecure: place.publicOrigin.isSecure
        )
        var headers = Properties()
        if request.method == "PUT" {
            guard request.filename.isEmpty, request.responseType.isEmpty else {
                throw .unsupported("a file name on a link for PUT")
            }
            headers["x-ms-blob-type"] = "BlockBlob"
            if !request.contentType.isEmpty { headers["content-type"] = request.contentType }
            for field in configuration.creation { headers[field.name] = field.value }
        } else {
            let type = request.responseType.isEmpty ? request.contentType : request.responseType
            if !request.filename.isEmpty {
                signed.overrides.append((name: "rscd", value: disposition(request.filename)))
            }
            if !type.isEmpty { signed.overrides.append((name: "rsct", value: type)) }
        }
        let query: String
        switch access {
        case .key(let key): query = signed.query(key)
        case .token: query = try signed.query(try delegationKey(until: signed.expires, call: call))
        case .signature: throw .unsupported("a link under a signature of somebody else's")
        }
        let url = "\(place.publicOrigin)\(place.publicPath(name))?\(query)"
        return PresignedURL(url: url, headers: headers, expires: signed.expires)
    }

    /// A key that the service lends, which lives at least until then.
    private func delegationKey(until expires: Int64, call: Call) throws(BackendError) -> DelegationKey {
        try delegation.withLock { kept throws(BackendError) in
            if let kept, let end = HTTPDate.parseISO8601(kept.expiry), end / 1_000_000_000 >= expires { return kept }
            let now = wallClock() / 1_000_000_000
            // For a day at least, so that not every link asks for one.
            let end = min(max(expires, now + 86_400), now + 7 * 86_400 - 60)
            let body = Question.delegation(from: formatISO8601(now - 900), to: formatISO8601(end))
            var question = HTTPRequest(
                "POST",
                configuration.place.accountPath + "?restype=service&comp=userdelegationkey",
                headers: ["Content-Type": "application/xml"],
                body: body
            )
            question.repetition = .always
            let answer = try send(question, "asking for a key that signs links", call: call)
            guard let key = Answer.delegationKey(answer.body) else {
                throw BackendError(.io, "the store's key for links cannot be read")
            }
            kept = key
            return key
        }
    }

    /// The download's name (RFC 6266): in ASCII for old clients, and as it is.
    private func disposition(_ name: String) -> String {
        let plain = String(
            decoding: name.unicodeScalars.map { scalar -> UInt8 in
                let isPlain =
                    scalar.isASCII && scalar.value >= 0x20 && scalar.value != 0x7F && scalar != "\"" && scalar != "\\"
                return isPlain ? UInt8(scalar.value) : UInt8(ascii: "_")
            },
            as: UTF8.self
        )
        let ascii = "attachment; filename=\"\(plain)\""
        return plain.utf8.elementsEqual(name.utf8)
            ? ascii : "\(ascii); filename*=UTF-8''\(percentEncoded(name.utf8))"
    }
}
