// Waking a thread that waits for a socket.

import CSSHSystem
package import CofferPluginSDK
import Glibc

/// A descriptor that becomes readable when somebody wants the one who waits for it.
package final class Waker {
    /// What to wait for.
    package let descriptor: Int32

    /// A sleeping one.
    package init() throws(BackendError) {
        descriptor = ssh_wake_make()
        guard descriptor >= 0 else {
            throw BackendError(.unavailable, "no descriptor is left for a connection", isRetryable: true)
        }
    }

    deinit { close(descriptor) }

    /// Makes it readable.
    package func wake() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)  // It cannot be full: nobody wakes it so often.
    }

    /// Makes it sleep again.
    package func rest() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)  // Empty is what is wanted.
    }
}
