// Writing objects: what is common to the ways in which their bytes go up.

import CofferCrypto
import CofferMetadata
package import CofferPluginSDK
import CofferTransport

extension S3Storage {
    package func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        try ObjectWriter(self, request)
    }
}

/// What is written where: one object to be, apart from its bytes.
struct Draft {
    let storage: S3Storage
    let request: WriteRequest
    /// What describes the object.
    let headers: HTTPHeaders

    /// Refuses what can be refused before any I/O.
    init(_ storage: S3Storage, _ request: WriteRequest) throws(BackendError) {
        self.storage = storage
        self.request = request
        if let size = request.size, size > PartPlan.largestObject {
            throw BackendError(.tooLarge, "an object has at most 5 TiB: \(request.key)")
        }
        let limit = storage.configuration.traits.metadataLimit
        guard limit == 0 || UInt64(request.metadata.byteCount) <= limit else {
            throw BackendError(.invalidArgument, "user metadata have at most \(limit) bytes here: \(request.key)")
        }
        var headers = storage.configuration.creation
        // What has no type gets one here: else each store makes up another.
        headers["content-type"] = "application/octet-stream"
        try storage.heads.write(request.properties, request.metadata, to: &headers)
        self.headers = headers
    }

    /// The headers of the conditions; what they mean is `conditionLost`.
    func addConditions(to headers: inout HTTPHeaders) {
        if !request.conditions.ifNoneMatch.isEmpty { headers.add("If-None-Match", "*") }
        guard !request.conditions.ifMatch.isEmpty else { return }
        let token = request.conditions.ifMatch
        let isBare = token == "*" || storage.configuration.traits.comparesBareTags
        headers.add("If-Match", isBare ? token.string : "\"\(token)\"")
    }

    /// The error of an answer to what publishes the object; nil if it was published after all.
    ///
    /// A request that is repeated because its answer was lost meets its own success: what is there tells by our mark.
    func failure(_ answer: HTTPAnswer, isMarked: Bool, call: Call) throws(BackendError) -> BackendError? {
        let refusal = Refusal(answer)
        let isLost = answer.status == 412 || refusal.code == "PreconditionFailed"
        let isGone = refusal.code == "NoSuchUpload"
        if isMarked, isLost || isGone, let head = try storage.head(request.key, call: call), isOurs(head) { return nil }
        let isAbsent = answer.status == 404 && refusal.code != "NoSuchBucket" && !isGone
        if isLost || (isAbsent && !request.conditions.ifMatch.isEmpty) {
            return request.conditions.ifMatch.isEmpty
                ? BackendError(.alreadyExists, "already exists: \(request.key)", native: Int32(answer.status))
                : BackendError(.precondition, "another version: \(request.key)", native: Int32(answer.status))
        }
        return refusal.error(answer, "writing \(request.key)", key: nil)
    }

    /// Sends a put with a condition so that a lost answer is not taken for a lost condition: before it is repeated, what is
    /// there tells by our mark whether it was done.
    func sendOnce(_ request: HTTPRequest, call: Call) throws(BackendError) -> HTTPAnswer {
        var request = request
        request.repetition = .onlyUnsent
        let policy = storage.configuration.settings.retries
        var pause: UInt64 = 100_000_000
        for attempt in 1... {
            let isLast = attempt >= policy.attempts
            var answer: HTTPAnswer?
            do throws(BackendError) {
                let got = try storage.endpoint.send(request, call: call)
                guard policy.statuses.contains(got.status) || Refusal(got).isConflict else { return got }
                answer = got
            } catch {
                guard error.isMaybeApplied || error.isRetryable else { throw error }
                try call.check()
                if let head = try storage.head(self.request.key, call: call), isOurs(head) {
                    return HTTPAnswer(head: HTTPHead(status: 200, headers: head.headers), body: [])
                }
                if isLast { throw error }
            }
            if let answer {
                if let head = try storage.head(self.request.key, call: call), isOurs(head) {
                    return HTTPAnswer(head: HTTPHead(status: 200, headers: head.headers), body: [])
                }
                if isLast { return answer }
            }
            try call.sleep(nanoseconds: UInt64.random(in: 0...pause))
            pause = min(pause * 2, 5_000_000_000)
        }
        throw BackendError(.internal, "no attempt was made")
    }

    /// Adds the mark by which this attempt knows its own object again.
    func mark(_ headers: inout HTTPHeaders) {
        MetadataCode.addOwn("attempt", hex(request.attempt.bytes), to: &headers)
    }

    /// Whether what is there was written by this attempt.
    func isOurs(_ head: HTTPHead) -> Bool {
        MetadataCode.own("attempt", in: head.headers).map { $0.utf8.elementsEqual(hex(request.attempt.bytes).utf8) }
            ?? false
    }

    /// What a stat would tell of the new object.
    ///
    /// `etag` is what the store said, and may be empty. Whoever replaced it since is not taken for ours. With `modified`
    /// everything is known and nobody asks the store.
    func published(
        etag: String,
        size: UInt64,
        modified: Int64? = nil,
        headers: HTTPHeaders,
        isMarked: Bool,
        call: Call
    ) throws(BackendError) -> Entry {
        if let modified, !etag.isEmpty {
            var entry = storage.heads.entry(request.key, headers, size: Int64(clamping: size))
            (entry.etag, entry.modified) = (ByteString(etag), modified)
            return entry
        }
        let head: HTTPHead?
        do throws(BackendError) {
            head = try storage.head(request.key, call: call)
        } catch {
            // It is there: that nobody can look just now must not make a failure of it.
            head = nil
        }
        if let head {
            let entry = storage.entry(request.key, head)
            if isMarked ? isOurs(head) : entry.etag.bytes.elementsEqual(etag.utf8) { return entry }
        }
        var entry = storage.heads.entry(request.key, headers, size: Int64(clamping: size))
        entry.etag = ByteString(etag)
        return entry
    }
}

/// Proves digests that were claimed beforehand.
struct ClaimedDigests {
    private let claims: Checksums
    private var digests: [Digest] = []

    init(_ claims: Checksums) { self.claims = claims }

    /// Claims that can be proven at the end, so that they may be kept before.
    var provable: Checksums {
        var provable = Checksums()
        for claim in claims where !claim.isComposite && Digest.Algorithm(rawValue: claim.algorithm) != nil {
            provable.append(claim)
        }
        return provable
    }

    /// Begins to compute what is claimed, where the bytes will not stay at hand.
    mutating func compute() {
        digests = provable.compactMap { Digest.Algorithm(rawValue: $0.algorithm) }.map { Digest($0) }
    }

    /// Takes in the next bytes.
    func update(_ bytes: RawSpan) {
        for digest in digests { digest.update(bytes) }
    }

    /// Everything proven: what the host computed, and claims that agree with the bytes.
    ///
    /// Another value is `checksum`.
    func proven(_ computed: Checksums, whole: [UInt8]? = nil) throws(BackendError) -> Checksums {
        var proven = computed
        for claim in provable {
            let actual: String
            if let known = computed[claim.algorithm], !known.isComposite {
                actual = known.value
            } else if let digest = digests.first(where: { $0.algorithm.rawValue == claim.algorithm }) {
                actual = digest.finishHex()
            } else if let whole, let algorithm = Digest.Algorithm(rawValue: claim.algorithm) {
                actual = hex(Digest.of(whole, algorithm))
            } else {
                continue
            }
            guard actual.utf8.elementsEqual(claim.value.utf8) else {
                throw BackendError(.checksum, "the \(claim.algorithm) of the bytes is another one")
            }
            if proven[claim.algorithm] == nil { proven.append(claim) }
        }
        return proven
    }
}
