// Links: URLs that let whoever holds them do one thing with one object, for a while, past the host.
package import CofferBackend
package import CofferModel
import CofferSystem

/// What a link shall be good for, as a caller asks for it.
package struct LinkRequest: Sendable, Hashable {
    package var method: LinkMethod
    package var key: Key
    /// In seconds; nil for an hour, or less where the limit is less.
    package var lifetime: Int64?
    /// For an upload bound to the link; for a read what the answer declares; nil for the default of each.
    package var contentType: String?
    /// For a read: the name under which the answer offers itself for saving.
    package var filename: String?
    /// For an upload: the only length that the link takes.
    package var size: Int64?

    package init(
        method: LinkMethod = .get,
        key: Key,
        lifetime: Int64? = nil,
        contentType: String? = nil,
        filename: String? = nil,
        size: Int64? = nil
    ) {
        self.method = method
        self.key = key
        self.lifetime = lifetime
        self.contentType = contentType
        self.filename = filename
        self.size = size
    }
}

extension Storage {
    /// Makes a link; what policy forbids to the host's own callers it forbids to a link.
    ///
    /// A store keeps no rule of ours once the link is out: what a rule says of the bytes themselves must be bound to the
    /// link or the link is refused, and a key that may not be replaced must be free now.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument` for a lifetime that may not be, saying the limit, or
    ///   `unsupported` for a binding that the store cannot express.
    package func link(_ request: LinkRequest, _ call: Call) throws(CofferError) -> PresignedURL {
        if request.method == .put || request.method == .delete { try checkWritable() }
        let backend = try backend()
        let keys = keys(backend)
        do throws(CofferError) {
            try request.checkBindings()
            let entry = backend.capabilities[.presign]
            guard entry.grade != .none else {
                throw CofferError(
                    .unsupported,
                    "storage \(name) makes no links: \(entry.reason ?? "its store signs none")"
                )
            }
            var asked = PresignRequest(
                method: request.method,
                key: request.method == .put ? try keys.forWriting(request.key) : try keys.forReading(request.key),
                lifetime: try lifetime(request.lifetime, backend),
                contentType: request.contentType,
                filename: request.filename,
                size: request.size
            )
            if request.method == .put {
                asked.contentType = request.contentType ?? ContentTypes.unknown
                try checkUpload(request, asked, backend, call)
            }
            let link = try backend.presign(asked, timed(call))
            try checkExpiry(link)
            return link
        } catch {
            throw keys.outer(error, key: request.key)
        }
    }

    /// The most seconds that a link may live, by policy and store, and who says so.
    private func linkLimit(_ backend: EmulatedBackend) -> (seconds: Int64, says: String) {
        let own = policy.linkLimit
        guard let store = backend.limits.presignSeconds, store < own else { return (own, "max_link_ttl") }
        return (store, "the limit of the store")
    }

    private func lifetime(_ asked: Int64?, _ backend: EmulatedBackend) throws(CofferError) -> Int64 {
        let limit = linkLimit(backend)
        guard let asked else { return min(3600, limit.seconds) }
        guard (1...max(1, limit.seconds)).contains(asked) else {
            throw CofferError(
                .invalidArgument,
                "expires_in must be 1 to \(limit.seconds) seconds, which is \(limit.says), not \(asked)"
            )
        }
        return asked
    }

    /// Refuses an upload that a write of the same caller would be refused, or that no link can keep within the rules.
    private func checkUpload(
        _ request: LinkRequest,
        _ asked: PresignRequest,
        _ backend: EmulatedBackend,
        _ call: Call
    ) throws(CofferError) {
        try checkType(request.key, declared: asked.contentType)
        try checkSize(request.size, backend)
        if let limit = policy.maxSize, request.size == nil {
            throw CofferError(
                .invalidArgument,
                "storage \(name) takes at most \(limit) bytes, and a link holds to that only if it says its size"
            )
        }
        guard policy.onConflict != .replace else { return }
        do throws(CofferError) {
            _ = try backend.stat(ReadRequest(key: asked.key), timed(call))
        } catch  where error.code == .notFound {
            return
        }
        throw CofferError(
            .alreadyExists,
            "\(request.key) is there, and a link cannot be kept from replacing it; on_conflict: replace allows it"
        )
    }

    /// Refuses a link that is over already, or that outlives what policy allows.
    private func checkExpiry(_ link: PresignedURL) throws(CofferError) {
        let now = WallClock.nanoseconds
        guard link.expiresAt.nanoseconds > now else {
            throw CofferError(
                .backendError,
                "the store signed a link that expired at \(link.expiresAt): look at the clock and the credentials"
            )
        }
        // The store's clock may be a little ahead of ours.
        let latest = Timestamp(nanoseconds: now + (policy.linkLimit + 60) * 1_000_000_000)
        guard link.expiresAt <= latest else {
            throw CofferError(
                .unsupported,
                "the store's links live until \(link.expiresAt), longer than max_link_ttl, which is \(policy.linkLimit) seconds"
            )
        }
    }
}

extension LinkRequest {
    /// Refuses what means nothing for the method, or may not stand in a header.
    fileprivate func checkBindings() throws(CofferError) {
        func refuse(_ what: String) -> CofferError { CofferError(.invalidArgument, what) }
        if contentType != nil, method == .delete || method == .head {
            throw refuse("content_type means nothing for a \(method.rawValue) link")
        }
        if filename != nil, method != .get {
            throw refuse("filename means nothing for a \(method.rawValue) link, it is what a GET offers for saving")
        }
        if size != nil, method != .put { throw refuse("size means nothing for a \(method.rawValue) link") }
        if let contentType {
            try Metadata(contentType: contentType).check(limit: nil)
            guard !contentType.isEmpty, contentType.utf8.allSatisfy({ $0 < 0x7F }) else {
                throw refuse("content_type must be a media type")
            }
        }
        if let filename {
            guard (1...255).contains(filename.utf8.count), filename.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
            else { throw refuse("filename must have 1 to 255 bytes and no control character") }
        }
    }
}
