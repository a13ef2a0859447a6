// Answers are cut out of the bytes however these arrive, and nothing else is taken for one.

import Testing

@testable import FTPBackend

@Suite("Answers of the server")
struct ReplyParserTests {
    /// All answers in a text that arrives in pieces of a size.
    private func parsed(_ text: String, piece: Int) throws -> [Reply] {
        var parser = ReplyParser()
        var replies: [Reply] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: piece) {
            parser.feed(bytes[start..<min(start + piece, bytes.count)])
            while let reply = try parser.next() { replies.append(reply) }
        }
        return replies
    }

    @Test("An answer is the same in whatever pieces it comes", arguments: [1, 2, 3, 7, 1000])
    func pieces(size: Int) throws {
        let text = "220-Welcome\r\n2xx inside\r\n 221 no end\r\n221-nor this\r\n220 ready\r\n331 word?\n230\r\n"
        let replies = try parsed("220 hello\r\n" + text, piece: size)
        #expect(replies.map(\.code) == [220, 220, 331, 230])
        #expect(
            replies[1].lines.map { String(decoding: $0, as: UTF8.self) } == [
                "Welcome", "2xx inside", " 221 no end", "221-nor this", "ready",
            ]
        )
        #expect(replies[3].lines == [[]])
    }

    @Test(
        "What is no answer breaks the connection",
        arguments: ["hello\r\n", "99 low\r\n", "1234 long\r\n", "abc-\r\n", "\r\n"]
    )
    func malformed(text: String) {
        #expect(throws: ReplyParser.Malformed.self) { try parsed(text, piece: 100) }
    }

    @Test("A line or an answer without an end is given up")
    func endless() {
        #expect(throws: ReplyParser.Malformed.self) {
            var parser = ReplyParser()
            for _ in 0..<100 {
                parser.feed([UInt8](repeating: 0x61, count: 1000))
                _ = try parser.next()
            }
        }
        #expect(throws: ReplyParser.Malformed.self) {
            var parser = ReplyParser()
            parser.feed(Array("211-Features\r\n".utf8))
            for _ in 0..<2000 {
                parser.feed([UInt8](repeating: 0x61, count: 1000) + [0x0A])
                _ = try parser.next()
            }
        }
    }

    @Test("What is shown of an answer is one line that can be printed")
    func words() {
        let reply = Reply(code: 550, lines: [Array("a\tb\u{1B}[31m".utf8), Array("c".utf8)])
        #expect(reply.words == "a b [31m c")
    }
}
