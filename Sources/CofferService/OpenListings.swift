// Listings kept open between two pages: a million keys page by page must not begin anew a thousand times.
import CofferBackend
import CofferSystem

/// Up to thirty-two listings, each under the cursor that goes on with it.
final class OpenListings: Sendable {
    private struct Kept {
        let cursor: String
        let stream: any ListStream
        let since: MonotonicTime
    }

    private let kept = Locked<[Kept]>([])
    private let capacity: Int
    private let lifetime: Int64

    init(capacity: Int = 32, lifetimeMilliseconds: Int = 60_000) {
        self.capacity = capacity
        lifetime = Int64(lifetimeMilliseconds) * 1_000_000
    }

    /// Gives away the listing that goes on at `cursor`, if it is still open.
    func take(_ cursor: String, now: MonotonicTime = .now) -> (any ListStream)? {
        let (found, old) = kept.withLock { kept -> ((any ListStream)?, [any ListStream]) in
            let old = removeOld(from: &kept, now: now)
            guard let index = kept.firstIndex(where: { $0.cursor.utf8.elementsEqual(cursor.utf8) }) else {
                return (nil, old)
            }
            return (kept.remove(at: index).stream, old)
        }
        for stream in old { stream.close() }
        return found
    }

    /// Keeps `stream` for whoever comes with `cursor`; the oldest makes room.
    func keep(_ stream: any ListStream, for cursor: String, now: MonotonicTime = .now) {
        let old = kept.withLock { kept -> [any ListStream] in
            var old = removeOld(from: &kept, now: now)
            if kept.count >= capacity { old.append(kept.removeFirst().stream) }
            kept.append(Kept(cursor: cursor, stream: stream, since: now))
            return old
        }
        for stream in old { stream.close() }
    }

    /// Closes those that nobody came back for.
    func sweep(now: MonotonicTime = .now) {
        for stream in kept.withLock({ removeOld(from: &$0, now: now) }) { stream.close() }
    }

    /// How many are open.
    var count: Int { kept.withLock { $0.count } }

    /// Closes all of them.
    func closeAll() {
        let all = kept.withLock { kept -> [any ListStream] in
            defer { kept = [] }
            return kept.map(\.stream)
        }
        for stream in all { stream.close() }
    }

    private func removeOld(from kept: inout [Kept], now: MonotonicTime) -> [any ListStream] {
        let firstYoung = kept.firstIndex { now.nanoseconds - $0.since.nanoseconds <= lifetime } ?? kept.count
        defer { kept.removeFirst(firstYoung) }
        return kept[..<firstYoung].map(\.stream)
    }
}
