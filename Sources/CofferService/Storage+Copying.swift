// Copies and moves: inside a storage by its store, between storages through the host.
package import CofferBackend
package import CofferModel
import CofferSystem

extension Storage {
    /// Copies into `target`, which may be this storage.
    package func copy(
        _ from: Key,
        to: Key,
        in target: Storage,
        _ options: CopyOptions,
        _ call: Call
    ) throws(CofferError) -> PutOutcome {
        guard target === self else { return try across(from, to: to, in: target, options, call).outcome }
        return try inside(from, to: to, options, call) { backend, request throws(CofferError) in
            try backend.copy(request, timed(call))
        }
    }

    /// Moves into `target`, which may be this storage: source or target is there at any moment, never neither.
    ///
    /// - Throws: ``CofferError`` with `changed` where the source became another version meanwhile; it stays then, beside a
    ///   target with the version of before.
    package func move(
        _ from: Key,
        to: Key,
        in target: Storage,
        _ options: CopyOptions,
        _ call: Call
    ) throws(CofferError) -> PutOutcome {
        try checkWritable()
        guard target === self else {
            let (outcome, source) = try across(from, to: to, in: target, options, call)
            let stored = try target.stat(outcome.realKey, call)
            guard stored.size == nil || source.size == nil || stored.size == source.size else {
                throw CofferError(.corrupt, "the copy has another size than its source, which stays", key: to)
            }
            for checksum in outcome.info.checksums { try stored.requireSameBytes(checksum) }
            try reading(from) { backend, _, inner throws(CofferError) in
                try backend.removeMoved(source, inner, timed(call))
            }
            return outcome
        }
        guard from != to else {
            throw CofferError(.invalidArgument, "source and target are the same object", storage: name, key: to)
        }
        return try inside(from, to: to, options, call) { backend, request throws(CofferError) in
            try backend.move(request, timed(call))
        }
    }

    /// Copies an object beside itself under a new UUID with the same extension.
    package func duplicate(_ key: Key, _ call: Call) throws(CofferError) -> PutOutcome {
        let name = String(key.text.dropFirst(key.folder.count))
        let copy = try Storage.generatedKey(filename: name, location: key.folder)
        // The name is new by its making; a store without create-if-absent needs no other proof.
        let isProvable = try backend().capabilities.has(.createIfAbsent) && policy.conditions != .none
        return try self.copy(key, to: copy, in: self, CopyOptions(onConflict: isProvable ? .error : .replace), call)
    }

    // MARK: Inside one storage

    private func inside(
        _ from: Key,
        to: Key,
        _ options: CopyOptions,
        _ call: Call,
        _ act: (EmulatedBackend, CopyRequest) throws(CofferError) -> ObjectInfo
    ) throws(CofferError) -> PutOutcome {
        try checkWritable()
        return try reading(from) { backend, keys, innerFrom throws(CofferError) in
            let innerTo = try keys.forWriting(to)
            guard from != to || options.metadata != nil else {
                throw CofferError(.invalidArgument, "source and target are the same object")
            }
            let onConflict = from == to ? .replace : options.onConflict
            let terms = try WriteTerms(options.conditions, onConflict, policy)
            var request = CopyRequest(
                from: innerFrom,
                sourceIfMatch: options.sourceIfMatch,
                to: innerTo,
                conditions: terms.conditions,
                attempt: UniqueName.attempt()
            )
            request.metadata = try options.metadata.map { metadata throws(CofferError) in
                try judged(metadata, key: to, backend)
            }
            try judgeSource(innerFrom, to: to, options, backend, call)
            do throws(CofferError) {
                guard terms.renames else {
                    return try place(request, as: to, terms, backend, keys, call, act)
                }
                return try placeUnderFreeName(request, to, terms, backend, keys, call, act)
            } catch {
                throw terms.told(error)
            }
        }
    }

    /// Refuses a source whose type or size this storage would not take; looks only where policy has rules.
    private func judgeSource(
        _ inner: Key,
        to: Key,
        _ options: CopyOptions,
        _ backend: EmulatedBackend,
        _ call: Call
    ) throws(CofferError) {
        guard !policy.accept.isAll || !policy.deny.isNone || policy.maxSize != nil else { return }
        let conditions = Conditions(ifMatch: options.sourceIfMatch)
        let source = try backend.stat(ReadRequest(key: inner, conditions: conditions), timed(call))
        try checkType(to, declared: options.metadata?.contentType ?? source.metadata.contentType)
        try checkSize(source.size, backend)
    }

    private func place(
        _ request: CopyRequest,
        as key: Key,
        _ terms: WriteTerms,
        _ backend: EmulatedBackend,
        _ keys: KeySpace,
        _ call: Call,
        _ act: (EmulatedBackend, CopyRequest) throws(CofferError) -> ObjectInfo
    ) throws(CofferError) -> PutOutcome {
        var isNew = terms.isNew
        if terms.looksFirst || isNew == nil {
            let isThere = try backend.present(request.to, timed(call)) != nil
            guard !isThere || !terms.looksFirst else {
                throw CofferError(.alreadyExists, "there is an object under that key", key: key)
            }
            isNew = !isThere
        }
        var info = keys.outer(try act(backend, request))
        info.key = key
        return PutOutcome(info: info, isNew: isNew ?? true)
    }

    /// The source stays until a name was won, so that losing one costs nothing but another try.
    private func placeUnderFreeName(
        _ request: CopyRequest,
        _ to: Key,
        _ terms: WriteTerms,
        _ backend: EmulatedBackend,
        _ keys: KeySpace,
        _ call: Call,
        _ act: (EmulatedBackend, CopyRequest) throws(CofferError) -> ObjectInfo
    ) throws(CofferError) -> PutOutcome {
        for name in FreeNames(to) where reservedNames.withLock({ $0.insert(name).inserted }) {
            defer { reservedNames.withLock { _ = $0.remove(name) } }
            var request = request
            request.to = try keys.forWriting(name)
            guard try backend.present(request.to, timed(call)) == nil else { continue }
            do throws(CofferError) {
                return try place(request, as: name, terms, backend, keys, call, act)
            } catch {
                guard error.code == .alreadyExists else { throw error }
            }
        }
        throw CofferError(.alreadyExists, "no free name was found beside the key", key: to)
    }

    // MARK: Across storages

    /// Copies into another storage; returns the source as it was read, too.
    private func across(
        _ from: Key,
        to: Key,
        in target: Storage,
        _ options: CopyOptions,
        _ call: Call
    ) throws(CofferError) -> (outcome: PutOutcome, source: ObjectInfo) {
        let request = ReadRequest(
            key: from,
            conditions: Conditions(ifMatch: options.sourceIfMatch),
            wantsDescriptor: true
        )
        let opened = try read(request, call)
        if case .stream(let stream) = opened.body {
            defer { stream.close() }
            return try pour(opened, from, to: to, in: target, options, call)
        }
        return try pour(opened, from, to: to, in: target, options, call)
    }

    private func pour(
        _ opened: ReadResult,
        _ from: Key,
        to: Key,
        in target: Storage,
        _ options: CopyOptions,
        _ call: Call
    ) throws(CofferError) -> (outcome: PutOutcome, source: ObjectInfo) {
        var source = opened.info
        source.size = opened.range.upperBound
        let writer = try target.write(
            PutRequest(
                key: to,
                onConflict: options.onConflict,
                conditions: options.conditions,
                metadata: options.metadata ?? source.metadata,
                size: opened.range.upperBound,
                checksums: source.checksums.filter(\.isComputable)
            ),
            call
        )
        defer { writer.close() }
        switch opened.body {
        case .stream(let stream): try pour(stream, into: writer, size: opened.range.upperBound, call)
        case .descriptor(let file):
            try writer.ingest(file.file, offset: file.offset, length: opened.range.upperBound, call)
        }
        if try !backend().capabilities.has(.readPinned) {
            let now = try stat(from, call)
            guard now.isSameVersion(as: opened.info) else {
                throw CofferError(.changed, "the source changed while it was copied", storage: name, key: from)
            }
        }
        return (try writer.commit(call), source)
    }

    private func pour(
        _ stream: any ReadStream,
        into writer: ObjectWriter,
        size: Int64,
        _ call: Call
    ) throws(CofferError) {
        var buffer = [UInt8](repeating: 0, count: Int(min(max(size, 1), 256 << 10)))
        let call = timed(call)
        while true {
            if call.cancellation.isCancelled { throw CofferError(.cancelled, "cancelled", storage: name) }
            let count = try buffer.withMutableBytes { bytes throws(CofferError) in try stream.read(into: &bytes, call) }
            if count == 0 { return }
            try buffer.withBytes(0..<count) { bytes throws(CofferError) in try writer.append(bytes, call) }
        }
    }
}
