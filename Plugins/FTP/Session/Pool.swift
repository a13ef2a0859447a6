// Control connections that wait for their next use: a login costs more than most of what follows.

import CofferPluginSDK
import Glibc

/// The control connections of an instance.
///
/// 1. No more than `connections` at once, in use and idle together. Who finds none waits.
/// 2. The one that was used last is used first, so that the others grow old and are closed.
/// 3. One on which the server said goodbye while it was idle is never handed out.
/// 4. A server that has too many connections lowers the number for a minute, if this instance has others.
final class Pool: Sendable {
    private struct State {
        var idle: [Control] = []
        /// In use and idle.
        var count = 0
        var limit: Int
        var limitUntil: UInt64 = 0
        var isClosed = false
    }

    private enum Turn {
        case idle(Control)
        case free
        case closed
    }

    let server: Server
    private let state: Guarded<State>

    /// A pool without connections.
    init(_ server: Server) {
        self.server = server
        state = Guarded(State(limit: server.settings.connections))
    }

    /// Runs `body` on a connection.
    ///
    /// What it does must be safe to repeat: if the connection breaks, it runs once more, on a new one.
    func repeating<R>(_ patience: Patience, _ body: (Control) throws(Fault) -> R) throws(Fault) -> R {
        let control = try acquire(patience)
        do throws(Fault) {
            let result = try body(control)
            release(control)
            return result
        } catch {
            release(control)
            guard case .lost = error else { throw error }
        }
        let fresh = try acquire(patience, fresh: true)
        defer { release(fresh) }
        return try body(fresh)
    }

    /// The same for what goes on beyond the call: `body` keeps the connection and releases it, unless it throws.
    func keeping<R>(_ patience: Patience, _ body: (Control) throws(Fault) -> R) throws(Fault) -> R {
        let control = try acquire(patience)
        do throws(Fault) { return try body(control) } catch {
            release(control)
            guard case .lost = error else { throw error }
        }
        let fresh = try acquire(patience, fresh: true)
        do throws(Fault) { return try body(fresh) } catch {
            release(fresh)
            throw error
        }
    }

    /// A connection; release it once.
    func acquire(_ patience: Patience, fresh: Bool = false) throws(Fault) -> Control {
        while true {
            let (turn, dead) = takeTurn(fresh: fresh)
            for control in dead { control.quit() }
            switch turn {
            case .idle(let control): return control
            case .closed: throw .failed(BackendError(.cancelled, "the storage is being closed"))
            case .free:
                do throws(Fault) { return try Login(server).perform(patience) } catch {
                    let isWaiting = didFail(error)
                    guard isWaiting else { throw error }
                }
            case nil: break
            }
            try patience.check()
        }
    }

    /// Gives a connection back.
    func release(_ control: Control) {
        let isKept = state.withLock { state in
            guard !control.isBroken, !state.isClosed, state.count <= state.limit else {
                state.count -= 1
                return false
            }
            state.idle.append(control)
            return true
        }
        if !isKept { control.quit() }
        state.wake()
    }

    /// Gives back what `takeIdle` gave: kept only if nobody needed another one meanwhile.
    func returnIdle(_ control: Control) {
        if state.withLock({ $0.count > 1 }) { control.spoil() }
        release(control)
    }

    /// An idle connection for what can wait; nil if there is none.
    func takeIdle() -> Control? {
        state.withLock { state in
            guard let last = state.idle.last, !last.hasNews else { return nil }
            return state.idle.popLast()
        }
    }

    /// Ends every idle connection, and lets none begin.
    func close() {
        let idle = state.withLock { state in
            defer { state.idle = [] }
            state.isClosed = true
            state.count -= state.idle.count
            return state.idle
        }
        for control in idle { control.quit() }
    }

    /// An idle connection, or the right to make one; nil if neither is to be had yet.
    ///
    /// Beside it those that are to be closed.
    private func takeTurn(fresh: Bool) -> (Turn?, [Control]) {
        var dead: [Control] = []
        let turn = state.turn { state -> Turn? in
            if state.isClosed { return .closed }
            let now = monotonicNow()
            if now >= state.limitUntil { state.limit = server.settings.connections }
            let oldest = now &- min(now, server.settings.idleNanoseconds)
            let stale = state.idle.count { $0.lastUse < oldest }
            // The oldest lie at the front.
            dead += state.idle.prefix(stale)
            state.idle.removeFirst(stale)
            state.count -= stale
            while !fresh, let control = state.idle.popLast() {
                if !control.hasNews { return .idle(control) }
                control.spoil()
                dead.append(control)
                state.count -= 1
            }
            if state.count >= state.limit, let control = state.idle.first {
                // A new one is wanted, and only an idle one stands in its way.
                dead.append(control)
                state.idle.removeFirst()
                state.count -= 1
            }
            guard state.count < state.limit else { return nil }
            state.count += 1
            return .free
        }
        return (turn, dead)
    }

    /// A login failed; whether to wait for one of the others instead.
    private func didFail(_ fault: Fault) -> Bool {
        defer { state.wake() }
        return state.withLock { state in
            state.count -= 1
            guard fault.error.code == .rateLimited, state.count > 0 else { return false }
            state.limit = state.count
            state.limitUntil = monotonicNow() + 60_000_000_000
            return true
        }
    }
}
