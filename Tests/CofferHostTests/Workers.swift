import CofferSystem
import Glibc

/// How large the tests of survival are: `COFFER_SCALE=full` for the whole, anything else for what fits every day.
enum Scale {
    static let isFull = getenv("COFFER_SCALE").map { String(cString: $0) == "full" } ?? false

    /// `quick` or `full`, as the environment says.
    static func count(quick: Int, full: Int) -> Int { isFull ? full : quick }
}

/// Runs `body` on `count` threads at once and gives what they returned, in their order.
///
/// An error of any of them is thrown once all have ended.
func onThreads<Value: Sendable>(
    _ count: Int,
    _ body: @escaping @Sendable (Int) throws -> Value
) throws -> [Value] {
    let results = Locked<[Int: Result<Value, any Error>]>([:])
    let threads = try (0..<count).map { index in
        try Thread.start(named: "test-\(index)") {
            let result = Result { try body(index) }
            results.withLock { $0[index] = result }
        }
    }
    for thread in threads { thread.join() }
    return try (0..<count).map { index in
        guard let result = results.withLock({ $0[index] }) else { throw NoResult() }
        return try result.get()
    }
}

/// A thread ended without a result.
struct NoResult: Error {}
