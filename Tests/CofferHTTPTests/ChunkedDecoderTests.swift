import CofferHTTP
import Testing

@Suite struct ChunkedDecoderTests {
    private func decode(_ text: String) -> Decoded { Decoded(Array(text.utf8), pieces: [text.utf8.count]) }

    @Test(arguments: [
        ("0\r\n\r\n", ""), ("3\r\nabc\r\n0\r\n\r\n", "abc"),
        ("003\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\n\r\n", "abc0123456789"),
        ("1 \t;a\r\nx\r\n0 \r\n\r\n", "x"), ("a\r\n\r\n\r\n\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n\r\n\r\n\r\n"),
        ("1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n", "x"),
    ])
    func chunksAreJoined(text: String, body: String) {
        let decoded = decode(text)
        #expect(decoded.isFinished && decoded.fault == nil)
        #expect(decoded.body == Array(body.utf8))
        #expect(decoded.used == text.utf8.count)
    }

    @Test func trailersAreFields() {
        let decoded = decode("0\r\nRepr-Digest: x\r\nB:  c \r\n\r\nGET")
        #expect(decoded.trailers.map(\.name) == ["Repr-Digest", "B"])
        #expect(decoded.trailers["b"] == "c")
        #expect(decoded.used == 29)
    }

    @Test(arguments: [
        "\r\n", "g\r\n", "-1\r\n", "+1\r\n", " 1\r\n", "0x1\r\n", "1\n", "1\rx", "1 2\r\n", ";a\r\n", "1;\n",
        "1;a\u{0}\r\n",
        "1\r\nxy", "1\r\nx\n", "1\r\nx\rx", "1000000000000000\r\n", "0\r\n\n", "0\r\nA b: c\r\n\r\n", "0\r\nA\r\n\r\n",
        "0\r\n A: b\r\n\r\n", "0\r\nA: b\n\r\n", "0\r\nContent-Length: 1\r\n\r\n", "0\r\nTransfer-Encoding: x\r\n\r\n",
    ])
    func brokenFramingIsRefused(text: String) {
        #expect(decode(text).fault?.status == 400, "\(text.debugDescription)")
    }

    @Test func trailersAndExtensionsAreBounded() {
        #expect(decode("0\r\nA: " + String(repeating: "x", count: 17 << 10)).fault?.status == 431)
        #expect(decode("1;" + String(repeating: "x", count: 5 << 10)).fault?.status == 400)
    }

    @Test func aBodyOfKnownLengthTakesNoMore() throws {
        var decoder = BodyDecoder(.exactly(3))
        let bytes: [UInt8] = [1, 2, 3, 4]
        var position = 0
        let range = try bytes.withUnsafeBytes { try decoder.next($0, from: &position) }
        #expect(range == 0..<3 && position == 3 && decoder.isFinished)
        #expect(try bytes.withUnsafeBytes { try decoder.next($0, from: &position) } == nil)
    }
}

/// What a decoder makes of bytes that come in pieces.
struct Decoded: Equatable {
    var body: [UInt8] = []
    var trailers = HTTPHeaders()
    var used = 0
    var isFinished = false
    var fault: HTTPFault?

    /// `pieces` are the sizes of the pieces; the last one takes what is left.
    init(_ bytes: [UInt8], pieces: [Int]) {
        var decoder = ChunkedDecoder()
        var start = 0
        for (index, size) in pieces.enumerated() {
            let end = index == pieces.count - 1 ? bytes.count : min(bytes.count, start + size)
            let piece = Array(bytes[start..<end])
            var position = 0
            do throws(HTTPFault) {
                while true {
                    let step = try piece.withUnsafeBytes { bytes -> Result<ChunkedDecoder.Step, HTTPFault> in
                        do throws(HTTPFault) {
                            return .success(try decoder.next(bytes, from: &position))
                        } catch {
                            return .failure(error)
                        }
                    }.get()
                    if case .data(let range) = step { body += piece[range] }
                    if step == .finished { isFinished = true }
                    if step == .needsMore || step == .finished { break }
                }
            } catch {
                fault = error
            }
            used += position
            if isFinished || fault != nil { break }
            start = end
        }
        trailers = decoder.trailers
    }
}
