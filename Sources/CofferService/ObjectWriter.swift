// One write from its first byte to its answer: counted, hashed, limited, and published only if all of it is true.
package import CofferBackend
package import CofferModel
package import CofferSystem

/// One write into a storage; nothing is visible before ``commit(_:)``.
///
///     open ──append, ingest──▶ open ──commit──▶ committed
///       └────────── any error, close ─────────▶ closed
///
/// Like a stream of the port: calls on it never overlap, and it may change threads between them; hence unchecked.
package final class ObjectWriter: @unchecked Sendable {
    private let storage: Storage
    private let backend: EmulatedBackend
    private let keys: KeySpace
    private let request: PutRequest
    private let terms: WriteTerms
    private let limit: Int64?
    /// The key that this write takes, as callers and as the store know it.
    private var key: Key
    private var innerKey: Key
    private var stream: (any WriteStream)?
    private var digests: RunningDigests?
    private var expected: [Checksum]
    private var count: Int64 = 0
    private var isNew = true
    private var holdsName = false
    private var body = KeptBody()
    private var replayed: PutOutcome?
    private var isOver = false

    init(
        _ storage: Storage,
        _ backend: EmulatedBackend,
        _ keys: KeySpace,
        _ request: PutRequest,
        _ terms: WriteTerms,
        _ innerKey: Key
    ) {
        self.storage = storage
        self.backend = backend
        self.keys = keys
        self.request = request
        self.terms = terms
        self.innerKey = innerKey
        key = request.key
        limit = storage.sizeLimit(backend)
        expected = request.checksums
    }

    /// A writer that takes the body of a repeated request to nowhere, and gives the first one's answer.
    convenience init(
        replaying outcome: PutOutcome,
        _ storage: Storage,
        _ backend: EmulatedBackend,
        _ keys: KeySpace,
        _ request: PutRequest,
        _ terms: WriteTerms,
        _ innerKey: Key
    ) {
        self.init(storage, backend, keys, request, terms, innerKey)
        replayed = outcome
    }

    deinit { close() }

    /// Begins the store's write, under the asked name or a free one beside it.
    func open(_ digests: RunningDigests?, _ call: Call) throws(CofferError) {
        self.digests = digests
        guard terms.renames else { return try begin(call) }
        for name in FreeNames(request.key) where try take(name) {
            do throws(CofferError) {
                if try backend.present(innerKey, call) == nil { return try begin(call) }
            } catch {
                guard error.code == .alreadyExists else { throw error }
            }
            releaseName()
        }
        throw CofferError(.alreadyExists, "no free name was found beside the key", key: request.key)
    }

    /// Makes `name` this write's key unless another write is about to take it.
    private func take(_ name: Key) throws(CofferError) -> Bool {
        guard storage.reservedNames.withLock({ $0.insert(name).inserted }) else { return false }
        key = name
        holdsName = true
        innerKey = try keys.forWriting(name)
        return true
    }

    private func releaseName() {
        guard holdsName else { return }
        holdsName = false
        let name = key
        storage.reservedNames.withLock { _ = $0.remove(name) }
    }

    private func begin(_ call: Call) throws(CofferError) {
        if terms.looksFirst { try requireAbsent(call) }
        isNew = if let known = terms.isNew { known } else { try backend.present(innerKey, call) == nil }
        stream = try backend.beginWrite(
            WriteRequest(
                key: innerKey,
                conditions: terms.conditions,
                metadata: request.metadata,
                size: request.size,
                checksums: expected,
                attempt: UniqueName.attempt()
            ),
            call
        )
    }

    private func requireAbsent(_ call: Call) throws(CofferError) {
        guard try backend.present(innerKey, call) != nil else { return }
        throw CofferError(.alreadyExists, "there is an object under that key", key: key)
    }

    /// Takes all of `bytes` or throws, and then only ``close()`` may follow.
    ///
    /// - Throws: ``CofferError`` with `too_large` past the storage's limit, which is in the message; `invalid_argument` past
    ///   the announced size.
    package func append(_ bytes: RawSpan, _ call: Call) throws(CofferError) {
        guard replayed == nil else { return }
        do throws(CofferError) {
            let stream = try running(Int64(bytes.byteCount))
            try stream.append(bytes, storage.timed(call))
            digests?.update(bytes)
            if terms.renames { body.keep(bytes) }
        } catch {
            throw failed(error)
        }
    }

    /// Takes `length` bytes at `offset` of a regular file, which stays the caller's.
    ///
    /// A store that copies files itself gets the descriptor, and the digest is computed by reading the file beside that.
    /// Where the caller announced a digest, the bytes pass through the host instead, so that what is compared is what is
    /// stored, whoever writes into the file meanwhile.
    package func ingest(
        _ file: Descriptor,
        offset: Int64,
        length: Int64,
        _ call: Call
    ) throws(CofferError) {
        guard replayed == nil else { return }
        do throws(CofferError) {
            let call = storage.timed(call)
            let stream = try running(length)
            let isNative =
                expected.isEmpty && request.trailingAlgorithms.isEmpty && length > 0
                ? try stream.ingest(file, offset: offset, length: length, call) : false
            let digests = digests
            if !isNative || digests?.isEmpty == false {
                try FilePieces.read(file, offset: offset, length: length, call) { bytes throws(CofferError) in
                    digests?.update(bytes)
                    if !isNative { try stream.append(bytes, call) }
                }
            }
            if terms.renames { body.keep(file, offset: offset, length: length) }
        } catch {
            throw failed(error)
        }
    }

    /// The stream, if `more` bytes may still come.
    private func running(_ more: Int64) throws(CofferError) -> any WriteStream {
        guard let stream, !isOver else { throw CofferError(.internal, "the write is over") }
        count += more
        if let limit, count > limit { throw storage.tooLarge(limit) }
        if let size = request.size, count > size {
            throw CofferError(.invalidArgument, "the body has more than the announced \(size) bytes")
        }
        return stream
    }

    /// Takes a digest that the caller announced only after the body.
    ///
    /// - Throws: ``CofferError`` with `unsupported` where it was not computed: see ``PutRequest/trailingAlgorithms``.
    package func expect(_ checksum: Checksum) throws(CofferError) {
        guard replayed == nil else { return }
        do throws(CofferError) {
            try checksum.checkAnnounced()
            guard digests?.has(checksum.algorithm) == true else {
                throw CofferError(
                    .unsupported,
                    "a \(checksum.algorithm.rawValue) came behind a body of which none was computed"
                )
            }
            expected.append(checksum)
        } catch {
            throw failed(error)
        }
    }

    /// Publishes, if size and digests are as announced.
    ///
    /// - Throws: ``CofferError`` with `checksum_mismatch`, `invalid_argument` for another size than announced, and what the
    ///   conditions have it at this moment; nothing is published then.
    package func commit(_ call: Call) throws(CofferError) -> PutOutcome {
        if let replayed {
            isOver = true
            return replayed
        }
        do throws(CofferError) {
            guard !isOver else { throw CofferError(.internal, "the write is over") }
            if let size = request.size, size != count {
                throw CofferError(.invalidArgument, "the body has \(count) bytes, \(size) were announced")
            }
            let computed = digests?.finish() ?? []
            try compare(computed)
            let info = try publish(computed, storage.timed(call))
            let outcome = PutOutcome(info: told(info, computed), isNew: isNew)
            if let idempotencyKey = request.idempotencyKey {
                storage.idempotency.finish(idempotencyKey, request: request.fingerprint, outcome)
            }
            isOver = true
            stream?.close()
            releaseName()
            return outcome
        } catch {
            throw failed(error)
        }
    }

    private func compare(_ computed: [Checksum]) throws(CofferError) {
        for announced in expected {
            guard let own = computed.first(where: { $0.algorithm == announced.algorithm }) else { continue }
            guard own.value.utf8.elementsEqual(announced.value.lowercased().utf8) else {
                throw CofferError(
                    .checksumMismatch,
                    "the bytes have \(own.algorithm.rawValue) \(own.value), announced was \(announced.value.lowercased())"
                )
            }
        }
    }

    /// Commits, and where a name was lost to somebody else meanwhile, writes what was kept of the body under the next.
    private func publish(_ computed: [Checksum], _ call: Call) throws(CofferError) -> ObjectInfo {
        var attempts = 0
        while true {
            do throws(CofferError) {
                if terms.looksFirst { try requireAbsent(call) }
                guard let stream else { throw CofferError(.internal, "the write is over") }
                let info = try stream.commit(computed, call)
                guard info.size == nil || info.size == count else {
                    throw CofferError(
                        .corrupt,
                        "the store kept \(info.size ?? 0) of \(count) bytes",
                        isMaybeApplied: true
                    )
                }
                return info
            } catch {
                guard error.code == .alreadyExists, terms.renames, body.isWhole, attempts < 10 else { throw error }
                attempts += 1
                stream?.close()
                releaseName()
                try open(digests, call)
                if let stream { try body.write(to: stream, call) }
            }
        }
    }

    /// What the caller learns: its own key, and the storage's digest even where the store kept none.
    private func told(_ info: ObjectInfo, _ computed: [Checksum]) -> ObjectInfo {
        var info = keys.outer(info)
        info.key = key
        info.size = info.size ?? count
        if let own = computed.first(where: { $0.algorithm == storage.policy.checksum }),
            !info.checksums.contains(where: { $0.algorithm == own.algorithm && !$0.isComposite })
        {
            info.checksums.append(own)
        }
        return info
    }

    private func failed(_ error: CofferError) -> CofferError {
        close()
        return keys.outer(terms.told(error), key: request.key)
    }

    /// Aborts unless committed; a second time changes nothing.
    ///
    /// Also runs when the last reference goes.
    package func close() {
        guard !isOver else { return }
        isOver = true
        stream?.close()
        stream = nil
        releaseName()
        if let idempotencyKey = request.idempotencyKey, replayed == nil { storage.idempotency.abandon(idempotencyKey) }
    }
}
