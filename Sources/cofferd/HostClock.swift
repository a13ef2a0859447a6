import CofferService
import CofferSystem

/// What the host does each second without being asked: it opens again what could not be opened and makes containers
/// that could not be made, each storage with its own back-off, and closes listings that nobody came back for.
final class HostClock: Sendable {
    private let isStopped = Monitor(false)

    /// Starts to look after the storages of the current generation, whichever that is.
    init(_ generations: Generations) {
        let isStopped = isStopped
        let opening = Locked<Set<ObjectIdentifier>>([])
        _ = try? Thread.start(named: "clock") {
            while true {
                for storage in generations.current.storages { storage.sweep() }
                for storage in generations.due() { Self.retry(storage, opening) }
                // A second is short beside any back-off, and nothing beside a storage that is down.
                let mustStop = isStopped.wait(until: .now.advanced(milliseconds: 1000)) { $0 ? true : nil }
                if mustStop == true { return }
            }
        }
    }

    /// Opens `storage` on a thread of its own, unless one is at it: a store that stalls keeps no other one closed.
    private static func retry(_ storage: Storage, _ opening: Locked<Set<ObjectIdentifier>>) {
        guard opening.withLock({ $0.insert(ObjectIdentifier(storage)).inserted }) else { return }
        let work: @Sendable () -> Void = {
            storage.settle()
            opening.withLock { _ = $0.remove(ObjectIdentifier(storage)) }
        }
        // Without a thread it waits for the next second.
        if (try? Thread.start(named: "open", work)) == nil {
            opening.withLock { _ = $0.remove(ObjectIdentifier(storage)) }
        }
    }

    /// Ends it, without waiting for a store that is being opened.
    func stop() {
        isStopped.withLock { $0 = true }
        isStopped.broadcast()
    }
}
