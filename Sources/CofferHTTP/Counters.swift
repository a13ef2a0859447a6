import CofferSystem
import Synchronization

/// What the server counts.
final class Counters: Sendable {
    let open = Atomic<Int>(0)
    let accepted = Atomic<Int>(0)
    let refused = Atomic<Int>(0)
    let requests = Atomic<Int>(0)
    let received = Atomic<Int>(0)
    let sent = Atomic<Int>(0)
    let parked = Atomic<Int>(0)
    /// Counts up whenever the last connection closes; somebody may wait for that.
    private let emptied = Monitor(0)

    func opened() {
        open.add(1, ordering: .sequentiallyConsistent)
        accepted.add(1, ordering: .relaxed)
    }

    func closed() {
        guard open.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 else { return }
        emptied.withLock { $0 += 1 }
        emptied.broadcast()
    }

    /// Whether no connection is open any more by then.
    func waitUntilClosed(_ deadline: MonotonicTime) -> Bool {
        emptied.wait(until: deadline) { _ in open.load(ordering: .sequentiallyConsistent) == 0 ? true : nil } ?? false
    }
}

extension HTTPServer {
    /// What the server is doing, and how much it has done.
    package struct Metrics: Sendable, Hashable {
        /// Open connections, those accepted so far, and those turned away for being one too many.
        package var connections, accepted, refused: Int
        /// Requests whose head was understood.
        package var requests: Int
        package var bytesReceived, bytesSent: Int
        /// Threads, and how many of them wait for something to do.
        package var threads, idleThreads: Int
        /// Transfers that wait for a slow client without a thread.
        package var parked: Int
    }

    /// The present figures.
    package var metrics: Metrics {
        Metrics(
            connections: counters.open.load(ordering: .relaxed),
            accepted: counters.accepted.load(ordering: .relaxed),
            refused: counters.refused.load(ordering: .relaxed),
            requests: counters.requests.load(ordering: .relaxed),
            bytesReceived: counters.received.load(ordering: .relaxed),
            bytesSent: counters.sent.load(ordering: .relaxed),
            threads: pool.threads.load(ordering: .relaxed),
            idleThreads: pool.polling.load(ordering: .relaxed),
            parked: counters.parked.load(ordering: .relaxed)
        )
    }
}
