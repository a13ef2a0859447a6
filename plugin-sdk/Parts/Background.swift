// Work that no call of the host waits for: parts on their way, reading ahead, clean-up.

public import CofferPluginSDK
import Glibc

// Unchecked because nothing changes after it was made.
/// A cancellation of our own, for calls of our own.
public final class Background: @unchecked Sendable {
    /// Two ends of a line: the first becomes readable once cancelled.
    private let ends: (reading: Int32, writing: Int32)
    private let deadline: UInt64?

    /// Work that can be cancelled; with `nanoseconds` it is late after that time.
    ///
    /// Throws `unavailable` where no descriptor is left.
    public init(nanoseconds: UInt64? = nil) throws(BackendError) {
        var pair: [Int32] = [-1, -1]
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        guard socketpair(AF_UNIX, Int32(kind), 0, &pair) == 0 else {
            throw BackendError(.unavailable, "no more descriptors", isRetryable: true, native: errno)
        }
        ends = (pair[0], pair[1])
        deadline = nanoseconds.map { monotonicNow() + $0 }
    }

    deinit {
        close(ends.reading)
        close(ends.writing)
    }

    /// The call to work under, as long as this lives.
    public var call: Call { Call(deadline: deadline, cancellationDescriptor: ends.reading) }

    /// Ends the work within a second; more than once is fine.
    public func cancel() {
        var byte: UInt8 = 1
        // A line that is full was written to before: it is readable.
        _ = write(ends.writing, &byte, 1)
    }
}
