import CofferModel
import CofferService
import CofferSystem

/// Makes the missing containers of new storages, side by side, before anybody asks for an object.
enum OwnContainers {
    /// The most milliseconds that a new generation waits for stores; what takes longer goes on behind it.
    private static let patience = 5000

    /// Makes what is missing and logs what could not be made; the host's clock tries that again.
    static func make(for storages: [Storage], log: Log) {
        let pending = storages.filter { $0.state == .open && $0.nextTry != nil }
        guard !pending.isEmpty else { return }
        let left = Monitor(pending.count)
        for storage in pending {
            let work: @Sendable () -> Void = {
                storage.settle()
                if let failure = storage.warning {
                    log.error("storage \(storage.name): \(failure.message)")
                }
                left.withLock { $0 -= 1 }
                left.broadcast()
            }
            if (try? Thread.start(named: "container", work)) == nil { work() }
        }
        _ = left.wait(until: .now.advanced(milliseconds: patience)) { $0 == 0 ? true : nil }
    }
}
