// Writing objects: what is common to the ways in which their bytes go up.

import CofferCrypto
package import CofferPluginSDK
import CofferTransport

extension OpenStackStorage {
    package func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        try ObjectWriter(self, request)
    }

    /// Adds the digest by which the store verifies a body.
    func addDigest(to request: inout HTTPRequest) {
        if configuration.checksum == .md5 { request.headers.add("ETag", hex(Digest.of(request.body, .md5))) }
    }
}

/// What is written where: one object to be, apart from its bytes.
struct Draft {
    let storage: OpenStackStorage
    let request: WriteRequest
    /// What describes the object.
    let headers: HTTPHeaders

    /// Refuses what can be refused before any I/O.
    init(_ storage: OpenStackStorage, _ request: WriteRequest) throws(BackendError) {
        self.storage = storage
        self.request = request
        let largest = SegmentPlan.largestObject(storage.configuration.mostSegments)
        if let size = request.size, size > largest {
            throw BackendError(.tooLarge, "an object has at most \(largest) bytes: \(request.key)")
        }
        headers = try ObjectHead.headers(request.properties, request.metadata)
        try ObjectHead.check(headers, request.key)
    }

    /// Whether the answer to a repeated request has to be told from one to another's.
    var isConditional: Bool { !request.conditions.isEmpty }

    /// Adds the mark by which this attempt knows its own object again.
    func mark(_ headers: inout HTTPHeaders) {
        ObjectHead.addOwn("attempt", hex(request.attempt.bytes), to: &headers)
    }

    /// Whether what is there was written by this attempt.
    private func isOurs(_ head: HTTPHead) -> Bool {
        ObjectHead.own("attempt", in: head.headers)
            .map { $0.utf8.elementsEqual(hex(request.attempt.bytes).utf8) } ?? false
    }

    /// Sends what publishes the object, and clears away the segments of what it replaces; answers what a stat would tell.
    ///
    /// `headers` are those of the object, `size` is that of its bytes.
    func publish(
        _ question: HTTPRequest,
        headers: HTTPHeaders,
        size: UInt64,
        at place: Place,
        call: Call
    ) throws(BackendError) -> Entry {
        let (key, segments) = (request.key, SegmentStore(storage: storage, place: place))
        var leftovers: SegmentStore.Leftovers?
        if try segments.mayExist(call: call) {
            leftovers = try segments.leftovers(of: key, try storage.head(key, at: place, call: call), call: call)
        }
        var question = question
        if isConditional { question.headers.add("If-None-Match", "*") }
        let answer = try place.endpoint.send(question, call: call)
        if let entry = try failure(answer, at: place, call: call) { return entry }
        storage.noteContainer()
        // 202 says that a later change is there already: what we replaced, it replaced.
        if answer.status != 202 { segments.clear(leftovers, call: call) }
        return try published(answer.head, headers: headers, size: size, at: place, call: call)
    }

    /// The error of an answer to what publishes the object; nil of a success, and what is there if it was published
    /// before: a request that is repeated because its answer was lost meets its own success.
    private func failure(_ answer: HTTPAnswer, at place: Place, call: Call) throws(BackendError) -> Entry? {
        if answer.head.isSuccess { return nil }
        let key = request.key
        if answer.status == 412, isConditional {
            if let head = try storage.head(key, at: place, call: call), isOurs(head) { return storage.entry(key, head) }
            throw BackendError(.alreadyExists, "already exists: \(key)", native: 412)
        }
        if answer.status == 404 {
            storage.knowledge.withLock { $0.hasContainer = false }
            try storage.expectContainer(at: place, "writing \(key)", call: call)
        }
        throw Refusal.error(answer, "writing \(key)")
    }

    /// What a stat would tell of the new object: what its answer tells, or a look.
    private func published(
        _ head: HTTPHead,
        headers: HTTPHeaders,
        size: UInt64,
        at place: Place,
        call: Call
    ) throws(BackendError) -> Entry {
        var entry = ObjectHead.entry(request.key, headers, size: Int64(clamping: size))
        entry.etag = ByteString(unquoted(head.headers["etag"] ?? ""))
        entry.modified = head.lastModified ?? Entry.unknownTime
        guard entry.etag.isEmpty || entry.modified == Entry.unknownTime else { return entry }
        // It is there: that nobody can look just now must not make a failure of it.
        if let now = try? storage.head(request.key, at: place, call: call) {
            let seen = storage.entry(request.key, now)
            if entry.etag.isEmpty || seen.etag == entry.etag { return seen }
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
    mutating func update(_ bytes: RawSpan) {
        for index in digests.indices { digests[index].update(bytes) }
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
