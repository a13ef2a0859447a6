import CofferAPI
import CofferBackend
import CofferHTTP
import CofferModel
import CofferService

/// `POST …/copy`, `/move`, `/duplicate`, `/delete`, `PATCH …/stat/{key}`: requests whose body is a JSON document.
extension Exchange {
    func copy(_ name: String) throws(CofferError) -> HTTPReply {
        try transfer(name, removesSource: false) { (source, target, body, options, call) throws(CofferError) in
            try source.copy(body.from, to: body.target, in: target, options, call)
        }
    }

    func move(_ name: String) throws(CofferError) -> HTTPReply {
        try transfer(name, removesSource: true) { (source, target, body, options, call) throws(CofferError) in
            try source.move(body.from, to: body.target, in: target, options, call)
        }
    }

    func duplicate(_ name: String) throws(CofferError) -> HTTPReply {
        try check(.download, storage: name)
        return .receive(
            JSONBody { [self] (bytes) throws(CofferError) in
                let body = try TransferBody(parsing: bytes, isDuplicate: true)
                _ = try storage(name, for: .upload, text: body.from.text)
                let source = try storage(name, for: .download, text: body.from.text)
                return answer(.success(try source.duplicate(body.from, call)), in: source)
            }
        )
    }

    /// A whole storage may be out of bounds, and then the body is not asked for; the keys are judged once they are known.
    private func transfer(
        _ name: String,
        removesSource: Bool,
        _ run: @escaping @Sendable (Storage, Storage, TransferBody, CopyOptions, Call) throws(CofferError) -> PutOutcome
    ) throws(CofferError) -> HTTPReply {
        _ = try generation.storage(name)
        return .receive(
            JSONBody { [self] (bytes) throws(CofferError) in
                let body = try TransferBody(parsing: bytes)
                if removesSource { try check(.delete, storage: name, text: body.from.text) }
                let source = try storage(name, for: .download, text: body.from.text)
                let target = try storage(body.toStorage ?? name, for: .upload, text: body.target.text)
                var options = CopyOptions()
                options.onConflict = body.onConflict
                options.conditions = try RequestConditions(fields).match
                options.sourceIfMatch = body.sourceIfMatch.map { $0 == "*" ? .any : .tokens([$0]) }
                let outcome = try run(source, target, body, options, call)
                return answer(.success(outcome), in: target)
            }
        )
    }

    func deleteMany(_ name: String) throws(CofferError) -> HTTPReply {
        _ = try generation.storage(name)
        return .receive(
            JSONBody { [self] (bytes) throws(CofferError) in
                let body = try DeletionBody(parsing: bytes)
                for item in body.items { try check(.delete, storage: name, text: item.key.text) }
                let storage = try generation.storage(name)
                let errors = try storage.removeMany(
                    body.items.map { ($0.key, $0.ifMatch.map { .tokens([$0]) }) },
                    call
                )
                return .json(
                    DeletionResult.encode(zip(body.items, errors).map { DeletionResult(key: $0.key, error: $1) })
                )
            }
        )
    }

    func patch(_ name: String, _ key: Key) throws(CofferError) -> HTTPReply {
        let storage = try storage(name, for: .upload, text: key.text)
        let conditions = try RequestConditions(fields).match
        return .receive(
            JSONBody { [self] (bytes) throws(CofferError) in
                let patch = MetadataPatch(try MetadataChange(parsing: bytes))
                let info = try storage.updateMetadata(key, patch, conditions: conditions, call)
                let response = HTTPResponse.json(stored(info, in: storage).encode())
                return info.etag.map { response.with("ETag", EntityTags.quoted($0)) } ?? response
            }
        )
    }
}

extension TransferBody {
    /// Where it goes; a copy and a move always name it.
    fileprivate var target: Key { to ?? from }
}

extension MetadataPatch {
    /// The patch that a request's body asks for.
    fileprivate init(_ change: MetadataChange) {
        self.init()
        contentType = Field(change.contentType)
        contentEncoding = Field(change.contentEncoding)
        contentDisposition = Field(change.contentDisposition)
        contentLanguage = Field(change.contentLanguage)
        cacheControl = Field(change.cacheControl)
        user = change.user.sorted { $0.key < $1.key }
            .map { ($0.key, $0.value.map { .set($0) } ?? .remove) }
    }
}

extension MetadataPatch.Field {
    fileprivate init(_ field: MetadataChange.Field) {
        switch field {
        case .keep: self = .keep
        case .set(let value): self = .set(value)
        case .clear: self = .clear
        }
    }
}
