// Which keys a server can hold, and what they are called there.

import CofferPluginSDK
import Testing

@testable import FTPBackend

@Suite("Names on the server")
struct NameTests {
    @Test(
        "A key that a command, a path or a listing could mistake is refused",
        arguments: [
            "", "/a", "a/", "a//b", ".", "..", "a/./b", "a/../b", "a\rb", "a\nb", "a\tb", "a\u{7F}b", ".coffer",
            ".coffer/x",
        ]
    )
    func refused(key: String) {
        let error = #expect(throws: BackendError.self) { try Names(isLatin1: false).name(of: Array(key.utf8)) }
        #expect(error?.code == .invalidKey)
    }

    @Test("Segments have up to 255 bytes")
    func lengths() throws {
        let names = Names(isLatin1: false)
        #expect(try names.name(of: [UInt8](repeating: 0x61, count: 255)).count == 255)
        #expect(throws: BackendError.self) { try names.name(of: [UInt8](repeating: 0x61, count: 256)) }
    }

    @Test(
        "Every other key is its own name, and comes back",
        arguments: [" a ", "-rf", "*?[x]", "a\\b", "%2F", ".coffer2", "\u{20AC}"]
    )
    func kept(key: String) throws {
        let names = Names(isLatin1: false)
        let bytes = Array(key.utf8)
        #expect(try names.name(of: bytes) == bytes)
        #expect(names.segment(of: bytes[...]) == bytes)
    }

    @Test("In Latin-1 a letter is one byte, and what has none is refused")
    func latin1() throws {
        let names = Names(isLatin1: true)
        #expect(try names.name(of: Array("f\u{FC}r".utf8)) == [0x66, 0xFC, 0x72])
        #expect(names.segment(of: [0x66, 0xFC, 0x72]) == Array("f\u{FC}r".utf8))
        // 0xFF begins Telnet's commands; 0x80 to 0x9F are control characters.
        for key in ["\u{20AC}", "\u{FF}", "\u{85}", "e\u{301}"] {
            #expect(throws: BackendError.self) { try names.name(of: Array(key.utf8)) }
        }
    }

    @Test("What is no part of a key is not listed")
    func foreign() {
        let names = Names(isLatin1: false)
        for name in [".", "..", "a/b", "a\tb", ""] { #expect(names.segment(of: Array(name.utf8)[...]) == nil) }
        #expect(names.segment(of: [0x61, 0xFF]) == nil)
    }

    @Test("Who uploaded is known by the file's name, and whether that process still runs")
    func sessions() throws {
        let here = SessionName.current()
        let name = here.bytes + Array(".attempt.1".utf8)
        let read = try #require(SessionName(fileName: name[...]))
        #expect(read == here && !read.hasEnded(seenFrom: here))
        let text = String(decoding: here.bytes, as: UTF8.self).split(separator: "-")
        let gone = try #require(SessionName(fileName: Array("\(text[0])-\(text[1])-0.x".utf8)[...]))
        #expect(gone.hasEnded(seenFrom: here))
        let elsewhere = try #require(SessionName(fileName: Array("1-\(text[1])-0.x".utf8)[...]))
        #expect(!elsewhere.hasEnded(seenFrom: here))
        for foreign in ["", "x", "notes.txt", "a-b-c.x", "1-2.x"] {
            #expect(SessionName(fileName: Array(foreign.utf8)[...]) == nil)
        }
        #expect(SessionName.plain(Array("../a b\r\nc-9".utf8)) == Array("abc-9".utf8))
    }
}
