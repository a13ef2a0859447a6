// Bytes that come in any pieces, and go in parts.

public import CofferPluginSDK

/// Cuts a stream of bytes into parts and sends several of them at once.
///
/// Memory is one part being filled and those on their way. A full part goes at once: whether it was the last is not known
/// then. Nothing is sent for no bytes.
public final class PartedStream<Result: Sendable> {
    /// Sends one part, which is counted from 1.
    public typealias Send = @Sendable (_ number: Int, _ body: [UInt8], _ call: Call) throws(BackendError) -> Result

    private struct Sent: Sendable {
        let number: Int
        let result: Result
    }

    private let lanes: Lanes<Sent>
    private let most: Int
    private let sizeOfPart: (Int) -> UInt64
    private let send: Send
    private var buffer: [UInt8] = []
    private var number = 1

    /// A stream of at most `mostParts` parts, up to `lanes` of which are on their way at once.
    ///
    /// `sizeOfPart` answers the bytes of a part, which is counted from 1; the last one may have fewer.
    public init(
        lanes: Int,
        mostParts: Int,
        sizeOfPart: @escaping (Int) -> UInt64,
        send: @escaping Send
    ) throws(BackendError) {
        self.lanes = try Lanes(most: lanes)
        most = mostParts
        self.sizeOfPart = sizeOfPart
        self.send = send
    }

    /// Takes bytes in; waits while as many parts as may be are on their way.
    public func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        var rest = bytes
        while !rest.isEmpty {
            let capacity = Int(clamping: sizeOfPart(number))
            if buffer.capacity < capacity && buffer.isEmpty { buffer.reserveCapacity(capacity) }
            let count = min(capacity - buffer.count, rest.byteCount)
            rest.extracting(first: count).withUnsafeBytes { buffer.append(contentsOf: $0) }
            rest = rest.extracting(droppingFirst: count)
            if buffer.count == capacity { try dispatch(call: call) }
        }
    }

    private func dispatch(call: Call) throws(BackendError) {
        guard number <= most else { throw BackendError(.tooLarge, "an object has at most \(most) parts") }
        let (body, number) = (buffer, number)
        buffer = []
        self.number += 1
        try lanes.run(call: call) { [send] call throws(BackendError) in
            Sent(number: number, result: try send(number, body, call))
        }
    }

    /// Sends what is left and waits for every part; what they answered, in their order.
    public func finish(call: Call) throws(BackendError) -> [Result] {
        if !buffer.isEmpty { try dispatch(call: call) }
        return try lanes.finish(call: call).sorted { $0.number < $1.number }.map(\.result)
    }

    /// Ends what is on its way; it must come, once, and nothing after it.
    public func close() { lanes.cancel() }
}
