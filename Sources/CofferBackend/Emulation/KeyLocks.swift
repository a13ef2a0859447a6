// Locks that exist only while somebody holds them: what makes a check and the act after it one step inside this host.
import CofferModel
import CofferSystem

/// One lock for each key, without a lock object for each key.
///
/// The keys held are spread over stripes, so that threads on different keys rarely meet, and never wait for each other.
/// Whoever takes two takes them in byte order, so that two that want the same pair cannot wait for each other.
final class KeyLocks: Sendable {
    private let stripes = (0..<16).map { _ in Monitor<Set<Key>>([]) }

    /// Runs `body` while this thread alone holds `key`.
    ///
    /// - Throws: ``CofferError`` with `timeout` or `cancelled` where the key is not let go in time.
    func withLock<Result>(
        _ key: Key,
        _ call: Call,
        _ body: () throws(CofferError) -> Result
    ) throws(CofferError) -> Result {
        try take(key, call)
        defer { release(key) }
        return try body()
    }

    /// Runs `body` while this thread alone holds both keys, which may be the same.
    func withLocks<Result>(
        _ first: Key,
        _ second: Key,
        _ call: Call,
        _ body: () throws(CofferError) -> Result
    ) throws(CofferError) -> Result {
        guard first != second else { return try withLock(first, call, body) }
        let (low, high) = first < second ? (first, second) : (second, first)
        try take(low, call)
        defer { release(low) }
        try take(high, call)
        defer { release(high) }
        return try body()
    }

    private func take(_ key: Key, _ call: Call) throws(CofferError) {
        let stripe = stripe(of: key)
        let end = call.stepTimeout.map { MonotonicTime(nanoseconds: MonotonicTime.now.nanoseconds + $0) }
        while true {
            // Cancellation has no way to wake this wait, so it looks up now and then.
            let look = MonotonicTime.now.advanced(milliseconds: 200)
            let taken = stripe.wait(until: look) { held in held.insert(key).inserted ? true : nil }
            if taken != nil { return }
            if call.cancellation.isCancelled { throw CofferError(.cancelled, "cancelled", key: key) }
            if let end, MonotonicTime.now >= end {
                throw CofferError(.timeout, "another change of the object takes too long", key: key)
            }
        }
    }

    private func release(_ key: Key) {
        let stripe = stripe(of: key)
        _ = stripe.withLock { $0.remove(key) }
        stripe.broadcast()
    }

    private func stripe(of key: Key) -> Monitor<Set<Key>> {
        var hash: UInt32 = 0x811C_9DC5
        for byte in key.text.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return stripes[Int(hash & 15)]
    }
}
