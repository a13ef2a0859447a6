import CofferAPI
import CofferBackend
import CofferHTTP
import CofferModel
import CofferService
import CofferSystem

/// `GET` and `HEAD /v1/storages/{storage}/objects/{key}`, `GET /v1/storages/{storage}/stat/{key}`.
extension Exchange {
    /// The object as JSON.
    func stat(_ name: String, _ key: Key, version: String?) throws(CofferError) -> HTTPResponse {
        let storage = try storage(name, for: .download, text: key.text)
        let conditions = try RequestConditions(fields)
        let info: ObjectInfo
        do throws(CofferError) {
            info = try storage.stat(key, version: version, conditions: conditions.match, call)
        } catch  where error.code == .notModified {
            return unmodified(key, version: version, in: storage)
        }
        if let refusal = refusal(by: conditions, of: info) { return refusal }
        var response = HTTPResponse.json(stored(info, in: storage).encode())
        if let etag = info.etag { response.headers.add("ETag", EntityTags.quoted(etag)) }
        return response
    }

    /// What a GET would say, without the bytes.
    func head(_ name: String, _ key: Key, version: String?) throws(CofferError) -> HTTPResponse {
        let storage = try storage(name, for: .download, text: key.text)
        let conditions = try RequestConditions(fields)
        let info: ObjectInfo
        do throws(CofferError) {
            info = try storage.stat(key, version: version, conditions: conditions.match, call)
        } catch  where error.code == .notModified {
            return unmodified(key, version: version, in: storage)
        }
        if let refusal = refusal(by: conditions, of: info) { return refusal }
        return HTTPResponse(
            status: 200,
            headers: headers(of: info, in: storage),
            body: .omitted(length: info.size ?? 0)
        )
    }

    /// The object's bytes, or the range that is asked for.
    func get(
        _ name: String,
        _ key: Key,
        version: String?,
        download: String?
    ) throws(CofferError) -> HTTPResponse {
        let storage = try storage(name, for: .download, text: key.text)
        let call = call
        let conditions = try RequestConditions(fields)
        var read = ReadRequest(key: key, version: version, conditions: conditions.match, wantsDescriptor: true)
        let rangeFields = fields("range")
        if !rangeFields.isEmpty {
            let holds = try conditions.range.map { (condition) throws(CofferError) in
                condition.allows(try storage.stat(key, version: version, call))
            }
            do throws(CofferError) {
                read.range = holds ?? true ? try RangeFields.parse(rangeFields) : .all
            } catch  where error.code == .rangeInvalid {
                return try unsatisfiable(error, read, conditions, storage, call)
            }
        }
        do throws(CofferError) {
            let result = try storage.read(read, call)
            if let refusal = refusal(by: conditions, of: result.info) {
                if case .stream(let stream) = result.body { stream.close() }
                return refusal
            }
            let response = answer(result, isPartial: read.range != .all, in: storage, call)
            return download.map { response.offered(as: $0, key: key) } ?? response
        } catch  where error.code == .rangeInvalid {
            return try unsatisfiable(error, read, conditions, storage, call)
        } catch  where error.code == .notModified {
            return unmodified(key, version: version, in: storage)
        }
    }

    /// 304 says which object the caller has already (RFC 9110, section 15.4.5).
    private func unmodified(_ key: Key, version: String?, in storage: Storage) -> HTTPResponse {
        // It may be gone by now: the answer is right without its tag too.
        let etag = try? storage.stat(key, version: version, call).etag
        return HTTPResponse(status: 304, headers: etag.map { [("ETag", EntityTags.quoted($0))] } ?? [])
    }

    private func answer(_ result: ReadResult, isPartial: Bool, in storage: Storage, _ call: Call) -> HTTPResponse {
        var response = HTTPResponse(status: 200, headers: headers(of: result.info, in: storage))
        let length = result.range.upperBound - result.range.lowerBound
        if isPartial, let size = result.info.size, length > 0 {
            response.status = 206
            response.headers.add("Content-Range", RangeFields.contentRange(result.range, of: size))
        }
        switch result.body {
        case .descriptor(let opened):
            if Wire.wantsDescriptor(prefer: fields("prefer")), mayHave(opened) {
                let field = DescriptorField(offset: opened.offset, length: length)
                response.headers.add("Preference-Applied", Wire.descriptorPreference)
                response.headers.add(Wire.descriptor, field.text)
                response.body = .passing(opened.file)
            } else {
                response.body = .file(opened.file, offset: opened.offset, length: length)
            }
        case .stream(let stream):
            let key = result.info.key
            let body = ReadBody(stream, storage.timed(call)) { [host] error in
                if error.code != .cancelled { host.log("\(storage.name):\(key): broke off: \(error.message)") }
            }
            response.body = .stream(length: length, body)
        }
        return response
    }

    /// Whether the caller gets the file itself: only what holds nothing else, and what the caller cannot open again for writing.
    private func mayHave(_ opened: ReadDescriptor) -> Bool {
        guard opened.isShareable, opened.isSeekable, let peer = request.peer else { return false }
        if host.access.isOwner(peer) { return true }
        return FileFacts(opened.file).map { !$0.mayBeWritten(by: peer) } ?? false
    }

    /// 416 says how long the object is; conditions come before ranges, so that one that fails is the answer instead.
    private func unsatisfiable(
        _ error: CofferError,
        _ read: ReadRequest,
        _ conditions: RequestConditions,
        _ storage: Storage,
        _ call: Call
    ) throws(CofferError) -> HTTPResponse {
        let info: ObjectInfo
        do throws(CofferError) {
            info = try storage.stat(read.key, version: read.version, conditions: conditions.match, call)
        } catch  where error.code == .notModified {
            return unmodified(read.key, version: read.version, in: storage)
        }
        if let refusal = refusal(by: conditions, of: info) { return refusal }
        return .problem(error).with("Content-Range", RangeFields.unsatisfied(size: info.size ?? 0))
    }

    /// What the conditions by date make of an object; nil where they let it pass.
    private func refusal(by conditions: RequestConditions, of info: ObjectInfo) -> HTTPResponse? {
        guard let modified = info.modified?.seconds else { return nil }
        if let limit = conditions.unmodifiedSince?.seconds, modified > limit {
            return .problem(CofferError(.preconditionFailed, "the object was modified since then", key: info.key))
        }
        if let limit = conditions.modifiedSince?.seconds, modified <= limit {
            return HTTPResponse(status: 304, headers: info.etag.map { [("ETag", EntityTags.quoted($0))] } ?? [])
        }
        return nil
    }

    private func headers(of info: ObjectInfo, in storage: Storage) -> HTTPHeaders {
        var headers = HTTPHeaders()
        headers.reserve(fields: 16, bytes: 640)
        ObjectFields.write(stored(info, in: storage), to: &headers)
        return headers
    }
}

extension HTTPResponse {
    /// The same, to be saved as `name`; an empty one takes the key's last segment.
    fileprivate func offered(as name: String, key: Key) -> HTTPResponse {
        let last = key.text.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) }
        var response = self
        response.headers = HTTPHeaders()
        for field in headers where field.name != "Content-Disposition" { response.headers.add(field.name, field.value) }
        let disposition = ContentDisposition.make(filename: name.isEmpty ? last ?? key.text : name)
        return response.with("Content-Disposition", disposition)
    }
}
