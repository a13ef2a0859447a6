import CofferHTTP
import CofferSystem

/// Lets another thread end an exchange; made by whoever starts it.
package final class CancelHandle: Sendable {
    private let state = Locked<(connection: ClientConnection?, isCancelled: Bool)>((nil, false))

    package init() {}

    /// Ends the exchange that is going on, and every one that is tried with this handle from now on.
    package func cancel() {
        let connection = state.withLock { state in
            state.isCancelled = true
            return state.connection
        }
        connection?.cancel()
    }

    /// Whether somebody cancelled.
    package var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Names the connection to end.
    func attach(_ connection: ClientConnection?) {
        let isCancelled = state.withLock { state in
            state.connection = connection
            return state.isCancelled
        }
        if isCancelled { connection?.cancel() }
    }
}
