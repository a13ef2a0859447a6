// Which objects this instance replaces right now.

import CofferPluginSDK

/// Which objects this instance replaces right now, on servers that take the old file away before they move the new one.
///
/// A look that finds nothing then says nothing: whoever looks through this instance looks again. Others see the gap.
/// Nor does a refusal say more: Apache answers 403 when the file that it found is gone before it is opened.
final class Replacements: Sendable {
    private struct Mark {
        var active = 0
        var ended: UInt64 = 0
    }

    private let marks = Guarded<[ByteString: Mark]>([:])

    /// Runs `body`, which replaces an object.
    func replacing<R>(_ key: ByteString, _ body: () throws(BackendError) -> R) throws(BackendError) -> R {
        marks.withLock { marks in
            if marks.count > 1024 { marks = marks.filter { $0.value.active > 0 } }
            marks[key, default: Mark()].active += 1
        }
        defer {
            marks.withLock { marks in
                marks[key]?.active -= 1
                marks[key]?.ended = monotonicNow()
            }
        }
        return try body()
    }

    /// Runs `body`, and again where it finds nothing, or is refused, while the object was being replaced.
    func looking<R>(_ key: ByteString, _ call: Call, _ body: () throws(BackendError) -> R) throws(BackendError) -> R {
        for _ in 0..<50 {
            let start = monotonicNow()
            do throws(BackendError) {
                return try body()
            } catch {
                let mark = marks.withLock { $0[key] }
                guard error.code == .notFound || error.code == .permission, let mark,
                    mark.active > 0 || mark.ended >= start
                else { throw error }
                try call.sleep(nanoseconds: 5_000_000)
            }
        }
        return try body()
    }
}
