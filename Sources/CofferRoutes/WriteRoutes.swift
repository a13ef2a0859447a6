import CofferAPI
import CofferBackend
import CofferHTTP
import CofferModel
import CofferService
import CofferSystem

/// `PUT /v1/storages/{storage}/objects/{key}` and its likes: ways to write an object.
extension Exchange {
    /// Writes under `key`.
    func put(_ name: String, _ key: Key, onConflict: OnConflict?) throws(CofferError) -> HTTPReply {
        let storage = try storage(name, for: .upload, text: key.text)
        guard request.headers["content-range"] == nil else {
            throw CofferError(.unsupported, "a part of an object cannot be written", storage: name, key: key)
        }
        var put = try putRequest(key)
        put.onConflict = onConflict
        return try write(put, to: storage)
    }

    /// Takes the request's body, or the descriptor beside it, as the object that `put` describes.
    func write(_ put: PutRequest, to storage: Storage) throws(CofferError) -> HTTPReply {
        var put = put
        let call = call
        if let field = request.headers["coffer-fd"] {
            let part = try attachedFile(field)
            put.size = part.length
            let writer = try storage.write(put, call)
            defer { writer.close() }
            try writer.ingest(part.file, offset: part.offset, length: part.length, call)
            return .response(answer(.success(try writer.commit(call)), in: storage))
        }
        switch request.body {
        case .none:
            put.size = 0
            let writer = try storage.write(put, call)
            defer { writer.close() }
            return .response(answer(.success(try writer.commit(call)), in: storage))
        case .exactly(let size):
            put.size = size
        case .chunked:
            put.size = nil
        }
        let writer = try storage.write(put, call)
        let (exchange, key) = (self, put.key)
        return .receive(WriteBody(writer, call) { exchange.answer($0.mapError { $0.located(key: key) }, in: storage) })
    }

    /// Where an object went, with its real key.
    func answer(_ outcome: Result<PutOutcome, CofferError>, in storage: Storage) -> HTTPResponse {
        switch outcome {
        case .failure(let error):
            return .problem(error.located(storage: storage.name))
        case .success(let outcome):
            let object = stored(outcome.info, in: storage)
            var response = HTTPResponse.json(object.encode(), status: outcome.isNew ? 201 : 200)
            if let etag = outcome.info.etag { response.headers.add("ETag", EntityTags.quoted(etag)) }
            let place = Route.get(storage.name, outcome.info.key, version: nil, download: nil)
            response.headers.add("Location", place.request.target)
            return response
        }
    }

    /// The descriptor that came with the head, if it is what a client may hand over: a regular file, open for reading.
    private func attachedFile(_ field: String) throws(CofferError) -> (file: Descriptor, offset: Int64, length: Int64) {
        let part = try DescriptorField(parsing: field)
        guard let file = request.descriptor else {
            throw CofferError(
                .invalidArgument,
                "Coffer-Fd names a descriptor, but the head did not come with exactly one"
            )
        }
        guard request.body == .none || request.body == .exactly(0) else {
            throw CofferError(.invalidArgument, "a request has a descriptor or a body, not both")
        }
        guard let facts = FileFacts(file), facts.isRegular else {
            throw CofferError(.invalidArgument, "the descriptor is no regular file")
        }
        guard facts.isReadable else { throw CofferError(.invalidArgument, "the descriptor is not open for reading") }
        guard part.offset <= facts.size, part.length <= facts.size - part.offset else {
            throw CofferError(.invalidArgument, "the range ends outside the file of \(facts.size) bytes")
        }
        return (file, part.offset, part.length)
    }
}
