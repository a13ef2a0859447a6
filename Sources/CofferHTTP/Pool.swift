import CofferSystem
import Synchronization

/// The worker threads: started when needed, gone when idle.
///
/// The rule is that somebody polls. A worker that takes an event and leaves nobody polling starts another at once as long
/// as there are few; beyond that only the supervisor does, and only if for a whole millisecond nobody came back to poll: then
/// the others are blocked. Busy is not blocked: more threads than are useful would only take turns.
final class Pool: Sendable {
    let polling = Atomic<Int>(0)
    let threads = Atomic<Int>(0)
    let lingering = Atomic<Int>(0)
    /// Counts how often somebody began to poll.
    let polls = Atomic<Int>(0)
    private let configuration: HTTPServer.Configuration
    private let handles = Locked<[Int: Thread]>([:])
    private let lastIdentity = Atomic<Int>(0)

    init(_ configuration: HTTPServer.Configuration) { self.configuration = configuration }

    /// Starts the first worker, which must succeed.
    func start(_ server: HTTPServer) throws(SystemError) {
        threads.add(1, ordering: .relaxed)
        try startThread(server)
    }

    /// Starts a worker if the cap allows; false if not, or if the system gives none.
    @discardableResult
    func grow(_ server: HTTPServer) -> Bool {
        let before = threads.add(1, ordering: .relaxed).oldValue
        guard before < configuration.maxThreads else {
            threads.subtract(1, ordering: .relaxed)
            return false
        }
        do throws(SystemError) {
            try startThread(server)
            return true
        } catch {
            // The system gives no more threads: those that are there will come back to poll.
            return false
        }
    }

    private func startThread(_ server: HTTPServer) throws(SystemError) {
        let identity = lastIdentity.add(1, ordering: .relaxed).newValue
        do throws(SystemError) {
            try handles.withLock { (handles) throws(SystemError) in
                handles[identity] = try Thread.start(named: "coffer-http", stackSize: configuration.stackSize) {
                    Worker(server, identity).run()
                }
            }
        } catch {
            threads.subtract(1, ordering: .relaxed)
            throw error
        }
    }

    /// The next event; nil when the worker should end.
    func nextEvent(_ server: HTTPServer) -> Epoll.Event? {
        while true {
            polls.add(1, ordering: .relaxed)
            polling.add(1, ordering: .sequentiallyConsistent)
            let event = server.epoll.waitForOne(milliseconds: configuration.threadKeep)
            let others = polling.subtract(1, ordering: .sequentiallyConsistent).newValue
            if server.isFinished.load(ordering: .relaxed) { return nil }
            if let event {
                if others == 0 { replace(server) }
                return event
            }
            if others > 0 { return nil }
        }
    }

    private func replace(_ server: HTTPServer) {
        if threads.load(ordering: .relaxed) < min(configuration.eagerThreads, configuration.maxThreads) {
            grow(server)
        } else {
            server.supervisor.noteNobodyPolls()
        }
    }

    /// A worker's last word: one that goes because it is idle is waited for by nobody.
    func left(_ identity: Int, _ server: HTTPServer) {
        threads.subtract(1, ordering: .relaxed)
        if !server.isFinished.load(ordering: .relaxed) { handles.withLock { _ = $0.removeValue(forKey: identity) } }
    }

    /// Waits until all workers have ended.
    func join() {
        for thread in handles.withLock({ (handles) -> [Thread] in
            defer { handles = [:] }
            return Array(handles.values)
        }) { thread.join() }
    }

    /// Whether a worker may wait at its connection for the next request.
    ///
    /// Only while another polls, so that no connection waits for a thread meanwhile.
    func mayLinger() -> Bool {
        polling.load(ordering: .relaxed) > 0
            && lingering.load(ordering: .relaxed) < configuration.maxLingering
    }
}
