// The beginning of writes: policy, keys, metadata and announcements, all judged before the first byte.
package import CofferBackend
package import CofferModel
import CofferSystem

extension Storage {
    /// Begins a write; everything that can be refused without the body is refused here.
    package func write(_ request: PutRequest, _ call: Call) throws(CofferError) -> ObjectWriter {
        let backend = try backend()
        let keys = keys(backend)
        do throws(CofferError) {
            try checkWritable()
            var asked = request
            asked.metadata = try judged(request.metadata, key: request.key, backend)
            try checkSize(request.size, backend)
            for checksum in request.checksums { try checksum.checkAnnounced() }
            let terms = try WriteTerms(request.conditions, request.onConflict, policy)
            let innerKey = try keys.forWriting(request.key)
            let digests = try digests(for: asked)
            if let replay = try replay(of: request) {
                return ObjectWriter(replaying: replay, self, backend, keys, asked, terms, innerKey)
            }
            let writer = ObjectWriter(self, backend, keys, asked, terms, innerKey)
            do throws(CofferError) {
                try writer.open(digests, timed(call))
            } catch {
                writer.close()
                throw terms.told(error)
            }
            return writer
        } catch {
            throw keys.outer(error, key: request.key)
        }
    }

    /// The outcome of an earlier request with the same idempotency key; otherwise this one is the first from now on.
    private func replay(of request: PutRequest) throws(CofferError) -> PutOutcome? {
        guard let idempotencyKey = request.idempotencyKey else { return nil }
        guard (1...255).contains(idempotencyKey.utf8.count) else {
            throw CofferError(.invalidArgument, "an idempotency key has 1 to 255 bytes")
        }
        return try idempotency.begin(idempotencyKey, request: request.fingerprint)
    }

    private func digests(for request: PutRequest) throws(CofferError) -> RunningDigests {
        try RunningDigests(
            (policy.checksum.map { [$0] } ?? []) + request.checksums.map(\.algorithm) + request.trailingAlgorithms
        )
    }

    /// Refuses changes of a storage that takes none.
    func checkWritable() throws(CofferError) {
        guard !policy.isReadOnly else {
            throw CofferError(.permissionDenied, "storage \(name) is read-only", storage: name)
        }
    }

    /// Metadata as it will be kept, with a content type, if policy takes such a file.
    func judged(_ metadata: Metadata, key: Key, _ backend: EmulatedBackend) throws(CofferError) -> Metadata {
        try metadata.check(limit: backend.limits.metadataSize)
        try checkType(key, declared: metadata.contentType)
        try checkCanKeep(metadata, backend)
        var result = metadata.normalized
        if result.contentType?.isEmpty ?? true { result.contentType = ContentTypes.type(of: key) }
        // Hardly a client can keep from declaring a type; a store that keeps none answers that of the extension.
        if !backend.keepsContentType { result.contentType = nil }
        return result
    }

    /// Refuses what the store would have to drop.
    private func checkCanKeep(_ metadata: Metadata, _ backend: EmulatedBackend) throws(CofferError) {
        if !metadata.user.isEmpty, !backend.capabilities.has(.userMetadata) {
            throw CofferError(.unsupported, "storage \(name) keeps no user metadata", storage: name)
        }
        let hasProperties =
            metadata.contentEncoding != nil || metadata.contentDisposition != nil || metadata.contentLanguage != nil
            || metadata.cacheControl != nil
        if hasProperties, !backend.capabilities.has(.contentProperties) {
            throw CofferError(
                .unsupported,
                "storage \(name) keeps no content encoding, disposition, language or cache control",
                storage: name
            )
        }
    }

    /// Refuses a file type that policy does not take.
    func checkType(_ key: Key, declared: String?) throws(CofferError) {
        guard !policy.accept.isAll || !policy.deny.isNone else { return }
        let file = FileEvidence(key: key, declared: declared)
        let isDenied = policy.deny.denies(file)
        guard isDenied || !policy.accept.accepts(file) else { return }
        let what = [file.suffix.map { ".\($0)" }, file.type].compactMap { $0 }.joined(separator: " as ")
        let rule = isDenied ? policy.deny : policy.accept
        let items = (rule.isAllExcept ? "all but " : "") + rule.items.joined(separator: ", ")
        throw CofferError(
            .badType,
            "storage \(name) does not take \(what.isEmpty ? "files of unknown type" : what): "
                + (isDenied ? "it denies \(items)" : "it accepts \(items)"),
            storage: name
        )
    }

    /// The most bytes that an object may have here, by policy and store.
    func sizeLimit(_ backend: EmulatedBackend) -> Int64? {
        guard let own = policy.maxSize else { return backend.limits.objectSize }
        return min(own, backend.limits.objectSize ?? own)
    }

    /// Refuses an announced size that is too large, or none.
    func checkSize(_ size: Int64?, _ backend: EmulatedBackend) throws(CofferError) {
        guard let size else { return }
        guard size >= 0 else { throw CofferError(.invalidArgument, "the size is negative") }
        if let limit = sizeLimit(backend), size > limit { throw tooLarge(limit) }
    }

    func tooLarge(_ limit: Int64) -> CofferError {
        CofferError(.tooLarge, "storage \(name) takes at most \(limit) bytes", storage: name)
    }

    /// A key of a new UUID with the lower-case extension of `filename`, in the folder `location`.
    ///
    /// - Throws: ``CofferError`` with `invalid_key` where `location` is no folder.
    package static func generatedKey(filename: String?, location: String? = nil) throws(CofferError) -> Key {
        var text = UniqueName.uuid()
        // An extension with anything but letters and digits in it is none that a type could be told by.
        if let suffix = filename.flatMap({ Key($0).suffix }), suffix.utf8.count <= 16,
            suffix.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x7A) })
        {
            text += "." + suffix
        }
        if var folder = location, !folder.isEmpty {
            if folder.utf8.last == UInt8(ascii: "/") { folder = String(folder.dropLast()) }
            text = "\(folder)/\(text)"
        }
        let key = Key(text)
        try key.checkForWriting()
        return key
    }
}

extension PutRequest {
    /// Tells this request from others that use the same idempotency key.
    var fingerprint: String {
        let digests = checksums.map { "\($0.algorithm.rawValue)=\($0.value)" }.joined(separator: ",")
        return [key.text, onConflict?.rawValue ?? "", size.map(String.init) ?? "", digests].joined(separator: "\n")
    }
}
