import Glibc

/// An open file descriptor with one owner, closed when the last reference goes.
package final class Descriptor: Sendable {
    /// The number, valid as long as this object lives.
    package let number: Int32

    /// Takes ownership of `number`.
    package init(owning number: Int32) { self.number = number }

    deinit { close(number) }
}
