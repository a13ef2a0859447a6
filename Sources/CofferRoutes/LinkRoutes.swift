import CofferAPI
import CofferBackend
import CofferHTTP
import CofferModel
import CofferService

/// `POST /v1/storages/{storage}/links`: a link is as good as what it allows, so its answer is kept nowhere.
extension Exchange {
    func createLink(_ name: String) throws(CofferError) -> HTTPReply {
        _ = try generation.storage(name)
        return .receive(
            JSONBody { [self] (bytes) throws(CofferError) in
                let body = try LinkBody(parsing: bytes)
                let storage = try storage(name, for: body.method.permission, text: body.key.text)
                let link = try storage.link(LinkRequest(body), call)
                let info = LinkInfo(
                    url: link.url,
                    method: body.method,
                    requiredHeaders: link.requiredHeaders.map { LinkInfo.Header($0.name, $0.value) },
                    expiresAt: link.expiresAt
                )
                return .json(info.encode()).with("Cache-Control", "no-store")
            }
        )
    }
}

extension LinkMethod {
    /// What a caller must be allowed to do, since whoever gets the link may do it.
    fileprivate var permission: Permission {
        switch self {
        case .get, .head: .download
        case .put: .upload
        case .delete: .delete
        }
    }
}

extension LinkRequest {
    /// The link that a request's body asks for.
    fileprivate init(_ body: LinkBody) {
        self.init(
            method: body.method,
            key: body.key,
            lifetime: body.expiresIn,
            contentType: body.contentType,
            filename: body.filename,
            size: body.size
        )
    }
}
