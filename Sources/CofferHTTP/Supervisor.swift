import CofferSystem
import Synchronization

/// The thread that watches the others: time-outs, clients that left while their request is being handled, blocked workers.
///
/// It sleeps while nothing is open, looks once a second while connections are idle, ten times while requests come in, and
/// every millisecond while nobody polls.
final class Supervisor: Sendable {
    private struct Duty {
        var isOver = false
        var isActive = false
        var nobodyPolls = false
    }

    private let duty = Monitor(Duty())
    /// It looks rarely or not at all: whoever starts something must tell it.
    private let isDrowsy = Atomic<Bool>(true)
    private let watchesPolls = Atomic<Bool>(false)
    private let thread = Locked<Thread?>(nil)

    func start(_ server: HTTPServer) throws(SystemError) {
        let started = try Thread.start(named: "coffer-watch", stackSize: 256 << 10) { self.run(server) }
        thread.withLock { $0 = started }
    }

    func stop() {
        duty.withLock { $0.isOver = true }
        duty.signal()
        thread.withLock({ (thread) -> Thread? in
            defer { thread = nil }
            return thread
        })?.join()
    }

    /// A request or a connection came.
    ///
    /// Costs one load as long as the supervisor is awake.
    func noteActivity() {
        guard isDrowsy.load(ordering: .sequentiallyConsistent) else { return }
        isDrowsy.store(false, ordering: .relaxed)
        duty.withLock { $0.isActive = true }
        duty.signal()
    }

    /// A worker left nobody polling, and there are many workers already.
    func noteNobodyPolls() {
        guard !watchesPolls.exchange(true, ordering: .relaxed) else { return }
        duty.withLock { $0.nobodyPolls = true }
        duty.signal()
    }

    private func run(_ server: HTTPServer) {
        var requestsSeen = -1
        var watch = PollWatch()
        while true {
            let requests = server.counters.requests.load(ordering: .relaxed)
            let isBusy = look(server) || requests != requestsSeen
            requestsSeen = requests
            isDrowsy.store(!isBusy, ordering: .sequentiallyConsistent)
            let hasConnections = server.counters.open.load(ordering: .sequentiallyConsistent) > 0
            let next: MonotonicTime? = isBusy ? .in(100) : hasConnections ? .in(server.tick) : nil
            while true {
                let pause: MonotonicTime? = watch.isOn ? .in(1) : next
                let woken = duty.wait(until: pause) { duty -> Duty? in
                    guard duty.isOver || duty.isActive || (duty.nobodyPolls && !watch.isOn) else { return nil }
                    defer { duty = Duty(isOver: duty.isOver) }
                    return duty
                }
                if woken?.isOver == true { return }
                if woken?.nobodyPolls == true { watch.begin(server.pool) }
                if watch.isOn && woken == nil { check(&watch, server) }
                if woken?.isActive == true { break }
                if let next, next.millisecondsLeft == 0 { break }
            }
        }
    }

    private func check(_ watch: inout PollWatch, _ server: HTTPServer) {
        for _ in 0..<watch.look(server.pool) where !server.pool.grow(server) { break }
        guard !watch.isOn else { return }
        watchesPolls.store(false, ordering: .relaxed)
        // A worker that came between the look and the store was not heard.
        if server.pool.polling.load(ordering: .sequentiallyConsistent) == 0 { noteNobodyPolls() }
    }

    /// Looks at all connections; says whether requests are being handled.
    private func look(_ server: HTTPServer) -> Bool {
        let now = MonotonicTime.now.nanoseconds
        var isBusy = false
        server.registry.forEach { connection in
            let deadline = connection.deadline.load(ordering: .relaxed)
            if deadline <= now,
                connection.deadline.compareExchange(expected: deadline, desired: .max, ordering: .relaxed).exchanged
            {
                connection.isExpired.store(true, ordering: .sequentiallyConsistent)
                // Its epoll event comes now, and with it a worker to close it.
                if connection.isWriting.load(ordering: .relaxed) {
                    Socket.shutDown(connection.socket.number)
                } else {
                    Socket.finishReceiving(connection.socket.number)
                }
            }
            let calls = connection.calls.load(ordering: .acquiring)
            guard calls & 1 == 1 else { return }
            isBusy = true
            if calls == connection.callsSeen && connection.clientIsGone { connection.cancellation.cancel() }
            connection.callsSeen = calls
        }
        return isBusy
    }
}

/// Finds out whether the workers are blocked or merely busy.
private struct PollWatch {
    private(set) var isOn = false
    private var seen = 0
    private var step = 1

    mutating func begin(_ pool: Pool) {
        isOn = true
        step = 1
        seen = pool.polls.load(ordering: .relaxed)
    }

    /// How many threads to start: more each time that they turn out not to be enough.
    mutating func look(_ pool: Pool) -> Int {
        guard pool.polling.load(ordering: .sequentiallyConsistent) == 0 else {
            isOn = false
            return 0
        }
        let polls = pool.polls.load(ordering: .relaxed)
        defer { seen = polls }
        guard polls == seen else {
            step = 1
            return 0
        }
        defer { step = min(step * 2, 16) }
        return step
    }
}

extension Connection {
    /// Whether the client has hung up while we are at work for it.
    ///
    /// On a Unix socket the end of the client's sending alone does not count: it may still be waiting for the answer.
    fileprivate var clientIsGone: Bool {
        let state = Socket.poll(socket.number, peer == nil ? .peerClosed : [], milliseconds: 0)
        return !state.isDisjoint(with: [.hungUp, .peerClosed, .failed])
    }
}

extension HTTPServer {
    /// How often idle connections are looked at: often enough for the shortest time-out.
    fileprivate var tick: Int {
        let shortest = min(configuration.idleTimeout, configuration.headTimeout, configuration.bodyTimeout)
        return max(10, min(1000, shortest / 4))
    }
}

extension MonotonicTime {
    fileprivate static func `in`(_ milliseconds: Int) -> MonotonicTime { now.advanced(milliseconds: milliseconds) }
}
