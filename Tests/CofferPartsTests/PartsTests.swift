import CofferParts
import CofferPluginSDK
import Testing

@Suite struct PartsTests {
    private let call = Call()
    private let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    @Test func partsComeBackInTheirOrder() throws {
        let stream = try PartedStream(lanes: 4, mostParts: 100, sizeOfPart: { $0 < 3 ? 100 : 1000 }) {
            number,
            body,
            _ in
            (number, body)
        }
        defer { stream.close() }
        for start in stride(from: 0, to: bytes.count, by: 77) {
            try stream.append(bytes[start..<min(start + 77, bytes.count)].span.bytes, call: call)
        }
        let parts = try stream.finish(call: call)
        #expect(parts.map(\.0) == Array(1...12))
        #expect(parts.map(\.1.count) == [100, 100] + Array(repeating: 1000, count: 9) + [800])
        #expect(parts.flatMap(\.1) == bytes)
    }

    @Test func noBytesAreNoParts() throws {
        let stream = try PartedStream(lanes: 1, mostParts: 1, sizeOfPart: { _ in 10 }) { number, _, _ in number }
        defer { stream.close() }
        #expect(try stream.finish(call: call).isEmpty)
    }

    @Test func morePartsThanMayBeAreTooLarge() throws {
        let stream = try PartedStream(lanes: 2, mostParts: 3, sizeOfPart: { _ in 100 }) { number, _, _ in number }
        defer { stream.close() }
        let error = #expect(throws: BackendError.self) { try stream.append(bytes.span.bytes, call: call) }
        #expect(error?.code == .tooLarge)
    }

    @Test func theFirstErrorEndsAllAndIsTold() throws {
        let stream = try PartedStream(lanes: 3, mostParts: 100, sizeOfPart: { _ in 100 }) {
            number,
            _,
            call throws(BackendError) in
            if number == 2 { throw BackendError(.noSpace, "full") }
            // The others would take for ever, but that they are cancelled.
            try call.sleep(nanoseconds: 60_000_000_000)
            return number
        }
        defer { stream.close() }
        let error = #expect(throws: BackendError.self) {
            try stream.append(bytes.span.bytes, call: call)
            _ = try stream.finish(call: call)
        }
        #expect(error?.code == .noSpace)
    }

    @Test func atMostSoManyRunAtOnce() throws {
        let lanes = try Lanes<Int>(most: 3)
        defer { lanes.cancel() }
        let seen = Guarded((now: 0, most: 0))
        for piece in 0..<50 {
            try lanes.run(call: call) { _ throws(BackendError) in
                seen.withLock { seen in
                    seen.now += 1
                    seen.most = max(seen.most, seen.now)
                }
                defer { seen.withLock { $0.now -= 1 } }
                return piece
            }
        }
        #expect(try lanes.finish(call: call).sorted() == Array(0..<50))
        #expect(seen.withLock { $0.most } <= 3)
    }

    @Test func aCallThatIsLateDoesNotWait() throws {
        let lanes = try Lanes<Int>(most: 1)
        defer { lanes.cancel() }
        try lanes.run(call: call) { call throws(BackendError) in
            try call.sleep(nanoseconds: 60_000_000_000)
            return 0
        }
        let late = Call(deadline: 1)
        let error = #expect(throws: BackendError.self) { try lanes.finish(call: late) }
        #expect(error?.code == .timeout)
    }
}
