// The session of the moment: had once, renewed before it ends and when the store refuses it.

package import CofferPluginSDK
import CofferTransport

/// The session of the moment.
///
/// 1. One caller logs in; the others wait for it, no longer than their calls allow.
/// 2. A session is renewed before it ends; while that fails, the old one serves as long as it lives.
/// 3. A token that the store refused is never used again; whoever met the refusal logs in once more, and only once.
package final class SessionSource: Sendable {
    private struct State: Sendable {
        var session: Session?
        /// When another one is had, in Unix nanoseconds.
        var renewal = Int64.max
        var isFetching = false
    }

    private enum Step {
        case use(Session)
        case fetch
        case wait
    }

    private let fetch: @Sendable (Call) throws(BackendError) -> Session
    private let isRenewable: Bool
    private let state: Guarded<State>

    /// Sessions are renewed a minute before they end, and shorter ones in the last tenth of their lives.
    private static func renewal(of session: Session) -> Int64 {
        guard let expires = session.expires else { return .max }
        return expires - min(60_000_000_000, max(0, expires - wallClock()) / 10)
    }

    /// A source that begins with `given`, and has others from `fetch`, if there are any.
    package init(
        given: Session? = nil,
        isRenewable: Bool = true,
        fetch: @escaping @Sendable (Call) throws(BackendError) -> Session
    ) {
        self.fetch = fetch
        self.isRenewable = isRenewable
        state = Guarded(State(session: given))
    }

    /// The session of now.
    package func session(call: Call) throws(BackendError) -> Session {
        while true {
            try call.check()
            let step: Step = state.withLock { state in
                let now = wallClock()
                if let session = state.session {
                    // While another caller renews it, what still lives serves.
                    let lives = now < session.expires ?? .max
                    if now < state.renewal || (lives && state.isFetching) { return .use(session) }
                }
                if state.isFetching { return .wait }
                state.isFetching = true
                return .fetch
            }
            switch step {
            case .use(let session): return session
            case .fetch: return try renew(call: call)
            case .wait:
                // Nobody wakes us when the call is cancelled: it is asked now and then.
                _ = state.wait(until: monotonicNow() + 50_000_000) { !$0.isFetching }
            }
        }
    }

    private func renew(call: Call) throws(BackendError) -> Session {
        do throws(BackendError) {
            let fresh = try fetch(call)
            state.withLock { $0 = State(session: fresh, renewal: Self.renewal(of: fresh)) }
            state.wake(all: true)
            return fresh
        } catch {
            let old = state.withLock { state in
                state.isFetching = false
                return state.session
            }
            state.wake(all: true)
            if let old, let expires = old.expires, wallClock() < expires { return old }
            throw error
        }
    }

    /// Drops a token that the store refused; whether another may be had.
    package func renew(instead token: String) -> Bool {
        state.withLock { state in
            guard isRenewable else { return false }
            // Another caller was quicker where the token is another one already.
            if let session = state.session, session.token.utf8.elementsEqual(token.utf8) { state.session = nil }
            return true
        }
    }
}

/// Puts the token of the moment on requests.
struct TokenSigner: RequestSigner {
    let sessions: SessionSource

    private static let field = "X-Auth-Token"

    func sign(_ request: inout HTTPRequest, origin: HTTPOrigin, call: Call) throws(BackendError) {
        request.headers[Self.field] = try sessions.session(call: call).token
    }

    func renew(after head: HTTPHead, to request: HTTPRequest, call: Call) throws(BackendError) -> Bool {
        // 403 is said to whom the store knows.
        guard head.status == 401, let token = request.headers[Self.field] else { return false }
        return sessions.renew(instead: token)
    }
}
