// Directories come out in byte order, in memory and over files alike.

import CofferPluginSDK
import Testing

@testable import FTPBackend

@Suite("Sorted directories")
struct SortedEntriesTests {
    private func names(_ entries: inout SortedEntries) throws -> [String] {
        var names: [String] = []
        while let entry = try entries.take() { names.append(String(decoding: entry.name, as: UTF8.self)) }
        return names
    }

    @Test("A directory sorts as its name with a slash")
    func slashes() throws {
        var entries = SortedEntries(limit: 1 << 20)
        for (name, kind) in [
            ("a0", .file), ("a", .directory), ("a-b", .file), ("A", .file), ("\u{E9}", .file), ("a.", .file),
        ]
            as [(String, Facts.Kind)]
        {
            try entries.add(Array(name.utf8), Facts(kind: kind))
        }
        entries.finish()
        #expect(try names(&entries) == ["A", "a-b", "a.", "a/", "a0", "\u{E9}"])
    }

    @Test(
        "Many entries are merged from files with all that is known of them, and none comes twice",
        arguments: [1 << 12, 1 << 16, 1 << 24]
    )
    func runs(limit: Int) throws {
        var entries = SortedEntries(limit: limit)
        let count = 5000
        for index in 0..<count {
            let number = (index * 7919) % count
            let facts = Facts(kind: .file, size: Int64(number), modified: Int64(number) * 3, unique: [1])
            try entries.add(Array("n\(number)".utf8), facts)
            if index % 10 == 0 { try entries.add(Array("n\(number)".utf8), facts) }
        }
        entries.finish()
        var last: [UInt8] = []
        var seen = 0
        while let entry = try entries.take() {
            #expect(last.lexicographicallyPrecedes(entry.name))
            let number = Int64(String(decoding: entry.name.dropFirst(), as: UTF8.self)) ?? -1
            #expect(entry.size == number && entry.modified == number * 3 && entry.token != 0)
            last = entry.name
            seen += 1
        }
        #expect(seen == count)
    }

    @Test("A token is taken once in a while")
    func recent() {
        let recent = Recent()
        let path = Array("/a".utf8)
        #expect(recent.take(1, for: path, ahead: 0))
        #expect(recent.take(2, for: path, ahead: 0))
        #expect(!recent.take(1, for: path, ahead: 0))
        #expect(recent.take(1, for: Array("/b".utf8), ahead: 0))
    }
}
