// Waiting for a change, and for the end of a call.

import CofferPluginSDK
import Glibc

extension Guarded {
    /// Runs `body` until it answers, each time that a thread is woken, for at most 20 ms; nil if it never did.
    ///
    /// Nobody can wait for a condition and a descriptor at once, so that a cancelled call is noticed by turning.
    func turn<R>(_ body: (inout Value) -> R?) -> R? {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let end = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec) + 20_000_000
        var result: R?
        _ = wait(until: end) { value in
            result = body(&value)
            return result != nil
        }
        return result
    }
}
