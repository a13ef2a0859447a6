// Bytes that are to be sent, in order.

/// Bytes that are to be sent, in order.
struct Outbox {
    private var bytes: [UInt8] = []
    private var start = 0

    /// Whether everything is sent.
    var isEmpty: Bool { start == bytes.count }

    /// How many bytes are left.
    var count: Int { bytes.count - start }

    /// Adds bytes at the end.
    mutating func append(_ more: [UInt8]) { bytes.append(contentsOf: more) }

    /// Adds bytes at the end.
    mutating func append(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }

    /// Hands over what comes next.
    func withFront<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        var result: Result<R, E>?
        bytes.withUnsafeBytes { all in
            do throws(E) {
                result = .success(try body(UnsafeRawBufferPointer(rebasing: all[start...])))
            } catch { result = .failure(error) }
        }
        guard let result else { preconditionFailure("the body always runs") }
        return try result.get()
    }

    /// Forgets what was sent.
    mutating func drop(_ count: Int) {
        start += count
        // Moving the rest is cheap when little is left of much.
        if start == bytes.count || start > 1 << 20 {
            bytes.removeFirst(start)
            start = 0
        }
    }
}
