import CofferHTTP
import Testing

/// Thousands of damaged inputs: none may trap, and how the input is cut must not matter.
@Suite struct MutationTests {
    private let heads = [
        "GET /a/b?c=d HTTP/1.1\r\nHost: coffer\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n",
        "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n0123456789",
        "POST http://h/x HTTP/1.0\r\nConnection: keep-alive, close\r\nTransfer-Encoding: chunked\r\n\r\n",
        "\r\nHEAD / HTTP/1.1\r\nhost: [::1]:80\r\nX:\t\r\n\r\n\r\n",
    ]
    private let bodies = [
        "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\nrest", "1\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\n",
        "fffffffffffffff\r\nabc", "00000000000000\r\n\r\n",
    ]

    @Test func aDamagedHeadIsReadTheSameHoweverItIsCut() {
        var random = Seeded(state: 1)
        var limits = RequestHeadParser.Limits()
        limits.requestLine = 64
        limits.head = 160
        for _ in 0..<4000 {
            let bytes = random.damage(Array(heads[Int(random.next(4))].utf8))
            var parser = RequestHeadParser(limits: limits)
            let whole = Verdict(bytes.withUnsafeBytes { parser.parse($0) })
            parser.reset()
            var count = 0
            var inPieces = Verdict(.incomplete)
            while count < bytes.count && inPieces == Verdict(.incomplete) {
                count = min(bytes.count, count + 1 + Int(random.next(9)))
                inPieces = Verdict(bytes[..<count].withUnsafeBytes { parser.parse($0) })
            }
            #expect(whole == inPieces, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
        }
    }

    @Test func damagedChunksAreReadTheSameHoweverTheyAreCut() {
        var random = Seeded(state: 2)
        for _ in 0..<4000 {
            let bytes = random.damage(Array(bodies[Int(random.next(4))].utf8))
            let sizes = (0..<bytes.count + 1).map { _ in 1 + Int(random.next(5)) }
            #expect(
                Decoded(bytes, pieces: [bytes.count]) == Decoded(bytes, pieces: sizes),
                "\(String(decoding: bytes, as: UTF8.self).debugDescription)"
            )
        }
    }
}

/// What a parser said, to be compared.
private struct Verdict: Equatable {
    private let text: String

    init(_ outcome: RequestHeadParser.Outcome) {
        switch outcome {
        case .incomplete: text = "incomplete"
        case .invalid(let fault): text = "\(fault.status) \(fault.reason)"
        case .head(let head):
            text =
                "\(head.length) \(head.request.method) \(head.request.target) \(head.request.body) \(head.keepsAlive)"
                + head.request.headers.map { "\($0.name)=\($0.value)" }.joined(separator: ";")
        }
    }
}

/// The same numbers every time.
private struct Seeded {
    var state: UInt64

    /// A number below `bound`.
    mutating func next(_ bound: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) % bound
    }

    /// Changes, removes, doubles or inserts a few bytes; often those that mean something.
    mutating func damage(_ bytes: [UInt8]) -> [UInt8] {
        let marks = Array("\r\n :;,\t\u{0}0fA/".utf8)
        var bytes = bytes
        for _ in 0..<next(4) {
            let at = Int(next(UInt64(max(1, bytes.count))))
            let byte = next(2) == 0 ? marks[Int(next(UInt64(marks.count)))] : UInt8(next(256))
            switch next(5) {
            case 0 where at < bytes.count: bytes[at] = byte
            case 1 where at < bytes.count: bytes.remove(at: at)
            case 2: bytes.insert(byte, at: min(at, bytes.count))
            case 3: bytes.insert(contentsOf: [UInt8](repeating: byte, count: Int(next(80))), at: min(at, bytes.count))
            default: bytes = Array(bytes[..<at])
            }
        }
        return bytes
    }
}
