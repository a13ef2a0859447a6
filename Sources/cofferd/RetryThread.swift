import CofferService
import CofferSystem

/// Tries again and again to open the storages that could not be opened, each with its own back-off.
final class RetryThread: Sendable {
    private let isStopped = Monitor(false)

    /// Starts to look after `host`'s storages.
    init(_ host: Host) {
        let isStopped = isStopped
        _ = try? Thread.start(named: "retry") {
            while true {
                _ = host.generations.retryFailed()
                // A second is short beside any back-off, and nothing beside a storage that is down.
                let mustStop = isStopped.wait(until: .now.advanced(milliseconds: 1000)) { $0 ? true : nil }
                if mustStop == true { return }
            }
        }
    }

    /// Ends it, without waiting for a store that is being opened.
    func stop() {
        isStopped.withLock { $0 = true }
        isStopped.broadcast()
    }
}
