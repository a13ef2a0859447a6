import Glibc

/// The clock that people and other machines go by; it may jump.
package enum WallClock {
    /// Nanoseconds since the Unix epoch.
    package static var nanoseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
