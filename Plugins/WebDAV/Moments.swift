// Times for files on servers that tell versions apart by their time.

import CofferPluginSDK
import Glibc

/// Gives each version of an object that this instance writes a time of its own.
///
/// nginx makes a file's tag of its size and its time in seconds, and takes the time from the field `Date` of a PUT: what is
/// written twice within a second is dated forward. Apache makes it of size and time as the file system keeps it, which
/// moves on with the kernel's tick: a write that would come within the tick of the one before it waits.
final class Moments: Sendable {
    /// The longest tick of a kernel's clock, in nanoseconds.
    private static let tick: Int64 = 10_000_000

    private let last = Guarded<[ByteString: Int64]>([:])
    private let written = Guarded<[ByteString: Int64]>([:])

    /// The next moment for an object, in Unix seconds.
    func next(for key: ByteString) -> Int64 {
        let now = wallClock() / 1_000_000_000
        return last.withLock { last in
            if last.count > 4096 { last = last.filter { $0.value >= now - 1 } }
            let moment = max(now, (last[key] ?? 0) + 1)
            last[key] = moment
            return moment
        }
    }

    /// Remembers that an object was written just now.
    func noteWrite(of key: ByteString) {
        let now = wallClock()
        written.withLock { written in
            if written.count > 4096 { written = written.filter { $0.value >= now - Self.tick } }
            written[key] = now
        }
    }

    /// Waits until the last write of an object lies a tick back: ten milliseconds at most.
    func rest(after key: ByteString) {
        guard let last = written.withLock({ $0[key] }) else { return }
        let left = last + Self.tick - wallClock()
        // A clock that was set back must not make anybody wait long.
        guard left > 0 else { return }
        usleep(UInt32(min(left, Self.tick) / 1000) + 1)
    }
}
