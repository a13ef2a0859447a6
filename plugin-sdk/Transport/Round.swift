// All attempts of one request.

import CofferPluginSDK

/// All attempts of one request: redirections, renewed credentials, repetitions.
struct Round {
    private let endpoint: HTTPEndpoint
    private var request: HTTPRequest
    private var attempt = 1
    private var hops = 0
    private var isRenewed = false

    init(_ request: HTTPRequest, at endpoint: HTTPEndpoint) {
        self.endpoint = endpoint
        self.request = request
    }

    /// Runs attempts until one counts; `receive` takes what it wants of an answer.
    mutating func run<Reply>(
        _ call: Call,
        _ receive: (Exchange, HTTPHead) throws(BackendError) -> Reply
    ) throws(BackendError) -> Reply {
        while true {
            try call.check()
            let sent = try endpoint.prepared(request, call)
            let exchange: Exchange
            let head: HTTPHead
            do throws(BackendError) {
                (exchange, head) = try awaitHead(sent, call)
            } catch {
                guard error.isRetryable, try pause(asked: nil, call) else { throw error }
                continue
            }
            if head.isSuccess && request.judge == nil {
                do throws(BackendError) {
                    let reply = try receive(exchange, head)
                    endpoint.budget.earn()
                    return reply
                } catch {
                    guard error.isRetryable, try pause(asked: nil, call) else { throw error }
                    continue
                }
            }
            if try isDoneAgain(after: head, of: sent, exchange, call) { continue }
            do throws(BackendError) {
                let reply = try receive(exchange, head)
                guard let answer = reply as? HTTPAnswer, let error = request.judge?(answer) else { return reply }
                guard error.isRetryable, request.isRepeatable, try pause(asked: head.retryAfter, call) else {
                    throw error
                }
            } catch {
                guard error.isRetryable, try pause(asked: nil, call) else { throw error }
            }
        }
    }

    /// Runs attempts until a connection took the head of a request whose body is pushed afterwards.
    mutating func runUntilIssued(length: UInt64?, _ call: Call) throws(BackendError) -> Exchange {
        while true {
            try call.check()
            let sent = try endpoint.prepared(request, call)
            do throws(BackendError) {
                // A body may stay open for long, so it takes no place among the requests whose answers are awaited.
                try endpoint.limit.enter(call)
                endpoint.limit.leave(.unknown)
                let exchange = try Exchange(
                    sent,
                    origin: sent.origin ?? endpoint.origin,
                    pushing: .some(length),
                    pool: endpoint.pool,
                    settings: endpoint.settings
                )
                try exchange.awaitIssue(call)
                return exchange
            } catch {
                guard error.isRetryable, try pause(asked: nil, call) else { throw error }
            }
        }
    }

    private func awaitHead(_ sent: HTTPRequest, _ call: Call) throws(BackendError) -> (Exchange, HTTPHead) {
        try endpoint.limit.enter(call)
        var outcome = ConcurrencyLimit.Outcome.unknown
        defer { endpoint.limit.leave(outcome) }
        let start = monotonicNow()
        let exchange = try Exchange(
            sent,
            origin: sent.origin ?? endpoint.origin,
            pool: endpoint.pool,
            settings: endpoint.settings
        )
        let head = try exchange.awaitHead(call)
        outcome = head.status == 429 || head.status == 503 ? .overloaded : .answered(after: monotonicNow() - start)
        return (exchange, head)
    }

    /// Whether an answer is dropped and the request sent again: renewed, redirected, or after a pause.
    private mutating func isDoneAgain(
        after head: HTTPHead,
        of sent: HTTPRequest,
        _ exchange: Exchange,
        _ call: Call
    ) throws(BackendError) -> Bool {
        if head.status == 401 || head.status == 403, !isRenewed, request.isSigned, let signer = endpoint.signer {
            isRenewed = true
            guard try signer.renew(after: head, to: sent, call: call) else { return false }
            drain(exchange, call)
            return true
        }
        if case .follow(let most) = request.redirects,
            let next = try request.following(head, from: request.origin ?? endpoint.origin)
        {
            guard hops < most else {
                let message = "\(endpoint.origin.authority) redirects more than \(most) times"
                throw BackendError(.io, message, native: Int32(head.status))
            }
            hops += 1
            request = next
            drain(exchange, call)
            return true
        }
        guard endpoint.settings.retries.statuses.contains(head.status) else { return false }
        // 429 and 503 say that nothing was done.
        guard request.isRepeatable || head.status == 429 || head.status == 503 else { return false }
        guard try pause(asked: head.retryAfter, call, dropping: exchange) else { return false }
        return true
    }

    /// Takes a small rest of an answer that nobody wants, so that its connection can be kept.
    private func drain(_ exchange: Exchange, _ call: Call) {
        // Where it is large or breaks, the connection is closed, and nothing else is lost.
        _ = try? exchange.readAll(limit: 64 << 10, expecting: nil, call)
        exchange.end()
    }

    /// Waits before the next attempt; false where there is none: by policy, budget or deadline.
    private mutating func pause(
        asked: Duration?,
        _ call: Call,
        dropping exchange: Exchange? = nil
    ) throws(BackendError) -> Bool {
        let policy = endpoint.settings.retries
        guard let pause = policy.pause(after: attempt, asked: asked, chance: .random(in: 0...1)) else { return false }
        let length = pause.nanoseconds
        if let deadline = call.deadline, monotonicNow() &+ length >= deadline { return false }
        guard endpoint.budget.spend() else { return false }
        attempt += 1
        if let exchange { drain(exchange, call) }
        try call.sleep(nanoseconds: length)
        return true
    }
}
