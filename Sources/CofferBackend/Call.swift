package import CofferSystem

/// The time and the cancellation of one request, handed to every step of it.
package struct Call: Sendable {
    /// How long one step may go without progress, in nanoseconds; nil for as long as it likes.
    package var stepTimeout: Int64?
    /// Set when the caller went away or the host is told to stop.
    package var cancellation: Cancellation
    /// The caller's W3C traceparent; empty if none.
    package var trace: String

    package init(stepTimeout: Int64? = nil, cancellation: Cancellation = Cancellation(), trace: String = "") {
        self.stepTimeout = stepTimeout
        self.cancellation = cancellation
        self.trace = trace
    }
}
