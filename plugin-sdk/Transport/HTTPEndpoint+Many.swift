// Many requests from one thread.

import CCurl
public import CofferPluginSDK

extension HTTPEndpoint {
    /// Sends many small requests from this one thread, up to `width` at once (64 at most), and gives each answer, or the
    /// error of its request, with the position of the request, in whatever order they come.
    ///
    /// For batches of small things, such as many removals or looks: no thread waits for each. What one request alone
    /// would get is got here too: what is transient, redirected or to be renewed goes on by ``send(_:call:)``. When
    /// `receive` throws, the others are broken off and its error is thrown.
    public func sendAll(
        _ requests: [HTTPRequest],
        width: Int = 8,
        call: Call,
        receive: (Int, Result<HTTPAnswer, BackendError>) throws(BackendError) -> Void
    ) throws(BackendError) {
        var crowd = Crowd(self, requests, width: max(1, min(width, Int(COFFER_WIRES))))
        defer { crowd.leave() }
        while try crowd.fill(call) {
            let ended = try crowd.turn(call)
            try rest(before: ended.compactMap { askedPause(after: $0.1) }.max(), call)
            for (position, result) in ended {
                switch result {
                case .success(let answer) where isFinal(answer, to: requests[position]):
                    budget.earn()
                    try receive(position, result)
                case .failure(let error) where !error.isRetryable:
                    try receive(position, result)
                default:
                    try receive(position, sendAlone(requests[position], call))
                }
            }
        }
    }

    /// How long a server that has too much to do asks to be left alone; nil where it asks nothing, or for too long.
    private func askedPause(after result: Result<HTTPAnswer, BackendError>) -> Duration? {
        guard case .success(let answer) = result, answer.status == 429 || answer.status == 503 else { return nil }
        return answer.head.retryAfter.flatMap { $0 <= settings.retries.longestRetryAfter ? $0 : nil }
    }

    private func rest(before pause: Duration?, _ call: Call) throws(BackendError) {
        guard let pause, monotonicNow() &+ pause.nanoseconds < call.deadline ?? .max else { return }
        try call.sleep(nanoseconds: pause.nanoseconds)
    }

    /// Whether an answer is what the caller gets, whatever is done for a single request.
    private func isFinal(_ answer: HTTPAnswer, to request: HTTPRequest) -> Bool {
        if answer.status == 401 || answer.status == 403 { return signer == nil || !request.isSigned }
        if case .follow = request.redirects, (300..<400).contains(answer.status) { return false }
        if settings.retries.statuses.contains(answer.status) {
            // Who asks for more time than anybody waits is not asked again.
            if let asked = answer.head.retryAfter, asked > settings.retries.longestRetryAfter { return true }
            return !request.isRepeatable && answer.status != 429 && answer.status != 503
        }
        return request.judge?(answer) == nil
    }

    private func sendAlone(_ request: HTTPRequest, _ call: Call) -> Result<HTTPAnswer, BackendError> {
        do throws(BackendError) {
            return .success(try send(request, call: call))
        } catch {
            return .failure(error)
        }
    }
}

/// The requests of a batch that are under way.
private struct Crowd {
    private struct Member {
        let position: Int
        let exchange: Exchange
        let start: UInt64
        var lastMove: UInt64
        var moves: UInt64 = 0
        var body: [UInt8] = []
    }

    private let endpoint: HTTPEndpoint
    private let requests: [HTTPRequest]
    private let width: Int
    private var next = 0
    private var members: [Member] = []
    private var handles: [UnsafeMutablePointer<coffer_wire>?] = []
    private var early: [(Int, Result<HTTPAnswer, BackendError>)] = []

    init(_ endpoint: HTTPEndpoint, _ requests: [HTTPRequest], width: Int) {
        self.endpoint = endpoint
        self.requests = requests
        self.width = width
        members.reserveCapacity(width)
    }

    /// Starts what may be started; false once nothing is left to do.
    mutating func fill(_ call: Call) throws(BackendError) -> Bool {
        try call.check()
        while next < requests.count, members.count < width {
            if members.isEmpty {
                try endpoint.limit.enter(call)
            } else if !endpoint.limit.tryEnter() {
                break
            }
            start(next, call)
            next += 1
        }
        return !members.isEmpty || !early.isEmpty
    }

    private mutating func start(_ position: Int, _ call: Call) {
        do throws(BackendError) {
            let sent = try endpoint.prepared(requests[position], call)
            let exchange = try Exchange(
                sent,
                origin: sent.origin ?? endpoint.origin,
                pool: endpoint.pool,
                settings: endpoint.settings
            )
            let now = monotonicNow()
            members.append(Member(position: position, exchange: exchange, start: now, lastMove: now))
        } catch {
            endpoint.limit.leave(.unknown)
            early.append((position, .failure(error)))
        }
    }

    /// Waits until something moves, and gives what ended.
    mutating func turn(_ call: Call) throws(BackendError) -> [(Int, Result<HTTPAnswer, BackendError>)] {
        var ended = early
        early = []
        guard !members.isEmpty else { return ended }
        handles.removeAll(keepingCapacity: true)
        for member in members { handles.append(member.exchange.handle) }
        let isCancelled = handles.withUnsafeBufferPointer { handles in
            coffer_wires_turn(handles.baseAddress, handles.count, call.cancellationDescriptor ?? -1, 20) != 0
        }
        if isCancelled || (call.cancellationDescriptor == nil && call.isCancelled) {
            throw BackendError(.cancelled, "cancelled")
        }
        let now = monotonicNow()
        var index = 0
        while index < members.count {
            guard let result = look(at: index, now: now) else {
                index += 1
                continue
            }
            ended.append((members[index].position, result))
            members.swapAt(index, members.count - 1)
            members.removeLast()
        }
        return ended
    }

    /// What became of a member; nil while it is under way.
    private mutating func look(at index: Int, now: UInt64) -> Result<HTTPAnswer, BackendError>? {
        let exchange = members[index].exchange
        guard let handle = exchange.handle else { return nil }
        let moves = handle.pointee.moves
        if moves == members[index].moves, handle.pointee.is_done == 0 {
            let hasHead = handle.pointee.head_done != 0
            let patience = hasHead ? endpoint.settings.stallTimeout.nanoseconds : exchange.patience
            guard now > members[index].lastMove &+ patience else { return nil }
            endpoint.limit.leave(.unknown)
            let message = "\(exchange.authority) stalled: no answer for \(patience / 1_000_000) ms"
            return .failure(exchange.giveUp(BackendError(.timeout, message, isRetryable: true)))
        }
        members[index].moves = moves
        members[index].lastMove = now
        do throws(BackendError) {
            let limit = requests[members[index].position].answerLimit
            guard let head = try exchange.gather(into: &members[index].body, limit: limit) else { return nil }
            let isTooMuch = head.status == 429 || head.status == 503
            endpoint.limit.leave(isTooMuch ? .overloaded : .answered(after: now - members[index].start))
            return .success(HTTPAnswer(head: head, body: members[index].body))
        } catch {
            endpoint.limit.leave(.unknown)
            return .failure(error)
        }
    }

    /// Breaks off what is under way.
    mutating func leave() {
        for member in members {
            member.exchange.end()
            endpoint.limit.leave(.unknown)
        }
        members = []
    }
}
