// The connections of an endpoint that wait for the next request.

import CCurl
import CofferPluginSDK

/// The connections of an endpoint that wait for the next request; the one used last goes first, so that the others can age.
final class WirePool: Sendable {
    private struct State: Sendable {
        var idle: [Wire] = []
        var isClosed = false
    }

    /// How many are kept at most.
    private static let kept = 64

    private let settings: HTTPSettings
    private let share: SharedKnowledge
    private let state = Guarded(State())

    init(_ settings: HTTPSettings) {
        self.settings = settings
        share = SharedKnowledge()
    }

    /// A connection for one exchange, kept or new.
    func take() throws(BackendError) -> Wire {
        let (kept, isClosed) = state.withLock { ($0.idle.popLast(), $0.isClosed) }
        if isClosed { throw BackendError(.internal, "the endpoint is closed") }
        if let kept { return kept }
        return try Wire(settings, share: share.pointer)
    }

    /// Takes a connection back once its exchange ended; what has been idle for long is closed.
    func give(_ wire: Wire) {
        let now = monotonicNow()
        wire.lastUsed = now
        let age = settings.idleTimeout.nanoseconds
        // Closed outside of the lock.
        var gone: [Wire] = []
        state.withLock { state in
            guard !state.isClosed, state.idle.count < Self.kept else {
                gone.append(wire)
                return
            }
            state.idle.append(wire)
            while let oldest = state.idle.first, oldest.lastUsed &+ age < now {
                gone.append(oldest)
                state.idle.removeFirst()
            }
        }
        gone.removeAll()
    }

    /// Closes what is idle, and what comes back later.
    func close() {
        var gone = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle
        }
        gone.removeAll()
    }
}

/// Names that were looked up and TLS sessions, known to all connections of an endpoint.
// Unchecked because libcurl locks it by the mutexes that the C side gave it.
private final class SharedKnowledge: @unchecked Sendable {
    let pointer = coffer_share_make()

    deinit { coffer_share_free(pointer) }
}
