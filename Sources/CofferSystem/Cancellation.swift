import CLinux
import Glibc
import Synchronization

/// A request to stop that any thread may make and any thread may see.
///
/// The eventfd exists only once somebody asked for it: most calls end without anybody waiting on it.
package final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)
    private let event = Atomic<Int32>(-1)

    package init() {}

    deinit {
        let number = event.load(ordering: .acquiring)
        if number >= 0 { close(number) }
    }

    /// Whether somebody asked to stop.
    package var isCancelled: Bool { flag.load(ordering: .acquiring) }

    /// Asks to stop; a second time changes nothing.
    package func cancel() {
        flag.store(true, ordering: .sequentiallyConsistent)
        let number = event.load(ordering: .sequentiallyConsistent)
        if number >= 0 { coffer_eventfd_signal(number) }
    }

    /// A descriptor that becomes readable once cancelled, and stays ours.
    ///
    /// -1 where the process has none left.
    package var descriptor: Int32 {
        let existing = event.load(ordering: .acquiring)
        if existing >= 0 { return existing }
        let made = coffer_eventfd(0)
        guard made >= 0 else { return -1 }
        let (won, original) = event.compareExchange(
            expected: -1,
            desired: made,
            ordering: .sequentiallyConsistent
        )
        guard won else {
            close(made)
            return original
        }
        // Stored before the flag is read: a cancel that came between signals one of the two.
        if flag.load(ordering: .sequentiallyConsistent) { coffer_eventfd_signal(made) }
        return made
    }
}
