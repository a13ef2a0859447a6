import CLinux
import Glibc

/// A descriptor that any thread can make readable, to end a wait.
package final class WakeUp: Sendable {
    private let descriptor: Descriptor

    package init() throws(SystemError) {
        let number = coffer_eventfd(0)
        guard number >= 0 else { throw SystemError("create an eventfd", number: errno) }
        descriptor = Descriptor(owning: number)
    }

    /// To be watched for being readable.
    package var number: Int32 { descriptor.number }

    /// Makes it readable.
    package func signal() { coffer_eventfd_signal(descriptor.number) }

    /// Makes it unreadable.
    package func clear() { coffer_eventfd_clear(descriptor.number) }
}
