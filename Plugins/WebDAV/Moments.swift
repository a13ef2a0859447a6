// Times for files on a server that tells versions apart by the second.

import CofferPluginSDK

/// Gives each version of an object that this instance writes a second of its own.
///
/// nginx makes a file's tag of its size and its time in seconds, and takes the time from the field `Date` of a PUT: what is
/// written twice within a second is dated forward, so that no two versions have one tag.
final class Moments: Sendable {
    private let last = Guarded<[ByteString: Int64]>([:])

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
}
