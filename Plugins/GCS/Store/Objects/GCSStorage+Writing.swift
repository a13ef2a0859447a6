// Writing objects: what is common to the ways in which their bytes go up.

import CofferCrypto
import CofferJSON
package import CofferPluginSDK
import CofferTransport

extension GCSStorage {
    package func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        try ObjectWriter(self, request)
    }

    /// The parameters of every request that makes an object.
    func creation(_ precondition: Precondition) -> [(name: String, value: String)] {
        var query = precondition.query
        if let acl = configuration.acl { query.append((name: "predefinedAcl", value: acl)) }
        if let key = configuration.kmsKey { query.append((name: "kmsKeyName", value: key)) }
        return query
    }
}

/// One object to be, apart from its bytes.
struct Draft: Sendable {
    let storage: GCSStorage
    let key: ByteString
    let conditions: Conditions
    /// The attempt, in hexadecimal.
    let attempt: String
    var object: ObjectDraft
    let precondition: Precondition

    /// Refuses what can be refused before any I/O.
    init(
        _ storage: GCSStorage,
        _ key: ByteString,
        conditions: Conditions,
        attempt: ByteString,
        properties: Properties,
        metadata: Properties
    ) throws(BackendError) {
        try Place.check(key)
        self.storage = storage
        self.key = key
        self.conditions = conditions
        self.attempt = hex(attempt.bytes)
        object = try ObjectDraft(key, properties: properties, metadata: metadata)
        if object.storageClass == nil { object.storageClass = storage.configuration.storageClass }
        precondition = try Precondition(key, conditions)
    }

    /// Sends what makes the object in one step.
    func sendOnce(_ request: HTTPRequest, _ doing: String, call: Call) throws(BackendError) -> ObjectResource {
        try sendOnce(request, isMarked: !conditions.isEmpty, call: call) { answer throws(BackendError) in
            try storage.resource(in: answer, doing)
        } refuse: { answer in
            failure(answer, doing)
        } recognise: {
            $0
        }
    }

    /// Sends what changes the object, so that a lost answer is not taken for a lost condition.
    ///
    /// What is not marked is simply repeated. Else what is there tells by our mark whether it was done: `recognise` makes
    /// of it what `read` would have made of the answer.
    func sendOnce<Made>(
        _ request: HTTPRequest,
        isMarked: Bool,
        call: Call,
        read: (HTTPAnswer) throws(BackendError) -> Made,
        refuse: (HTTPAnswer) throws(BackendError) -> BackendError,
        recognise: (ObjectResource) -> Made
    ) throws(BackendError) -> Made {
        var request = request
        request.repetition = isMarked ? .onlyUnsent : .always
        let policy = storage.configuration.settings.retries
        var pause: UInt64 = 100_000_000
        for attempt in 1... {
            var reason: BackendError
            do throws(BackendError) {
                let answer = try storage.endpoint.send(request, call: call)
                if answer.head.isSuccess { return try read(answer) }
                reason = try refuse(answer)
                // Lost at first sight is lost; after an attempt that broke off, it may be our own doing.
                guard isMarked, policy.statuses.contains(answer.status) || attempt > 1 else { throw reason }
            } catch {
                guard isMarked, error.isMaybeApplied || error.isRetryable || attempt > 1 else { throw error }
                reason = error
            }
            try call.check()
            if let found = try storage.resource(key, call: call), isOurs(found) { return recognise(found) }
            guard reason.isRetryable || reason.isMaybeApplied, attempt < policy.attempts else { throw reason }
            try call.sleep(nanoseconds: UInt64.random(in: 0...pause))
            pause = min(pause * 2, 5_000_000_000)
        }
        throw BackendError(.internal, "no attempt was made")
    }

    /// Whether what is there was written by this attempt.
    func isOurs(_ found: ObjectResource) -> Bool {
        !found.attempt.isEmpty && found.attempt.utf8.elementsEqual(attempt.utf8)
    }

    /// The error of an answer to what publishes the object.
    func failure(_ answer: HTTPAnswer, _ doing: String) -> BackendError {
        let refusal = Refusal(answer)
        let isLost = answer.status == 412 || (answer.status == 304 && !conditions.isEmpty)
        let isGone = answer.status == 404 && !refusal.isAboutBucket && !conditions.ifMatch.isEmpty
        guard isLost || isGone else { return refusal.error(answer, doing, key: nil) }
        return conditions.ifMatch.isEmpty
            ? BackendError(.alreadyExists, "already exists: \(key)", native: Int32(answer.status))
            : BackendError(.precondition, "another version: \(key)", native: Int32(answer.status))
    }

    /// Compares what the store says of the new object with what was sent; what differs is removed again.
    func check(_ made: ObjectResource, size: UInt64, crc32c: [UInt8], call: Call) throws(BackendError) {
        let isSame = made.entry.size < 0 || UInt64(made.entry.size) == size
        if isSame, made.crc32c.isEmpty || made.crc32c.utf8.elementsEqual(hex(crc32c).utf8) { return }
        if let version = made.version {
            let query = encodedQuery([(name: "ifGenerationMatch", value: String(version.generation))])
            let request = HTTPRequest("DELETE", "\(storage.configuration.place.path(key))?\(query)")
            // It failed already: that nobody can take it away again changes nothing of that.
            _ = try? storage.endpoint.send(request, call: call)
        }
        throw BackendError(.io, "writing \(key): the bytes were damaged on their way", isRetryable: true)
    }
}
