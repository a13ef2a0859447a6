import GridFSModel
import Testing

@Suite struct KeyOrderTests {
    @Test(arguments: [
        ("a", "b"), ("a/", "a0"), ("é", "ê"), ("\u{7F}", "\u{80}"), ("\u{D7FF}", "\u{E000}"), ("a\u{10FFFF}", "b"),
        ("ÿ", "\u{100}"),
    ])
    func theSuccessorComesBehindAllThatBeginsSo(_ pair: (String, String)) {
        #expect(KeyOrder.successor(of: Array(pair.0.utf8)) == Array(pair.1.utf8))
    }

    @Test func thereIsNoneBehindTheLast() {
        #expect(KeyOrder.successor(of: []) == nil)
        #expect(KeyOrder.successor(of: Array("\u{10FFFF}\u{10FFFF}".utf8)) == nil)
        #expect(KeyOrder.successor(of: [0x61, 0xFF]) == nil)
    }

    @Test func theFrontOfACutCharacterIsWhatStandsBeforeIt() {
        #expect(KeyOrder.front(of: Array("aé".utf8)) == Array("aé".utf8))
        #expect(KeyOrder.front(of: [0x61, 0xC3]) == [0x61])
        #expect(KeyOrder.front(of: [0x61, 0xF0, 0x9F, 0x98]) == [0x61])
        #expect(KeyOrder.front(of: [0xFF, 0x61]) == [])
        #expect(KeyOrder.front(of: Array("abc".utf8) + [0xFF] + Array("def".utf8)) == Array("abc".utf8))
    }

    @Test func aFrontNeverComesBehindItsBytes() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0..<12, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let front = KeyOrder.front(of: bytes)
            #expect(bytes.starts(with: front))
            #expect(String(validating: front, as: UTF8.self) != nil)
        }
    }

    @Test func theCommonPrefixEndsWithTheFirstDelimiter() {
        func common(_ key: String, _ prefix: String, _ delimiter: String) -> String? {
            KeyOrder.commonPrefix(of: Array(key.utf8), behind: prefix.utf8.count, delimiter: Array(delimiter.utf8))
                .map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(common("a/b/c", "", "/") == "a/")
        #expect(common("a/b/c", "a/", "/") == "a/b/")
        #expect(common("a/b/c", "a/b/", "/") == nil)
        #expect(common("m--a--b", "m", "--") == "m--")
        #expect(common("a-", "", "--") == nil)
        #expect(common("abc", "", "") == nil)
    }
}
