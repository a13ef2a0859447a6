// Writing objects: what is common to the ways in which their bytes go up.

import CofferCrypto
import CofferPluginSDK
import CofferTransport

/// What is written where: one object to be, apart from its bytes.
struct Draft {
    let storage: AzureStorage
    let request: WriteRequest
    /// What describes the object.
    let headers: HTTPHeaders

    /// Refuses what can be refused before any I/O.
    init(_ storage: AzureStorage, _ request: WriteRequest) throws(BackendError) {
        self.storage = storage
        self.request = request
        _ = try BlobName.name(of: request.key)
        if let size = request.size, size > BlockPlan.largestObject {
            throw BackendError(.tooLarge, "an object has at most \(BlockPlan.largestObject) bytes: \(request.key)")
        }
        var headers = storage.configuration.creation
        headers["x-ms-blob-content-type"] = ObjectHead.plainType
        try ObjectHead.write(request.properties, request.metadata, to: &headers)
        self.headers = headers
    }

    /// The headers of the conditions; what they mean is `failure`.
    func addConditions(to headers: inout HTTPHeaders) {
        let conditions = request.conditions
        if !conditions.ifNoneMatch.isEmpty { headers.add("If-None-Match", "*") }
        if !conditions.ifMatch.isEmpty {
            headers.add("If-Match", conditions.ifMatch == "*" ? "*" : "\"\(conditions.ifMatch)\"")
        }
    }

    /// Adds the mark by which this attempt knows its own object again.
    func mark(_ headers: inout HTTPHeaders) { MetadataCode.addOwn("attempt", hex(request.attempt.bytes), to: &headers) }

    /// What is there, if this attempt wrote it.
    private func ours(call: Call) throws(BackendError) -> HTTPHead? {
        guard !request.attempt.isEmpty, let head = try storage.head(request.key, call: call),
            let mark = MetadataCode.own("attempt", in: head.headers),
            mark.utf8.elementsEqual(hex(request.attempt.bytes).utf8)
        else { return nil }
        return head
    }

    /// Statuses that leave open whether the service did anything; what did nothing, the endpoint repeats itself.
    static let undecided: Set<Int> = [500, 502, 504]

    /// Sends what publishes the object, so that a lost answer is not taken for a lost condition: before it is repeated,
    /// and before a refusal counts, what is there tells by our mark whether it was done.
    ///
    /// Answers the head that tells of the object; other answers are thrown.
    func publish(_ request: HTTPRequest, call: Call) throws(BackendError) -> HTTPHead {
        var request = request
        request.repetition = .onlyUnsent
        let policy = storage.configuration.settings.retries
        var pause: UInt64 = 100_000_000
        var isOpen = false
        for attempt in 1... {
            let isLast = attempt >= policy.attempts
            do throws(BackendError) {
                let answer = try storage.endpoint.send(request, call: call)
                if answer.head.isSuccess { return answer.head }
                let isTransient = Self.undecided.contains(answer.status)
                if isOpen || isTransient, let head = try ours(call: call) { return head }
                if !isTransient || isLast { throw try refused(answer, call: call) }
            } catch {
                guard error.isMaybeApplied, error.native < 400 else { throw error }
                try call.check()
                isOpen = true
                if let head = try ours(call: call) { return head }
                if isLast { throw error }
            }
            isOpen = true
            try call.sleep(nanoseconds: UInt64.random(in: 0...pause))
            pause = min(pause * 2, 5_000_000_000)
        }
        throw BackendError(.internal, "no attempt was made")
    }

    /// The error of an answer to what publishes the object.
    func refused(_ answer: HTTPAnswer, call: Call) throws(BackendError) -> BackendError {
        let refusal = Refusal(answer)
        let (key, conditions) = (request.key, request.conditions)
        let native = Int32(answer.status)
        let isLost = ["ConditionNotMet", "TargetConditionNotMet", "BlobAlreadyExists"].contains(refusal.code)
        if isLost || (refusal.isAbsent && !conditions.ifMatch.isEmpty) {
            return conditions.ifMatch.isEmpty
                ? BackendError(.alreadyExists, "already exists: \(key)", native: native)
                : BackendError(.precondition, "another version: \(key)", native: native)
        }
        guard refusal.code == "InvalidBlockList" else { return refusal.error(answer, "writing \(key)", key: nil) }
        // Whoever publishes a name drops the blocks that others have gathered for it.
        let present = try storage.head(key, call: call).map { storage.entry(key, $0).etag }
        do throws(BackendError) {
            try conditions.checkWrite(key, existing: present)
        } catch {
            return error
        }
        return BackendError(
            .unavailable,
            "another write of \(key) was quicker and dropped the blocks of this one: try again",
            isRetryable: true,
            native: native
        )
    }

    /// What a stat would tell of the new object; `head` is the answer to what published it.
    func published(_ head: HTTPHead, size: UInt64, checksums: Checksums) -> Entry {
        var entry = Entry(request.key, size: Int64(clamping: size))
        entry.etag = ByteString(unquoted(head.headers["etag"] ?? ""))
        entry.modified = head.headers["last-modified"].flatMap { HTTPDate.parse($0) } ?? Entry.unknownTime
        entry.properties = request.properties
        if entry.properties["content-type"] == nil { entry.properties["content-type"] = ObjectHead.plainType }
        if entry.properties["storage-class"] == nil { entry.properties["storage-class"] = headers["x-ms-access-tier"] }
        entry.metadata = request.metadata
        for checksum in checksums where Digest.Algorithm(rawValue: checksum.algorithm) != nil && !checksum.isComposite {
            entry.checksums.append(checksum)
        }
        return entry
    }
}

/// Proves digests that were claimed beforehand.
struct ClaimedDigests {
    private let claims: Checksums
    private var digests: [Digest] = []

    init(_ claims: Checksums) { self.claims = claims }

    /// Claims that can be proven at the end, so that they may be kept before.
    private var provable: [Checksum] {
        claims.filter { !$0.isComposite && Digest.Algorithm(rawValue: $0.algorithm) != nil }
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
