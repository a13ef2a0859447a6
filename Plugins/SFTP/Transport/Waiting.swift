// Waiting for a descriptor, but never past a call's deadline or its cancellation.

package import CofferPluginSDK
import Glibc

/// Waits until `descriptor` is ready, `end` comes or, if it may, `wake` becomes readable.
///
/// Returns what is ready: nothing means that the time is over or that the wait was cut short. A cancelled call throws.
@discardableResult
package func awaitReady(
    _ descriptor: Int32,
    _ events: Int16,
    orFor wake: Int32 = -1,
    until end: UInt64,
    call: Call
) throws(BackendError) -> Int16 {
    let cancellation = call.cancellationDescriptor ?? -1
    let now = monotonicNow()
    var left = end > now ? (end - now) / 1_000_000 + 1 : 0
    // Without a descriptor to wait for, a cancellation is seen by asking again.
    if cancellation < 0 { left = min(left, 100) }
    var waiting = (
        pollfd(fd: descriptor, events: events, revents: 0),
        pollfd(fd: cancellation, events: Int16(POLLIN), revents: 0),
        pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
    )
    // An interruption only makes the caller's loop turn.
    let ready = withUnsafeMutablePointer(to: &waiting) { pointer in
        pointer.withMemoryRebound(to: pollfd.self, capacity: 3) { poll($0, 3, Int32(min(left, 60_000))) }
    }
    if call.isCancelled { throw BackendError(.cancelled, "cancelled") }
    return ready > 0 ? waiting.0.revents : 0
}
