// Forms, taken apart as they stream: where a piece ends must change nothing, and how many parts it has only the time.
import CofferHTTP
import Glibc
import Testing

@Suite struct MultipartTests {
    private static let type = "multipart/form-data; boundary=----b0undary"

    private static func part(_ name: String, _ value: String) -> String {
        "------b0undary\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
    }

    /// What comes out of `text` in pieces that end at `cuts`: each part's name in angles, its bytes, and a bar at its end.
    private func events(_ text: String, cuts: [Int] = []) throws -> String {
        var parser = try #require(MultipartParser(contentType: Self.type))
        let bytes = Array(text.utf8)
        var all: [UInt8] = []
        var start = 0
        for end in cuts + [bytes.count] {
            let piece = Array(bytes[start..<end])
            for event in try parser.receive(piece.span.bytes) {
                switch event {
                case .part(let part): all += Array("<\(part.name)>".utf8)
                case .bytes(let more): all += more
                case .end: all.append(UInt8(ascii: "|"))
                }
            }
            start = end
        }
        #expect(parser.isComplete)
        return String(decoding: all, as: UTF8.self)
    }

    @Test func wherePiecesEndChangesNothing() throws {
        let text =
            "preamble\r\n" + Self.part("location", "in\r\n--nearly") + Self.part("empty", "")
            + Self.part("a", "\r\n------b0und") + "------b0undary--\r\nepilogue"
        let whole = "<location>in\r\n--nearly|<empty>|<a>\r\n------b0und|"
        #expect(try events(text) == whole)
        for cut in 1..<text.utf8.count { #expect(try events(text, cuts: [cut]) == whole, "\(cut)") }
        #expect(try events(text, cuts: Array(1..<text.utf8.count)) == whole)
    }

    @Test func thousandsOfTinyPartsInOnePieceTakeTimeInProportion() throws {
        func seconds(parts: Int) throws -> Double {
            let body = String(repeating: Self.part("f", "v"), count: parts) + "------b0undary--\r\n"
            let bytes = Array(body.utf8)
            var parser = try #require(MultipartParser(contentType: Self.type))
            let start = processorTime()
            #expect(try parser.receive(bytes.span.bytes).count == 3 * parts)
            return processorTime() - start
        }
        let few = try seconds(parts: 2000)
        let many = try seconds(parts: 64_000)
        // 32 times as many; a time that grows with the square would be a thousand times as long.
        #expect(many < few * 64, "\(many / few) times")
    }

    /// The processor's time of this thread, which other threads cannot lengthen.
    private func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
