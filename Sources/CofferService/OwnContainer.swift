import CofferModel
import CofferSystem

/// The container that a storage lives in and that is made where it is missing: what came of that, and when to try again.
///
/// A storage is open whether or not its container is there: a store that cannot be reached now refuses nothing.
final class OwnContainer: Sendable {
    let name: String

    private struct State {
        var isTrying = false
        var failure: CofferError?
        var failures = 0
        /// Nil once the container is there.
        var nextTry: MonotonicTime? = MonotonicTime(nanoseconds: 0)
    }

    private let state = Locked(State())

    init(name: String) { self.name = name }

    /// Why the container could not be made; nil where it could, or was not tried yet.
    var failure: CofferError? { state.withLock { $0.failure } }

    /// When it should be tried again; nil once it is there, and while somebody is at it.
    var nextTry: MonotonicTime? { state.withLock { $0.isTrying ? nil : $0.nextTry } }

    /// Tries `make` unless the container is there or another thread is at it.
    func settle(_ now: MonotonicTime, _ make: () throws(CofferError) -> Void) {
        let isMine = state.withLock { state in
            guard !state.isTrying, state.nextTry != nil else { return false }
            state.isTrying = true
            return true
        }
        guard isMine else { return }
        do throws(CofferError) {
            try make()
            state.withLock { $0 = State(nextTry: nil) }
        } catch {
            var failure = error
            failure.message = "the container \(name) could not be made: \(error.message)"
            let told = failure
            state.withLock { state in
                let failures = state.failures + 1
                state = State(failure: told, failures: failures, nextTry: Storage.nextTry(after: failures, now))
            }
        }
    }
}
