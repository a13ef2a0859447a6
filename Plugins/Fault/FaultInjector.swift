// Puts the faults of a plan around calls.

import CofferPluginSDK

/// Puts the faults of a plan around calls.
struct FaultInjector: Sendable {
    let plan: FaultPlan
    let latency: UInt64

    /// Runs `body` as the plan wants it: late, not at all, twice, or with its answer lost.
    func around<R>(
        _ operation: FaultOperation,
        _ key: ByteString?,
        _ call: Call,
        isRepeatable: Bool = true,
        _ body: () throws(BackendError) -> R,
        discarding: (R) -> Void = { _ in }
    ) throws(BackendError) -> R {
        try delay(call)
        switch plan.next(operation, key: key) {
        case .error(let error):
            throw error
        case .stall(let nanoseconds):
            try call.sleep(nanoseconds: nanoseconds)
            return try body()
        case .lostAnswer:
            discarding(try body())
            throw Self.lost
        case .duplicate where isRepeatable:
            discarding(try body())
            return try body()
        case .duplicate, .shortRead, .earlyEnd, .noSpace, nil:
            return try body()
        }
    }

    /// What each call takes at least.
    func delay(_ call: Call) throws(BackendError) {
        if latency > 0 { try call.sleep(nanoseconds: latency) }
    }

    static let lost = BackendError(.unavailable, "the answer got lost", isMaybeApplied: true)
}

/// As many nanoseconds, or the most there are.
func nanoseconds(milliseconds: UInt64) -> UInt64 {
    let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? .max : product
}
