// A session of the store that takes one object in chunks, and goes on where a chunk broke off.

import CofferCrypto
import CofferJSON
import CofferPluginSDK
package import CofferTransport

/// What the store answers to a chunk, or to the question how far it is.
package enum SessionAnswer: Sendable {
    /// The object is made.
    case finished
    /// So many bytes from the beginning are kept.
    case kept(UInt64)
    /// The session is over: it ended, or was never there.
    case gone
    /// Anything else.
    case refused

    /// Reads an answer by its head.
    package init(_ head: HTTPHead) {
        switch head.status {
        case 200, 201: self = .finished
        case 308:
            // Without a range nothing is kept.
            guard let text = head.headers["range"] else {
                self = .kept(0)
                return
            }
            let halves = text.split(separator: "-")
            guard halves.count == 2, halves[0].utf8.elementsEqual("bytes=0".utf8), let last = UInt64(halves[1]),
                last < UInt64.max
            else {
                self = .refused
                return
            }
            self = .kept(last + 1)
        case 404, 410: self = .gone
        default: self = .refused
        }
    }
}

/// A session of the store, unseen until its last chunk.
struct UploadSession: Sendable {
    private let storage: GCSStorage
    private let key: ByteString
    private let location: HTTPLocation
    private let failure: @Sendable (HTTPAnswer) -> BackendError

    /// Begins a session; conditions that are lost already are thrown.
    init(_ draft: Draft, size: UInt64?, call: Call) throws(BackendError) {
        storage = draft.storage
        key = draft.key
        failure = { answer in draft.failure(answer, "writing \(draft.key)") }
        let query = [(name: "uploadType", value: "resumable")] + draft.storage.creation(draft.precondition)
        var request = HTTPRequest(
            "POST",
            "\(draft.storage.configuration.place.uploadPath)?\(encodedQuery(query))",
            headers: ["Content-Type": "application/json; charset=UTF-8"],
            body: draft.object.document(name: draft.key)
        )
        if let type = draft.object.properties["content-type"], type.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
            request.headers.add("X-Upload-Content-Type", type)
        }
        if let size { request.headers.add("X-Upload-Content-Length", String(size)) }
        // One too many is only a session that nobody ends.
        request.repetition = .always
        let answer = try draft.storage.endpoint.send(request, call: call)
        guard answer.head.isSuccess else { throw failure(answer) }
        guard let text = answer.head.headers["location"], let location = try? HTTPLocation(parsing: text) else {
            // Why it cannot be read matters to nobody, and it is as good as a key.
            throw BackendError(.io, "writing \(draft.key): the store names no session")
        }
        let ours = draft.storage.configuration.place.origin
        guard location.origin.isSecure || !ours.isSecure else {
            throw BackendError(.io, "writing \(draft.key): the store names a session without TLS")
        }
        self.location = location
    }

    /// Sends bytes from `offset` on, until the store keeps them all; with `total` they are the last, and what was made is
    /// answered.
    ///
    /// What breaks is asked for how far it came, and goes on from there.
    @discardableResult
    func send(
        _ body: [UInt8],
        at offset: UInt64,
        total: UInt64? = nil,
        crc32c: [UInt8] = [],
        call: Call
    ) throws(BackendError) -> ObjectResource? {
        let end = offset + UInt64(body.count)
        var next = offset
        var failures = 0
        var asks = false
        while true {
            let answer: HTTPAnswer
            do throws(BackendError) {
                let piece = asks ? [] : next == offset ? body : Array(body[Int(next - offset)...])
                answer = try put(piece, at: next, total: total, crc32c: crc32c, asks: asks, call: call)
            } catch {
                guard error.isRetryable || error.isMaybeApplied, error.code != .cancelled, !call.isLate else {
                    throw error
                }
                try rest(after: &failures, error, call: call)
                asks = true
                continue
            }
            switch SessionAnswer(answer.head) {
            case .finished:
                guard total != nil else {
                    throw BackendError(.io, "writing \(key): the store ended the object too early")
                }
                return try storage.resource(in: answer, "writing \(key)")
            case .kept(let kept):
                guard kept >= next, kept <= end else {
                    throw BackendError(
                        .io,
                        "writing \(key): the store keeps other bytes than it said",
                        isRetryable: true
                    )
                }
                if kept > next {
                    failures = 0
                } else if !asks {
                    // It took nothing: not for ever.
                    try rest(
                        after: &failures,
                        BackendError(.unavailable, "writing \(key): the store takes no bytes", isRetryable: true),
                        call: call
                    )
                }
                next = kept
                asks = false
                if next == end, total == nil { return nil }
            case .gone:
                throw BackendError(
                    .unavailable,
                    "writing \(key): the store has lost the session",
                    isRetryable: true,
                    isMaybeApplied: total != nil,
                    native: Int32(answer.status)
                )
            case .refused:
                let error = failure(answer)
                // What is damaged is kept by now: no repetition mends it.
                guard error.isRetryable, !Refusal(answer).isDamage else { throw error }
                try rest(after: &failures, error, call: call)
                asks = true
            }
        }
    }

    /// Waits before the next attempt; throws where there is none.
    private func rest(after failures: inout Int, _ error: BackendError, call: Call) throws(BackendError) {
        failures += 1
        guard failures < storage.configuration.settings.retries.attempts else { throw error }
        let longest = min(UInt64(100_000_000) << UInt64(min(failures - 1, 6)), 5_000_000_000)
        let asked = UInt64(error.retryAfterMilliseconds) * 1_000_000
        try call.sleep(nanoseconds: max(asked, UInt64.random(in: 0...longest)))
    }

    private func put(
        _ piece: [UInt8],
        at offset: UInt64,
        total: UInt64?,
        crc32c: [UInt8],
        asks: Bool,
        call: Call
    ) throws(BackendError) -> HTTPAnswer {
        // A question that names the size would end the object, and without the digest.
        let all = asks ? "*" : total.map { String($0) } ?? "*"
        let range = piece.isEmpty ? "*" : "\(offset)-\(offset + UInt64(piece.count) - 1)"
        var request = self.request("PUT", headers: ["Content-Range": "bytes \(range)/\(all)"], body: piece)
        if !crc32c.isEmpty, !asks { request.headers.add("X-Goog-Hash", "crc32c=\(base64(crc32c))") }
        // A question may be asked twice; a chunk is not sent again before it is known how far it came.
        request.repetition = asks ? .always : .onlyUnsent
        return try storage.endpoint.send(request, call: call)
    }

    private func request(_ method: String, headers: HTTPHeaders, body: [UInt8] = []) -> HTTPRequest {
        var request = HTTPRequest(method, location.target, headers: headers, body: body)
        request.origin = location.origin
        // The session is as good as a key; a token goes to our own server alone.
        request.isSigned = location.origin == storage.configuration.place.origin
        return request
    }

    /// Ends the session without an object.
    func abort(call: Call) throws(BackendError) {
        _ = try storage.endpoint.send(request("DELETE", headers: HTTPHeaders()), call: call)
    }
}
