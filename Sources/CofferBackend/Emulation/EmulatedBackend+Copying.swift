// Copies and moves: by the store where it can and keeps the conditions, else through the host.
import CofferCrypto
package import CofferModel
import CofferSystem

extension EmulatedBackend {
    /// Copies inside the store.
    package func copy(_ request: CopyRequest, _ call: Call) throws(CofferError) -> ObjectInfo {
        if request.from == request.to {
            guard request.metadata != nil else {
                throw CofferError(.invalidArgument, "source and target are the same object", key: request.to)
            }
            guard native.copy, native.copyMetadata else {
                throw CofferError(
                    .unsupported,
                    "the store cannot change metadata without writing the bytes again",
                    key: request.to
                )
            }
        }
        let canKeepMetadata = request.metadata == nil || native.copyMetadata
        guard native.copy, canKeepMetadata else {
            try standIn(for: native.copy ? .copyMetadata : .copy, key: request.from)
            return try streamedCopy(request, call)
        }
        let copied = try natively(request, call) { request throws(CofferError) in try bare.copy(request, call) }
        if let copied { return copied }
        guard request.from != request.to else {
            throw CofferError(.unsupported, "the store cannot change metadata under a condition", key: request.to)
        }
        try standIn(for: .copyCondition, key: request.from)
        return try streamedCopy(request, call)
    }

    /// Moves inside the store: source or target, never neither.
    package func move(_ request: CopyRequest, _ call: Call) throws(CofferError) -> ObjectInfo {
        guard request.from != request.to else {
            throw CofferError(.invalidArgument, "source and target are the same object", key: request.to)
        }
        let canKeepMetadata = request.metadata == nil || native.copyMetadata
        if native.move, canKeepMetadata {
            let moved = try natively(request, call) { request throws(CofferError) in try bare.move(request, call) }
            if let moved { return moved }
        }
        try standIn(for: .move, key: request.from)
        guard native.remove else { throw CofferError(.unsupported, "the store cannot remove", key: request.from) }
        let source = try stat(
            ReadRequest(
                key: request.from,
                version: request.sourceVersion,
                conditions: Conditions(ifMatch: request.sourceIfMatch)
            ),
            call
        )
        var pinned = request
        if let etag = source.etag { pinned.sourceIfMatch = .tokens([etag]) }
        let target = try copy(pinned, call)
        try verify(target, against: source, call)
        try removeMoved(source, request.from, call)
        return target
    }

    /// Whether a change of metadata can be bound to the version that was looked at.
    package var keepsConditionsInPlace: Bool {
        provenKeeps(.copyCondition) || (locksChanges && !options.refusesConditions)
    }

    /// Runs `act` where the store does it under the request's conditions; nil where it must go through the host.
    private func natively(
        _ request: CopyRequest,
        _ call: Call,
        _ act: (CopyRequest) throws(CofferError) -> ObjectInfo
    ) throws(CofferError) -> ObjectInfo? {
        if let ifNoneMatch = request.conditions.ifNoneMatch, ifNoneMatch != .any {
            throw CofferError(.unsupported, "if-none-match on a copy takes * alone", key: request.to)
        }
        guard !request.conditions.isEmpty || request.sourceIfMatch != nil else {
            return try changing(request.from, request.to, call) { () throws(CofferError) in try act(request) }
        }
        if options.refusesConditions { _ = try keeper(of: .copyCondition) }
        if provenKeeps(.copyCondition) {
            var passed = request
            if let match = request.conditions.ifMatch {
                passed.conditions.ifMatch = try single(match, key: request.to, call)
            }
            if let match = request.sourceIfMatch {
                passed.sourceIfMatch = try single(match, key: request.from, call)
            }
            return try changing(request.from, request.to, call) { () throws(CofferError) in try act(passed) }
        }
        guard locksChanges else { return nil }
        var passed = request
        passed.conditions = .none
        passed.sourceIfMatch = nil
        return try changing(request.from, request.to, call) { () throws(CofferError) in
            try check(request, call)
            return try act(passed)
        }
    }

    /// Checks the conditions of a copy against what is there.
    private func check(_ request: CopyRequest, _ call: Call) throws(CofferError) {
        if let match = request.sourceIfMatch {
            guard let source = try present(request.from, call) else {
                throw CofferError(.notFound, "no such object", key: request.from)
            }
            try Conditions(ifMatch: match).checkForChange(source, key: request.from)
        }
        if !request.conditions.isEmpty {
            try request.conditions.checkForChange(present(request.to, call), key: request.to)
        }
    }

    /// Reads the source and writes the target, with a digest of what went through.
    private func streamedCopy(_ request: CopyRequest, _ call: Call) throws(CofferError) -> ObjectInfo {
        let read = ReadRequest(
            key: request.from,
            version: request.sourceVersion,
            conditions: Conditions(ifMatch: request.sourceIfMatch)
        )
        let opened = try openRead(read, call)
        guard case .stream(let source) = opened.body else {
            throw CofferError(.pluginFailed, "a descriptor came that was not asked for", key: request.from)
        }
        defer { source.close() }
        let size = opened.range.upperBound
        let target = try beginWrite(
            WriteRequest(
                key: request.to,
                conditions: request.conditions,
                metadata: request.metadata ?? opened.info.metadata,
                size: size,
                attempt: request.attempt
            ),
            call
        )
        defer { target.close() }
        let digest = Digest(.sha256)
        var buffer = [UInt8](repeating: 0, count: Int(min(max(size, 1), 256 << 10)))
        while true {
            let count = try buffer.withMutableBytes { bytes throws(CofferError) in try source.read(into: &bytes, call) }
            if count == 0 { break }
            try buffer.withBytes(0..<count) { bytes throws(CofferError) in
                digest.update(bytes)
                try target.append(bytes, call)
            }
        }
        let checksum = Checksum(.sha256, digest.finishHex())
        try opened.info.requireSameBytes(checksum)
        if !native.readPinned { try requireUnchanged(opened.info, request, call) }
        let made = try target.commit([checksum], call)
        guard made.size == nil || made.size == size else {
            throw CofferError(.corrupt, "the copy has another size than its source", key: request.to)
        }
        return made
    }

    /// Throws where the source became another version while it was read.
    private func requireUnchanged(
        _ read: ObjectInfo,
        _ request: CopyRequest,
        _ call: Call
    ) throws(CofferError) {
        let now = try stat(ReadRequest(key: request.from, version: request.sourceVersion), call)
        guard now.isSameVersion(as: read) else {
            throw CofferError(.changed, "the source changed while it was copied", key: request.from)
        }
    }

    /// Throws where a copy, by its store's word, is not what its source was.
    private func verify(_ target: ObjectInfo, against source: ObjectInfo, _ call: Call) throws(CofferError) {
        let stored = try stat(ReadRequest(key: target.key), call)
        guard stored.size == source.size || stored.size == nil || source.size == nil else {
            throw CofferError(.corrupt, "the copy has another size than its source, which stays", key: target.key)
        }
        for checksum in source.checksums { try stored.requireSameBytes(checksum) }
    }

    /// Removes the source of a move, if it is still what was copied.
    ///
    /// - Throws: ``CofferError`` with `changed` where it is not; source and target are both there then.
    package func removeMoved(_ source: ObjectInfo, _ key: Key, _ call: Call) throws(CofferError) {
        var removal = RemoveRequest(key: key)
        let keepsCondition = capabilities.has(.removeIfMatch)
        if keepsCondition, let etag = source.etag { removal.ifMatch = .tokens([etag]) }
        do throws(CofferError) {
            if removal.ifMatch == nil, let now = try present(key, call), !now.isSameVersion(as: source) {
                throw CofferError(.preconditionFailed, "the source changed", key: key)
            }
            try remove(removal, call)
        } catch {
            guard error.code == .preconditionFailed else {
                var error = error
                error.isMaybeApplied = true
                throw error
            }
            throw CofferError(
                .changed,
                "the source changed while it was moved: the target has the version of before, and the source stays",
                key: key,
                isMaybeApplied: true
            )
        }
    }
}

extension ObjectInfo {
    /// Throws where this is known to have other bytes than those of `checksum`.
    package func requireSameBytes(_ checksum: Checksum) throws(CofferError) {
        for own in checksums where own.algorithm == checksum.algorithm && own.isComposite == checksum.isComposite {
            guard own.value == checksum.value else {
                throw CofferError(
                    .corrupt,
                    "the bytes have another \(checksum.algorithm.rawValue) than recorded",
                    key: key
                )
            }
        }
    }

    /// Whether both describe the same version, as far as the store tells versions apart.
    package func isSameVersion(as other: ObjectInfo) -> Bool {
        if let etag, let otherETag = other.etag { return etag.utf8.elementsEqual(otherETag.utf8) }
        return size == other.size && modified == other.modified && version == other.version
    }
}
