// Lines of listings, for machines and for people: every name comes out as it is.

import CofferPluginSDK
import Testing

@testable import FTPBackend

@Suite("Lines of listings")
struct ListingLineTests {
    /// 2026-03-15 12:00 UTC.
    private static let now: Int64 = 1_773_576_000

    private func seconds(_ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0) -> Int64? {
        Timestamp.seconds(year: year, month: month, day: day, second: hour * 3600 + minute * 60)
    }

    @Test("Facts are read in any order and case, and the name after the first blank is kept whole")
    func facts() {
        let line = "Type=file;SIZE=25;modify=20260101000000.25;unique=FE00U1;perm=adf;  two  blanks; "
        let parsed = FactLine.parse(Array(line.utf8)[...])
        #expect(parsed?.facts.kind == .file)
        #expect(parsed?.facts.size == 25)
        #expect(parsed?.facts.modified == (seconds(2026, 1, 1) ?? 0) * 1_000_000_000 + 250_000_000)
        #expect(parsed.map { Array($0.facts.unique) } == Array("FE00U1".utf8))
        #expect(parsed.map { String(decoding: $0.name, as: UTF8.self) } == " two  blanks; ")
        for (type, kind) in [("dir", .directory), ("cdir", .other), ("pdir", .other), ("OS.unix=slink:/x", .other)]
            as [(String, Facts.Kind)]
        {
            #expect(FactLine.parse(Array("type=\(type); n".utf8)[...])?.facts.kind == kind)
        }
        #expect(FactLine.parse(Array("no-blank".utf8)[...]) == nil)
    }

    @Test("A token tells states apart, and there is none where the server does not tell files apart")
    func tokens() {
        var facts = Facts(kind: .file, size: 1, modified: 2, unique: Array("U1".utf8)[...])
        let first = facts.token
        #expect(first != 0 && Facts.tag(first).count == 16)
        facts.size = 2
        #expect(facts.token != first)
        facts.size = 1
        facts.unique = Array("U2".utf8)[...]
        #expect(facts.token != first)
        facts.unique = []
        #expect(facts.token == 0 && Facts.tag(0).isEmpty)
    }

    @Test(
        "Lines of ls are read, whatever columns a server leaves out",
        arguments: [
            ("-rw-r--r--   1 owner    group        1234 Mar 14 09:05 plain.txt", .file, 1234, "plain.txt"),
            ("-rw-r--r--   1 owner    group        1234 Mar 14 09:05  two  blanks ", .file, 1234, " two  blanks "),
            ("drwxr-xr-x+  2 0        0            4096 Jan 01  2020 folder", .directory, -1, "folder"),
            ("-rw-------    1 ftp      ftp   5368709120 Dec 31 23:59 large", .file, 5_368_709_120, "large"),
            ("-rw-r--r--   1 Jan      May             7 Feb  3  2019 12 Mar 10:00", .file, 7, "12 Mar 10:00"),
            ("-rw-r--r--   1 owner          99 14 Mar 09:05 day-first", .file, 99, "day-first"),
            ("-rw-r--r-- 1 owner group 5 2026-03-14 09:05 iso", .file, 5, "iso"),
            ("lrwxrwxrwx   1 o g 4 Mar 14 09:05 link -> to", .other, -1, "link -> to"),
            ("-rw-r--r--   1 o g 0 Mar 14 09:05 \u{20AC}", .file, 0, "\u{20AC}"),
        ] as [(String, Facts.Kind, Int64, String)]
    )
    func unix(line: String, kind: Facts.Kind, size: Int64, name: String) {
        let parsed = ListLine(now: Self.now).parse(Array(line.utf8)[...])
        #expect(parsed?.facts.kind == kind)
        #expect(parsed?.facts.size == size)
        #expect(parsed.map { String(decoding: $0.name, as: UTF8.self) } == name)
    }

    @Test("A date without a year is the latest such day, and tomorrow may be today elsewhere")
    func years() {
        func modified(_ date: String) -> Int64? {
            let line = "-rw-r--r-- 1 o g 5 \(date) n"
            return ListLine(now: Self.now).parse(Array(line.utf8)[...]).map { $0.facts.modified / 1_000_000_000 }
        }
        #expect(modified("Mar 14 09:05") == seconds(2026, 3, 14, 9, 5))
        #expect(modified("Mar 16 09:05") == seconds(2026, 3, 16, 9, 5))
        #expect(modified("Mar 17 09:05") == seconds(2025, 3, 17, 9, 5))
        #expect(modified("Dec 31 23:59") == seconds(2025, 12, 31, 23, 59))
        #expect(modified("Dec 31  1999") == seconds(1999, 12, 31))
        let newYear = seconds(2026, 12, 31, 23, 30) ?? 0
        let line = Array("-rw-r--r-- 1 o g 5 Jan  1 00:10 n".utf8)
        #expect(
            ListLine(now: newYear).parse(line[...])?.facts.modified == (seconds(2027, 1, 1, 0, 10) ?? 0) * 1_000_000_000
        )
    }

    @Test(
        "Lines of dir are read",
        arguments: [
            ("11-21-26  03:04PM       <DIR>          a folder", .directory, -1, "a folder"),
            ("11-21-2026  12:04AM                 1234 a file.txt", .file, 1234, "a file.txt"),
            ("01-02-99  12:00PM                    0  lead", .file, 0, " lead"),
        ] as [(String, Facts.Kind, Int64, String)]
    )
    func dos(line: String, kind: Facts.Kind, size: Int64, name: String) {
        let parsed = ListLine(now: Self.now).parse(Array(line.utf8)[...])
        #expect(parsed?.facts.kind == kind)
        #expect(parsed?.facts.size == size)
        #expect(parsed.map { String(decoding: $0.name, as: UTF8.self) } == name)
    }

    @Test("The times of dir are those of a clock with two halves")
    func halves() {
        func modified(_ time: String) -> Int64? {
            ListLine(now: Self.now).parse(Array("11-21-26  \(time)  5 n".utf8)[...]).map {
                $0.facts.modified / 1_000_000_000
            }
        }
        #expect(modified("03:04PM") == seconds(2026, 11, 21, 15, 4))
        #expect(modified("12:04AM") == seconds(2026, 11, 21, 0, 4))
        #expect(modified("12:04PM") == seconds(2026, 11, 21, 12, 4))
        #expect(modified("15:04") == seconds(2026, 11, 21, 15, 4))
    }

    @Test(
        "What is no entry is none",
        arguments: ["", "total 12", "-rw-r--r--", "hello world", "11-21-26", "d 1 2 3 4 5 6"]
    )
    func nothing(line: String) {
        #expect(ListLine(now: Self.now).parse(Array(line.utf8)[...]) == nil)
    }
}
