import Glibc

/// Nanoseconds of the clock of deadlines.
func monotonic() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}

/// Bytes that tell their position: any slice shows where it is from.
func pattern(_ count: Int) -> [UInt8] {
    count <= longPattern.count ? Array(longPattern[..<count]) : longPattern + pattern(count - longPattern.count)
}

private let longPattern = (0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

/// Lets others run for a moment.
func yieldBriefly() { usleep(1000) }

/// Whether something becomes true within five seconds.
func eventually(_ isTrue: () -> Bool) -> Bool {
    let end = monotonic() + 5_000_000_000
    while monotonic() < end {
        if isTrue() { return true }
        yieldBriefly()
    }
    return isTrue()
}
