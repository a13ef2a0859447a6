import CofferAPI
import CofferBackend
import CofferHTTP
import CofferModel
import CofferService
import CofferSystem

/// `POST /v1/storages/{storage}/objects`: write under a generated key, raw or as a form.
extension Exchange {
    func create(_ name: String, _ parameters: CreateParameters) throws(CofferError) -> HTTPReply {
        let contentType = request.headers["content-type"] ?? ""
        if contentType.lowercased().hasPrefix("multipart/") {
            guard let parser = MultipartParser(contentType: contentType) else {
                throw CofferError(
                    .invalidArgument,
                    "content-type must be multipart/form-data with a boundary",
                    storage: name
                )
            }
            // Whether the caller may write at all is said before the body is asked for.
            _ = try storage(name, for: .upload, text: parameters.location)
            return .receive(FormBody(parser, self, name, parameters))
        }
        let key = try Storage.generatedKey(filename: parameters.filename, location: parameters.location)
        let storage = try storage(name, for: .upload, text: key.text)
        return try write(try putRequest(key), to: storage)
    }

    /// A write of `key` with what the head says beside the bytes.
    func putRequest(_ key: Key) throws(CofferError) -> PutRequest {
        var put = PutRequest(key: key)
        put.conditions = try RequestConditions(fields).match
        put.metadata = try RequestFields.metadata(allFields)
        put.checksums = try DigestFields.parse(fields)
        put.trailingAlgorithms = DigestFields.announced(trailer: fields("trailer"))
        put.idempotencyKey = try RequestFields.idempotencyKey(fields)
        return put
    }
}
