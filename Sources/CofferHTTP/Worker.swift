import CofferSystem
import Synchronization

/// What a thread does: takes an event, serves its connection until it would have to wait, takes the next.
///
/// Unchecked because one thread uses it.
final class Worker: @unchecked Sendable {
    let server: HTTPServer
    private let identity: Int
    let input = InputBuffer(capacity: 256 << 10)
    let output = OutputBuffer(capacity: 288 << 10)
    var date = DateField()
    /// Connections that got a lane's place from us and that nobody else will serve.
    private var handedOver: [Connection] = []

    init(_ server: HTTPServer, _ identity: Int) {
        self.server = server
        self.identity = identity
    }

    /// What becomes of a connection after a step.
    enum Next {
        /// The next request may come.
        case head
        /// It is somebody else's now and must not be touched.
        case parked
        case closed
    }

    func run() {
        while true {
            if let connection = handedOver.popLast() {
                serve(connection)
                continue
            }
            guard let event = server.pool.nextEvent(server) else { break }
            if let index = Token.listenerIndex(event.token) {
                server.accept(index, self)
            } else if let connection = Token.connection(event.token) {
                serve(connection)
            }
        }
        server.pool.left(identity, server)
    }

    private func serve(_ connection: Connection) {
        // Acquires what the last owner wrote; the epoll orders it as well, but no tool can see that.
        _ = connection.deadline.exchange(.max, ordering: .acquiringAndReleasing)
        input.load(&connection.leftover)
        var next =
            connection.isExpired.load(ordering: .sequentiallyConsistent) ? expire(connection) : resume(connection)
        var isReady = true
        while case .head = next {
            next = readHead(connection, isReady: isReady)
            isReady = false
        }
        guard case .closed = next else { return }
        endWork(connection)
        server.close(connection)
    }

    /// Goes on with what the connection was in the middle of.
    private func resume(_ connection: Connection) -> Next {
        let phase = connection.phase
        connection.phase = .head
        switch phase {
        case .head: return .head
        case .waiting(let head):
            beginWork(connection)
            return respond(connection, head.request)
        case .receiving(let receiver):
            server.counters.parked.subtract(1, ordering: .relaxed)
            guard regainPlace(connection, phase) else { return .parked }
            beginWork(connection)
            return receiveBody(connection, receiver)
        case .sending(let transmission):
            server.counters.parked.subtract(1, ordering: .relaxed)
            guard regainPlace(connection, phase) else { return .parked }
            beginWork(connection)
            return transmit(connection, transmission)
        case .discarding(let left): return discard(connection, left: left)
        case .parting(let left): return part(connection, left: left)
        }
    }

    /// Ends what the connection was in the middle of: the client took too long.
    private func expire(_ connection: Connection) -> Next {
        let phase = connection.phase
        connection.phase = .head
        switch phase {
        case .head where !input.isEmpty:
            connection.exchange = Exchange()
            return refuse(connection, HTTPFault(408, "the head did not come in time"))
        case .receiving(let receiver):
            server.counters.parked.subtract(1, ordering: .relaxed)
            receiver.abort()
            return refuse(connection, HTTPFault(408, "the body did not come in time"))
        case .sending(let transmission):
            server.counters.parked.subtract(1, ordering: .relaxed)
            transmission.abandon()
            return .closed
        case .head, .waiting, .discarding, .parting: return .closed
        }
    }

    // MARK: - Heads

    private func readHead(_ connection: Connection, isReady: Bool) -> Next {
        var isReady = isReady
        while true {
            if !input.isEmpty {
                switch connection.parser.parse(input.unread) {
                case .head(let head): return handle(connection, head)
                case .invalid(let fault):
                    connection.exchange = Exchange()
                    return refuse(connection, fault)
                case .incomplete: break
                }
            } else {
                connection.isIdle.store(true, ordering: .sequentiallyConsistent)
                guard !server.isStopping.load(ordering: .sequentiallyConsistent) || isReady else { return .closed }
            }
            let lingers = input.isEmpty && !isReady
            if lingers && !(handedOver.isEmpty && server.pool.mayLinger()) { return waitForHead(connection) }
            isReady = false
            switch receive(connection, lingers: lingers) {
            case .moved(0): return .closed
            case .moved: connection.isIdle.store(false, ordering: .relaxed)
            case .wouldBlock: return waitForHead(connection)
            case .failed: return .closed
            }
        }
    }

    private func waitForHead(_ connection: Connection) -> Next {
        guard !input.isEmpty else {
            return park(connection, .head, until: .now.advanced(milliseconds: server.configuration.idleTimeout))
        }
        // Counts from the head's first byte: a client that sends a byte now and then is not patient, but slow on purpose.
        let deadline =
            connection.headDeadline ?? .now.advanced(milliseconds: server.configuration.headTimeout)
        connection.headDeadline = deadline
        return park(connection, .head, until: deadline)
    }

    private func handle(_ connection: Connection, _ head: RequestHead) -> Next {
        passOn()
        var head = head
        input.drop(head.length)
        connection.parser.reset()
        connection.headDeadline = nil
        connection.exchange = Exchange(head)
        connection.patience = Patience()
        head.request.peer = connection.peer
        if connection.attached != nil {
            if head.announcesDescriptor { head.request.descriptor = connection.attached }
            // It came with the last bytes that we have: another head among them may be the one it belongs to.
            if head.announcesDescriptor || input.isEmpty { connection.attached = nil }
        }
        server.counters.requests.add(1, ordering: .relaxed)
        server.supervisor.noteActivity()
        if let lane = server.handler.lane(for: head.request) {
            connection.exchange.lane = lane
            if lane.enter(ceiling: laneCeiling) {
                connection.exchange.holdsPlace = true
            } else if let next = waitForPlace(connection, lane, head) {
                return next
            }
        }
        beginWork(connection)
        return respond(connection, head.request)
    }

    private func respond(_ connection: Connection, _ request: HTTPRequest) -> Next {
        server.registry.renewCancellation(of: connection)
        switch server.handler.respond(to: request, cancellation: connection.cancellation) {
        case .response(let response): return send(connection, response)
        case .receive(let receiver): return receiveBody(connection, receiver)
        }
    }

    /// Answers a request that the server itself turns away, as the last one of the connection.
    func refuse(_ connection: Connection, _ fault: HTTPFault) -> Next {
        connection.exchange.keepsAlive = false
        return send(connection, server.refusal(fault))
    }

    /// Tells a client that its connection is one too many.
    func turnAway(_ socket: Descriptor, _ reason: String) {
        server.counters.refused.add(1, ordering: .relaxed)
        let response = server.refusal(HTTPFault(503, reason))
        guard case .bytes(let body) = response.body else { return }
        let framing = ResponseFraming(
            status: 503,
            bodyLength: Int64(body.count),
            isHead: false,
            isOld: false,
            keepsAlive: false,
            isOmitted: false
        )
        output.removeAll()
        ResponseHeadWriter.write(response, framing, isOld: false, date: &date, to: output)
        body.withUnsafeBytes { output.append($0) }
        // It fits any fresh socket's buffer, or the client is gone.
        _ = Socket.send(socket.number, output.bytes)
        Socket.finishSending(socket.number)
        var attached: Descriptor?
        var isTruncated = false
        _ = Socket.receive(socket.number, into: input.makeRoom(), attached: &attached, isTruncated: &isTruncated)
    }

    // MARK: - Lanes

    /// One lane never holds more than half of the threads.
    private var laneCeiling: Int { max(1, server.configuration.maxThreads / 2) }

    /// Queues a request; nil means that a place became free in that moment.
    private func waitForPlace(_ connection: Connection, _ lane: Lane, _ head: RequestHead) -> Next? {
        // Whoever leaves the lane may take the connection before we are back, so it must be complete.
        connection.phase = .waiting(head)
        connection.leftover = input.save()
        switch lane.enterOrWait(connection, ceiling: laneCeiling, resumes: false) {
        case .queued: return .parked
        case .admitted:
            takeBack(connection)
            return nil
        case .full:
            takeBack(connection)
            connection.exchange.holdsPlace = false
            return send(connection, server.refusal(HTTPFault(503, "too many requests wait already")))
        }
    }

    private func takeBack(_ connection: Connection) {
        connection.phase = .head
        input.load(&connection.leftover)
        connection.exchange.holdsPlace = true
    }

    /// Takes a place again for a transfer that was parked; false means that it waits in the lane now.
    private func regainPlace(_ connection: Connection, _ phase: Connection.Phase) -> Bool {
        guard let lane = connection.exchange.lane, !connection.exchange.holdsPlace else { return true }
        if lane.enter(ceiling: laneCeiling) {
            connection.exchange.holdsPlace = true
            return true
        }
        connection.phase = phase
        connection.leftover = input.save()
        server.counters.parked.add(1, ordering: .relaxed)
        guard case .admitted = lane.enterOrWait(connection, ceiling: laneCeiling, resumes: true) else { return false }
        server.counters.parked.subtract(1, ordering: .relaxed)
        takeBack(connection)
        return true
    }

    private func leaveLane(_ connection: Connection) {
        guard connection.exchange.holdsPlace, let lane = connection.exchange.lane else { return }
        connection.exchange.holdsPlace = false
        guard let next = lane.leave() else { return }
        next.exchange.holdsPlace = true
        handedOver.append(next)
    }

    /// Lets other workers have the connections that got a place from us, when we are not done with our own.
    func passOn() {
        while let next = handedOver.popLast() {
            // It is nearly always ready to be written to, so that somebody takes it at once; a client that left answers
            // unread until its socket was full keeps the place until the time-out.
            let deadline = MonotonicTime.now.advanced(milliseconds: server.configuration.bodyTimeout)
            next.isWriting.store(true, ordering: .relaxed)
            next.deadline.store(deadline.nanoseconds, ordering: .releasing)
            do throws(SystemError) {
                try server.epoll.modify(next.socket.number, token: Token.connection(next), [.writable, .once])
            } catch {
                // It is still ours, and served after our own.
                handedOver.append(next)
                return
            }
        }
    }

    // MARK: - Work and waiting

    private func beginWork(_ connection: Connection) {
        if connection.calls.load(ordering: .relaxed) & 1 == 0 { connection.calls.add(1, ordering: .releasing) }
    }

    /// The thread is done with the request, for now or for good.
    func endWork(_ connection: Connection) {
        if connection.calls.load(ordering: .relaxed) & 1 == 1 { connection.calls.add(1, ordering: .releasing) }
        leaveLane(connection)
    }

    /// Leaves the connection to the epoll, until it becomes ready for what `phase` waits for.
    func park(_ connection: Connection, _ phase: Connection.Phase, until deadline: MonotonicTime) -> Next {
        endWork(connection)
        var interest: Epoll.Interest = [.readable, .once]
        var isTransfer = false
        switch phase {
        case .sending:
            interest = [.writable, .once]
            isTransfer = true
        case .receiving: isTransfer = true
        case .head, .waiting, .discarding, .parting: break
        }
        if isTransfer { server.counters.parked.add(1, ordering: .relaxed) }
        connection.phase = phase
        connection.leftover = input.save()
        connection.isWriting.store(interest.contains(.writable), ordering: .relaxed)
        connection.deadline.store(deadline.nanoseconds, ordering: .releasing)
        do throws(SystemError) {
            try server.epoll.modify(connection.socket.number, token: Token.connection(connection), interest)
            return .parked
        } catch {
            // The kernel has no memory left for it: the connection is still ours, and nobody would ever wake it.
            connection.deadline.store(.max, ordering: .relaxed)
            return expire(connection)
        }
    }

    /// Receives what is there into the input; a worker that `lingers` waits for a moment.
    func receive(_ connection: Connection, lingers: Bool = false, keepsDescriptor: Bool = true) -> Transfer {
        var attached: Descriptor?
        var isTruncated = false
        if lingers {
            server.pool.lingering.add(1, ordering: .relaxed)
            if connection.isTuned {
                let milliseconds = Int32(server.configuration.linger)
                _ = Socket.poll(connection.socket.number, .readable, milliseconds: milliseconds)
            }
        }
        let transfer = Socket.receive(
            connection.socket.number,
            into: input.makeRoom(),
            attached: &attached,
            isTruncated: &isTruncated,
            waits: lingers
        )
        if lingers { server.pool.lingering.subtract(1, ordering: .relaxed) }
        // Of more than one the rest is closed already: which of them was meant nobody can tell.
        if keepsDescriptor, !isTruncated, let attached { connection.attached = attached }
        if case .moved(let count) = transfer {
            input.advance(by: count)
            server.counters.received.add(count, ordering: .relaxed)
        }
        return transfer
    }
}

extension HTTPServer {
    /// The handler's words for a request that the server turns away.
    func refusal(_ fault: HTTPFault) -> HTTPResponse {
        var response = handler.refusal(status: fault.status, reason: fault.reason)
        if fault.status == 503 && response.headers["retry-after"] == nil { response.headers.add("Retry-After", "1") }
        return response
    }
}
