// How long a command may take, and what ends it early.

import CGridFS
import CofferPluginSDK
import Synchronization

/// How long a command may take, and what ends it early.
struct Patience {
    /// In nanoseconds of the monotonic clock.
    private let deadline: UInt64
    /// Ends the wait when it becomes readable; -1 is none.
    private let descriptor: Int32
    private let call: Call?
    private let flag: StopFlag?

    /// As long as the host waits.
    init(_ call: Call) {
        deadline = call.deadline ?? .max
        descriptor = call.cancellationDescriptor ?? -1
        self.call = call
        flag = nil
    }

    /// Until the flag is set.
    init(until flag: StopFlag) {
        deadline = .max
        descriptor = -1
        call = nil
        self.flag = flag
    }

    /// So many milliseconds, whatever the host wants: for what must be finished or undone; or until `descriptor` is
    /// readable.
    init(milliseconds: UInt64, endedBy descriptor: Int32 = -1) {
        deadline = gridfs_monotonic_ns() + milliseconds * 1_000_000
        self.descriptor = descriptor
        call = nil
        flag = nil
    }

    /// Lends it to C.
    func withC<R>(_ body: (UnsafePointer<gridfs_patience>) -> R) -> R {
        var patience = gridfs_patience(deadline_ns: deadline, cancel_fd: descriptor, cancelled: nil, token: nil)
        if let flag {
            patience.token = UnsafeRawPointer(Unmanaged.passUnretained(flag).toOpaque())
            patience.cancelled = { token in
                guard let token else { return false }
                return Unmanaged<StopFlag>.fromOpaque(token).takeUnretainedValue().isSet.load(ordering: .relaxed)
            }
            return withExtendedLifetime(flag) { body(&patience) }
        }
        guard let call else { return body(&patience) }
        return withUnsafePointer(to: call) { call in
            patience.token = UnsafeRawPointer(call)
            patience.cancelled = { token in
                token?.assumingMemoryBound(to: Call.self).pointee.isCancelled ?? false
            }
            return body(&patience)
        }
    }

    /// Sleeps, but no longer than the call may take.
    func sleep(milliseconds: UInt64) throws(BackendError) {
        if let call {
            try call.sleep(nanoseconds: milliseconds * 1_000_000)
        } else if !withC({ gridfs_sleep(Int64(milliseconds), $0) }) {
            throw BackendError(.timeout, "the deadline passed", isRetryable: true)
        }
    }
}
