// Commands, features, ports and times: what goes over the control connection, word for word.

import CofferPluginSDK
import Testing

@testable import FTPBackend

@Suite("Words of the protocol")
struct ProtocolTests {
    private func reply(_ code: Int, _ lines: String...) -> Reply {
        Reply(code: code, lines: lines.map { Array($0.utf8) })
    }

    @Test("A command is one line, whatever a name holds", arguments: [0x0D, 0x0A, 0x00, 0xFF] as [UInt8])
    func oneLine(byte: UInt8) throws {
        #expect(try Command("DELE", Array("/a b".utf8)).bytes == Array("DELE /a b\r\n".utf8))
        let error = #expect(throws: BackendError.self) { try Command("DELE", [0x61, byte, 0x62]) }
        #expect(error?.code == .invalidKey)
    }

    @Test("Features are read as they are listed")
    func features() {
        let listed = Features(
            reply(211, "Features:", " MDTM", " mfmt", " MLST type*;size*;modify*;UNIX.mode*;unique*;", " UTF8", "End")
        )
        #expect(listed.isKnown && listed.hasMFMT && listed.hasUTF8)
        #expect(listed.facts == ["type", "size", "modify", "unix.mode", "unique"])
        #expect(
            listed.settings(isLatin1: false).map { String(decoding: $0.bytes, as: UTF8.self) } == [
                "OPTS UTF8 ON\r\n", "OPTS MLST type;size;modify;unique;\r\n",
            ]
        )
        #expect(!Features(reply(500, "what?")).isKnown)
        #expect(Features(reply(211, "no-features")).facts == nil)
    }

    @Test(
        "The port of EPSV is taken, and nothing else",
        arguments: [
            ("Entering Extended Passive Mode (|||6446|)", 6446), ("ok (!!!65535!)", 65535), ("(||1|6446|)", 6446),
            ("(|||0|)", nil), ("(|||65536|)", nil), ("(|||x|)", nil), ("(|||6446)", nil), ("()", nil), ("none", nil),
        ] as [(String, UInt16?)]
    )
    func extendedPort(text: String, port: UInt16?) {
        #expect(PassiveReply.extendedPort(reply(229, text)) == port)
    }

    @Test(
        "The port of PASV is taken, with or without brackets, and the host is not",
        arguments: [
            ("Entering Passive Mode (192,168,1,2,25,46)", 6446), ("Entering Passive Mode. 10,0,0,1,0,21", 21),
            ("=127,0,0,1,255,255", 65535), ("(1,2,3,4,0,0)", nil), ("(1,2,3,4,5)", nil), ("(1,2,3,4,256,1)", nil),
            ("", nil),
        ] as [(String, UInt16?)]
    )
    func passivePort(text: String, port: UInt16?) {
        #expect(PassiveReply.port(reply(227, text)) == port)
    }

    @Test(
        "The directory of PWD is unquoted",
        arguments: [
            ("\"/\" is the current directory", ""), ("\"/home/me\"", "/home/me"),
            ("\"/a \"\"b\"\"/\" is it", "/a \"b\""),
            ("nothing", ""),
        ]
    )
    func directory(text: String, path: String) {
        #expect(Login.directory(reply(257, text)) == Array(path.utf8))
    }

    @Test(
        "Times are read to the nanosecond and written to the second",
        arguments: [
            ("19700101000000", 0), ("20000229235959", 951_868_799_000_000_000),
            ("20261121150405.5", 1_795_273_445_500_000_000),
            ("20261121150405.123456789", 1_795_273_445_123_456_789), ("16010101000000", nil), ("99991231235959", nil),
            ("20261321150405", nil), ("2026112115040", nil), ("20261121150405.", nil), ("2026112115040x", nil),
            ("", nil),
        ] as [(String, Int64?)]
    )
    func times(text: String, nanoseconds: Int64?) {
        #expect(Timestamp.parse(Array(text.utf8)) == nanoseconds)
        if let nanoseconds { #expect(Timestamp.text(of: nanoseconds) == Array(text.utf8.prefix(14))) }
    }

    @Test("Every day is the day that it was written as")
    func days() {
        for day in stride(from: Int64(-30_000), to: 60_000, by: 97) {
            let date = Timestamp.civil(day)
            #expect(Timestamp.seconds(year: date.year, month: date.month, day: date.day, second: 0) == day * 86400)
        }
    }

    @Test(
        "Refusals mean what their codes and words say",
        arguments: [
            (421, "bye", .unavailable, true), (425, "no data", .unavailable, true), (450, "busy", .unavailable, true),
            (426, "No space left on device", .noSpace, false), (451, "local error", .io, false),
            (452, "full", .noSpace, false), (530, "no", .unauthenticated, false),
            (550, "Permission denied", .permission, false),
            (550, "x: No such file or directory", .notFound, false), (550, "Disk quota exceeded", .quota, false),
            (552, "exceeded storage allocation", .noSpace, false), (552, "over quota", .quota, false),
            (553, "Could not create file.", .permission, false), (502, "what?", .unsupported, false),
        ] as [(Int, String, BackendError.Code, Bool)]
    )
    func refusals(number: Int, words: String, code: BackendError.Code, isRetryable: Bool) {
        let error = reply(number, words).error("cannot")
        #expect(error.code == code)
        #expect(error.isRetryable == isRetryable)
        #expect(error.native == Int32(number))
    }
}
