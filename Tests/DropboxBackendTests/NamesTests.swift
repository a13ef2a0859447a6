// What keys are called in Dropbox.

import CofferPluginSDK
import DropboxStore
import Testing

private let names = Names(root: ["Apps", "Coffer"])

/// The name of a key below the root.
private func name(_ key: String) throws -> String {
    String(try names.path(of: ByteString(key)).dropFirst("/Apps/Coffer/".count))
}

/// The key that has this path below the root.
private func key(_ path: String) -> String? {
    var segments: [String] = []
    for name in path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
        guard let segment = Names.segment(of: name) else { return nil }
        segments.append(String(decoding: segment, as: UTF8.self))
    }
    return segments.joined(separator: "/")
}

/// Names in Dropbox.
struct NamesTests {
    @Test(arguments: [
        ("a/b.txt", "a/b.txt"), ("Report.PDF", "^report.^p^d^f"), ("^", "^^"), ("über", "über"),
        ("Über", "^195^156ber"), ("e\u{301}", "e^204^129"), ("\u{E9}", "\u{E9}"), ("a\\b", "a^092b"),
        (" a ", "^032a^032"), ("a b", "a b"), ("a.", "a^046"), ("...", "..^046"), (".a", ".a"),
        ("\u{1F600}", "^240^159^152^128"), ("thumbs.db", "^116humbs.db"), ("Thumbs.db", "^thumbs.db"),
        (".dropbox/x", "^046dropbox/x"), ("\u{130}", "^196^176"), ("\u{212A}", "^226^132^170"), ("日本", "日本"),
        ("\u{1100}\u{1161}", "^225^132^128^225^133^161"), ("\u{AC00}", "\u{AC00}"), ("a\tb", "a^009b"),
        ("100%", "100%"), ("\u{A0}", "^194^160"), ("\u{13A0}", "^225^142^160"), ("\u{2122}", "\u{2122}"),
    ])
    func aNameIsItsKeyButForWhatDropboxWouldFoldOrRefuse(_ pair: (key: String, name: String)) throws {
        #expect(try name(pair.key).utf8.elementsEqual(pair.name.utf8))
        #expect(key(pair.name)?.utf8.elementsEqual(pair.key.utf8) == true)
    }

    @Test func aNameComesBackAsItsKeyAndIsInLowerCase() throws {
        var generator = SystemRandomNumberGenerator()
        let alphabet: [Unicode.Scalar] = [
            "a", "A", "z", "Z", "^", "0", "9", " ", ".", "\\", "\u{E9}", "\u{C9}", "\u{301}", "\u{130}", "\u{1F600}",
            "ß",
            "\u{212B}", "я", "Я", "\u{1E9E}", "\u{10A0}", "\u{7F}", "\u{1}", "%", "~", "\u{FB01}", "\u{2126}",
            "\u{3A3}",
        ]
        for _ in 0..<2000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                text.append(alphabet.randomElement(using: &generator) ?? "a")
            }
            let original = String(text)
            guard !original.utf8.elementsEqual(".".utf8), !original.utf8.elementsEqual("..".utf8) else { continue }
            let escaped = try name(original)
            #expect(key(escaped)?.utf8.elementsEqual(original.utf8) == true, "\(Array(original.utf8))")
            #expect(escaped.lowercased().utf8.elementsEqual(escaped.utf8), "\(escaped)")
        }
    }

    @Test func noTwoLettersBecomeOne() throws {
        var seen: Set<[UInt8]> = []
        for value in UInt32(0x20)...0xFFFF {
            guard let scalar = Unicode.Scalar(value), scalar != "/", scalar != "." else { continue }
            let escaped = try name("x" + String(scalar) + "x")
            // A letter may be folded alone, and in whatever way the rules of any year had it.
            for scalar in escaped.unicodeScalars { #expect(!scalar.properties.changesWhenLowercased) }
            #expect(seen.insert(Array(escaped.utf8)).inserted)
        }
    }

    @Test(arguments: [
        "^", "^1", "^12", "^999", "^097", "^é", "a^", "^116humb.db", "x\u{301}", "\u{1F600}", " a", "a^000/",
    ])
    func aNameThatNoKeyHasStandsForNothing(_ name: String) {
        #expect(Names.segment(of: name.utf8) == nil)
    }

    @Test(arguments: [
        "", "a//b", "/a", "a/", ".", "..", "a/../b", "a/./b", "nul\0", String(repeating: "s", count: 256),
    ])
    func whatNoPathMayBeIsRefused(_ key: String) {
        #expect { try names.path(of: ByteString(key)) } throws: { ($0 as? BackendError)?.code == .invalidKey }
    }

    @Test func aNameHasAtMost255CharactersAsDropboxKeepsIt() throws {
        #expect(try name(String(repeating: "S", count: 127)).utf8.count == 254)
        #expect(throws: BackendError.self) { try name(String(repeating: "S", count: 128)) }
        #expect(try name(String(repeating: "日", count: 255)).unicodeScalars.count == 255)
        #expect(throws: BackendError.self) { try names.path(of: ByteString([0x61, 0xFF])) }
    }

    @Test func aFolderIsBelowTheRoot() {
        #expect(names.path(ofFolder: []) == "/Apps/Coffer")
        #expect(names.path(ofFolder: Array("A/b/".utf8)) == "/Apps/Coffer/^a/b")
        #expect(names.path(ofFolder: Array("a//".utf8)) == nil)
        #expect(Names(root: []).path(ofFolder: []) == "")
    }
}
