// One request and its answer on one connection.

import CCurl
import CofferPluginSDK

/// One request and its answer on one connection.
///
///     begun ──drive──▶ head ──read──▶ ended (connection back in the pool)
///       └────────── failure, deadline, cancel, end() ──────────▶ ended (connection closed)
///
/// It owns its connection until it ended, and ends by itself when the last reference goes.
// Unchecked because one call at a time uses it, as its owners promise.
final class Exchange: @unchecked Sendable {
    private let pool: WirePool
    private let settings: HTTPSettings
    /// How long its server may be silent before it answers.
    let patience: UInt64
    let authority: String
    private let isSafe: Bool
    private let isRepeatable: Bool
    private var wire: Wire?
    /// The request's own bytes, which libcurl reads until the end.
    private let body: UnsafeMutableRawBufferPointer?

    /// Starts a request; nothing is sent before the first drive.
    init(
        _ request: HTTPRequest,
        origin: HTTPOrigin,
        pushing length: UInt64?? = nil,
        pool: WirePool,
        settings: HTTPSettings
    ) throws(BackendError) {
        let wire = try pool.take()
        self.pool = pool
        self.settings = settings
        self.wire = wire
        patience = (request.answerTimeout ?? settings.answerTimeout).nanoseconds
        authority = origin.authority
        isSafe = request.isSafe
        isRepeatable = request.isRepeatable
        let sends = length == nil && (!request.body.isEmpty || request.needsLength)
        if sends {
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: request.body.count, alignment: 1)
            copy.copyBytes(from: request.body)
            body = copy
        } else {
            body = nil
        }
        wire.state.pointee.is_once = isRepeatable ? 0 : 1
        let kind: Wire.Body =
            if let length { .pushed(length: length) } else if let body { .bytes(UnsafeRawBufferPointer(body)) } else {
                .none
            }
        try wire.begin(request, origin: origin, body: kind, settings: settings)
    }

    deinit {
        end()
        body?.deallocate()
    }

    /// Whether nothing of the request can have reached the server.
    private(set) var isUnsent = true

    /// Whether the head of the answer is here, and whether everything is.
    var hasHead: Bool { wire.map { $0.state.pointee.head_done != 0 } ?? true }
    /// Whether nothing more comes from the network.
    var isDone: Bool { wire.map { $0.state.pointee.is_done != 0 } ?? true }

    // MARK: the head

    /// Waits for the head of the answer.
    func awaitHead(_ call: Call) throws(BackendError) -> HTTPHead {
        try drive(call, patience: patience, doing: "answer") { $0.head_done != 0 }
        guard let wire else { throw BackendError(.internal, "the exchange is over") }
        return try readHead(wire.state)
    }

    private func readHead(_ state: UnsafeMutablePointer<coffer_wire>) throws(BackendError) -> HTTPHead {
        guard state.pointee.head_done != 0 else { throw fail("it was closed without an answer") }
        let raw = UnsafeRawBufferPointer(start: state.pointee.head, count: state.pointee.head_len)
        return HTTPHead(status: Int(state.pointee.status), headers: HTTPHeaders(head: raw))
    }

    // MARK: the body of the answer

    /// Fills the front of `buffer`; 0 only at the end of the whole body, and then the connection is in the pool again.
    func read(into buffer: UnsafeMutableRawBufferPointer, _ call: Call) throws(BackendError) -> Int {
        guard let base = buffer.baseAddress, !buffer.isEmpty, let wire else { return 0 }
        let state = wire.state
        var count = takeOverflow(state, into: buffer)
        if count == 0, state.pointee.is_done == 0 {
            state.pointee.target = base.assumingMemoryBound(to: UInt8.self)
            state.pointee.target_cap = buffer.count
            state.pointee.target_len = 0
            defer {
                state.pointee.target = nil
                state.pointee.target_cap = 0
                state.pointee.target_len = 0
            }
            coffer_wire_resume(state)
            try drive(call, patience: settings.stallTimeout.nanoseconds, doing: "body") { $0.target_len > 0 }
            takeWhatIsThere(state)
            count = state.pointee.target_len
        }
        if count == 0, state.pointee.is_done != 0 {
            guard state.pointee.result == 0 else { throw fail(nil) }
        }
        finishIfDone()
        return count
    }

    private func takeOverflow(
        _ state: UnsafeMutablePointer<coffer_wire>,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        let left = state.pointee.overflow_len - state.pointee.overflow_at
        guard left > 0 else { return 0 }
        let count = min(left, buffer.count)
        buffer.baseAddress?.copyMemory(from: state.pointee.overflow + state.pointee.overflow_at, byteCount: count)
        state.pointee.overflow_at += count
        if state.pointee.overflow_at == state.pointee.overflow_len {
            state.pointee.overflow_at = 0
            state.pointee.overflow_len = 0
        }
        return count
    }

    /// Goes on for as long as bytes are there without waiting.
    private func takeWhatIsThere(_ state: UnsafeMutablePointer<coffer_wire>) {
        while state.pointee.is_done == 0, state.pointee.target_len < state.pointee.target_cap {
            let before = state.pointee.moves
            _ = coffer_wire_turn(state, -1, 0)
            if state.pointee.moves == before { return }
        }
    }

    private func finishIfDone() {
        guard let wire else { return }
        let state = wire.state.pointee
        guard state.is_done != 0, state.result == 0, state.overflow_len == 0 else { return }
        end()
    }

    /// The rest of the body; more than `limit` bytes are an error.
    func readAll(limit: Int, expecting length: UInt64?, _ call: Call) throws(BackendError) -> [UInt8] {
        if let length {
            guard length <= UInt64(limit) else { throw tooLong(limit) }
            return try readAll(length: Int(length), call)
        }
        var bytes: [UInt8] = []
        var filled = 0
        while true {
            if bytes.count == filled {
                let room = min(max(bytes.count * 2, 16 << 10), limit + 1)
                bytes.append(contentsOf: repeatElement(0, count: room - bytes.count))
            }
            let start = filled
            var span = bytes.mutableSpan
            var free = span.mutableBytes
            let count = try free.withUnsafeMutableBytes { (all) throws(BackendError) -> Int in
                try read(into: UnsafeMutableRawBufferPointer(rebasing: all[start...]), call)
            }
            if count == 0 { break }
            filled += count
            if filled > limit { throw tooLong(limit) }
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    /// The rest of a body whose length is known: most are short, and nothing is set to zero for them.
    private func readAll(length: Int, _ call: Call) throws(BackendError) -> [UInt8] {
        var failure: BackendError?
        // Room for one byte more, so that the end is seen where it should be.
        let bytes = [UInt8](unsafeUninitializedCapacity: length + 1) { buffer, filled in
            do throws(BackendError) {
                let all = UnsafeMutableRawBufferPointer(buffer)
                while filled < length + 1 {
                    let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: all[filled...]), call)
                    if count == 0 { return }
                    filled += count
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    private func tooLong(_ limit: Int) -> BackendError {
        end()
        return BackendError(.io, "the answer of \(authority) is longer than \(limit) bytes")
    }

    // MARK: one of many

    /// The C side, for whoever drives many at once; nil once it ended.
    var handle: UnsafeMutablePointer<coffer_wire>? { wire?.state }

    /// Moves what came of the body into `body`, and answers the head once the whole answer is there; throws what ended it.
    func gather(into body: inout [UInt8], limit: Int) throws(BackendError) -> HTTPHead? {
        guard let wire else { throw BackendError(.internal, "the exchange is over") }
        let state = wire.state
        let left = state.pointee.overflow_len - state.pointee.overflow_at
        if left > 0 {
            guard body.count + left <= limit else { throw tooLong(limit) }
            body.append(
                contentsOf: UnsafeBufferPointer(start: state.pointee.overflow + state.pointee.overflow_at, count: left)
            )
            state.pointee.overflow_at = 0
            state.pointee.overflow_len = 0
        }
        if state.pointee.recv_paused != 0 { coffer_wire_resume(state) }
        guard state.pointee.is_done != 0 else { return nil }
        guard state.pointee.result == 0 else { throw fail(nil) }
        let head = try readHead(state)
        end()
        return head
    }

    /// Ends one of many that was not finished: `reason` is why.
    func giveUp(_ reason: BackendError) -> BackendError { stop(reason) }

    // MARK: the body of the request

    /// Hands over the next bytes of a pushed body, and returns once libcurl has them all, or the server answered.
    func push(_ bytes: UnsafeRawBufferPointer, isLast: Bool, _ call: Call) throws(BackendError) {
        guard let wire else { return }
        coffer_wire_push(wire.state, bytes.baseAddress, bytes.count, isLast ? 1 : 0)
        guard !bytes.isEmpty else { return }
        try drive(call, patience: settings.stallTimeout.nanoseconds, doing: "upload") {
            $0.piece_at == $0.piece_len || ($0.head_done != 0 && $0.status >= 300)
        }
        // libcurl must never look at them again.
        wire.state.pointee.piece_start += UInt64(bytes.count)
        wire.state.pointee.piece = nil
        wire.state.pointee.piece_len = 0
        wire.state.pointee.piece_at = 0
    }

    /// Waits until the head of the request was given to a connection.
    func awaitIssue(_ call: Call) throws(BackendError) {
        try drive(call, patience: settings.connectTimeout.nanoseconds, doing: "connection") { $0.issued > 0 }
    }

    /// Whether the server refused before the end of the body.
    var isAnsweredEarly: Bool {
        guard let state = wire?.state.pointee else { return true }
        return state.head_done != 0 && (state.status >= 300 || state.is_done != 0)
    }

    // MARK: driving

    private func drive(
        _ call: Call,
        patience: UInt64,
        doing what: String,
        until isEnough: (borrowing coffer_wire) -> Bool
    ) throws(BackendError) {
        guard let wire else { return }
        let state = wire.state
        defer { if state.pointee.issued > 0 { isUnsent = false } }
        if isEnough(state.pointee) { return }
        var moves = state.pointee.moves
        var lastMove = monotonicNow()
        var now = lastMove
        var descriptor: Int32 = -1
        var isAsked = false
        while state.pointee.is_done == 0, !isEnough(state.pointee) {
            let end = min(lastMove &+ patience, call.deadline ?? .max)
            guard now < end else {
                if call.isLate {
                    throw stop(BackendError(.timeout, "the deadline passed: \(authority)", isRetryable: true))
                }
                let message = "\(authority) stalled: no \(what) for \(patience / 1_000_000) ms"
                throw stop(BackendError(.timeout, message, isRetryable: true))
            }
            // A descriptor costs the host something: it is wanted only where the wait is long.
            let slice = min((end - now) / 1_000_000 + 1, isAsked && descriptor >= 0 ? 60_000 : 20)
            if coffer_wire_turn(state, descriptor, Int32(slice)) != 0 || (descriptor < 0 && call.isCancelled) {
                throw stop(BackendError(.cancelled, "cancelled"))
            }
            now = monotonicNow()
            if state.pointee.moves != moves {
                moves = state.pointee.moves
                lastMove = now
            } else if !isAsked {
                isAsked = true
                descriptor = call.cancellationDescriptor ?? -1
            }
        }
        if state.pointee.is_done != 0, state.pointee.result != 0, !isEnough(state.pointee) { throw fail(nil) }
    }

    /// Ends the exchange for a reason of our own side.
    private func stop(_ error: BackendError) -> BackendError {
        var error = error
        if let wire { isUnsent = wire.state.pointee.issued == 0 }
        error.isRetryable = error.isRetryable && (isRepeatable || isUnsent)
        error.isMaybeApplied = !isSafe && !isUnsent
        end()
        return error
    }

    /// The error of a transfer that libcurl gave up.
    private func fail(_ reason: String?) -> BackendError {
        guard let wire else { return BackendError(.internal, "the exchange is over") }
        return stop(wire.failure(reason, authority: authority, headLimit: settings.headLimit))
    }

    /// Ends the exchange: a whole one gives its connection back, another one's is closed.
    ///
    /// A second time does nothing.
    func end() {
        guard let wire else { return }
        isUnsent = wire.state.pointee.issued == 0
        self.wire = nil
        coffer_wire_end(wire.state)
        pool.give(wire)
    }
}
