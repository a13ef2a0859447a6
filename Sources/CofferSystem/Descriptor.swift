import CLinux
import Glibc

/// An open file descriptor with one owner, closed when the last reference goes.
package final class Descriptor: Sendable {
    /// The number, valid as long as this object lives.
    package let number: Int32

    /// Takes ownership of `number`.
    package init(owning number: Int32) { self.number = number }

    deinit { close(number) }

    /// A descriptor that only takes up a place, to be given up when none are left.
    package static func placeholder() throws(SystemError) -> Descriptor {
        let number = coffer_open("/dev/null", O_RDONLY | O_CLOEXEC, 0)
        guard number >= 0 else { throw SystemError("open /dev/null", number: errno) }
        return Descriptor(owning: number)
    }
}
