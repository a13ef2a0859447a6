// Waiting for a change, and for the end of a call.

import CofferPluginSDK

extension Guarded {
    /// Runs `body` until it answers, each time that a thread is woken, for at most 20 ms; nil if it never did.
    ///
    /// Nobody can wait for a condition and a descriptor at once, so that a cancelled call is noticed by turning.
    func turn<R>(_ body: (inout Value) -> R?) -> R? {
        var result: R?
        _ = wait(until: monotonicNow() + 20_000_000) { value in
            result = body(&value)
            return result != nil
        }
        return result
    }
}
