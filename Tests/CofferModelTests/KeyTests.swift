import CofferModel
import Testing

@Suite struct KeyTests {
    @Test(arguments: ["a", "a/b", "...", "a/...", " ", "é", "~", "a\u{301}", String(repeating: "k", count: 1024)])
    func aGoodKeyMayBeWritten(text: String) throws {
        try Key(text).checkForWriting()
    }

    @Test(arguments: ["", "/", "/a", "a/", "a//b", ".", "..", "a/./b", "../a", "a/..", "a\u{0}", "a\n", "\u{7F}"])
    func aKeyThatIsAmbiguousMayNotBeWritten(text: String) {
        let error = #expect(throws: CofferError.self) { try Key(text).checkForWriting() }
        #expect(error?.code == .invalidKey)
    }

    @Test(arguments: ["/a", "a/", "a//b", "..", "a/./b"])
    func whatIsThereAlreadyMayBeRead(text: String) throws {
        try Key(text).checkForReading()
    }

    @Test func oneByteMoreIsTooLong() {
        #expect(throws: CofferError.self) { try Key(String(repeating: "é", count: 513)).checkForReading() }
        #expect(throws: Never.self) { try Key(String(repeating: "é", count: 512)).checkForReading() }
    }

    @Test func theTwoFormsOfOneLetterAreTwoKeys() {
        let composed = Key("\u{E9}")
        let decomposed = Key("e\u{301}")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect(decomposed < composed)
    }

    @Test(arguments: [
        (ByteRange.all, 0..<14), (.from(3), 3..<14), (.slice(offset: 3, length: 4), 3..<7),
        (.slice(offset: 2, length: .max), 2..<14), (.slice(offset: 0, length: 0), 0..<0), (.suffix(2), 12..<14),
        (.suffix(.max), 0..<14), (.suffix(0), 14..<14),
    ])
    func aRangeIsCutToTheObject(range: ByteRange, bytes: Range<Int64>) throws {
        #expect(try range.resolved(size: 14) == bytes)
    }

    @Test(arguments: [
        (ByteRange.from(14), "range_invalid"), (.slice(offset: 15, length: 1), "range_invalid"),
        (.slice(offset: -1, length: 1), "invalid_argument"), (.slice(offset: 1, length: -1), "invalid_argument"),
        (.suffix(-1), "invalid_argument"), (.from(.max), "range_invalid"),
    ])
    func aRangeOutsideTheObjectIsRefused(range: ByteRange, code: String) {
        let error = #expect(throws: CofferError.self) { try range.resolved(size: 14) }
        #expect(error?.code.rawValue == code)
    }
}
