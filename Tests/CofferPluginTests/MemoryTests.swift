// What an object in the memory backend is.

import CCofferPlugin
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

@Suite("The memory backend")
struct MemoryTests {
    @Test func whatGoesInComesOutWithAllThatIsKnown() throws {
        let memory = try MemoryPlugins.memory()
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let options = WriteOptions(
            size: Int64(bytes.count),
            properties: ["content-type": "text/plain", "cache-control": "no-store", "mtime": "1234567890123456789"],
            metadata: ["a": "é", "b": ""],
            digests: ["sha256": "00"]
        )
        let put = try memory.put("a/b", bytes, options)
        #expect(try memory.get("a/b") == bytes)
        let stat = try memory.stat("a/b")
        #expect(stat == put)
        #expect(stat.modified == 1_234_567_890_123_456_789)
        #expect(stat.properties == ["content-type": "text/plain", "cache-control": "no-store"])
        #expect(stat.metadata == ["a": "é", "b": ""])
        #expect(stat.checksums == ["sha256": "00"])
        #expect(try memory.list(wantsMetadata: true) == [put])
    }

    @Test func aRangeIsCutAtTheEndAndNeverStartsThere() throws {
        let memory = try MemoryPlugins.memory()
        let bytes = Array("0123456789abcd".utf8)
        _ = try memory.put("k", bytes)
        #expect(try memory.get("k", offset: 3, length: 4) == Array(bytes[3..<7]))
        #expect(try memory.get("k", offset: 2, length: 100) == Array(bytes[2...]))
        #expect(try memory.get("k", offset: 0, length: 0).isEmpty)
        #expect(try memory.get("k", offset: 0, length: 2, suffix: true) == Array(bytes[12...]))
        #expect(try memory.get("k", offset: 0, length: 100, suffix: true) == bytes)
        for offset in [14, 15, UInt64(Int64.max), .max] {
            #expect(code { _ = try memory.get("k", offset: offset, length: -1) } == COFFER_E_RANGE)
        }
        _ = try memory.put("empty", [])
        #expect(try memory.get("empty").isEmpty)
        #expect(code { _ = try memory.get("empty", offset: 1, length: 1) } == COFFER_E_RANGE)
    }

    @Test func aReaderKeepsTheVersionItBeganWith() throws {
        let memory = try MemoryPlugins.memory()
        _ = try memory.put("k", "the old one")
        let stream = try memory.openRead("k").stream
        _ = try memory.read(stream, upTo: 4)
        _ = try memory.put("k", "THE NEW ONE")
        try memory.remove("k")
        #expect(try memory.read(stream) == Array("old one".utf8))
        memory.operations.read_close?(stream)
    }

    @Test func nothingIsVisibleBeforeTheCommitNorAfterAnAbort() throws {
        let memory = try MemoryPlugins.memory(["size": "10"])
        _ = try memory.put("k", "old")
        let stream = try memory.beginWrite("k")
        try memory.append(stream, Array("newer".utf8))
        #expect(try memory.get("k") == Array("old".utf8))
        memory.closeWrite(stream)
        #expect(try memory.get("k") == Array("old".utf8))
        #expect(try memory.usage() == ["bytes": "3", "objects": "1", "bytes_free": "7", "bytes_total": "10"])
    }

    @Test func theSizeBoundsAllObjectsTogether() throws {
        let memory = try MemoryPlugins.memory(["size": "10"])
        _ = try memory.put("a", "1234")
        #expect(code { _ = try memory.put("b", "1234567") } == COFFER_E_QUOTA)
        #expect(code { _ = try memory.beginWrite("b", WriteOptions(size: 7)) } == COFFER_E_QUOTA)
        #expect(try memory.keys() == ["a"])
        _ = try memory.put("b", "123456")
        #expect(code { _ = try memory.copy("a", "c") } == COFFER_E_QUOTA)
        _ = try memory.copy("a", "d", moving: true)
        #expect(try memory.usage()["bytes"] == "10")
        try memory.remove("d")
        _ = try memory.copy("b", "b", metadata: ["x": "y"])
        #expect(try memory.usage() == ["bytes": "6", "objects": "1", "bytes_free": "4", "bytes_total": "10"])
    }

    @Test func conditionsAreJudgedAtBeginAndAtCommit() throws {
        let memory = try MemoryPlugins.memory()
        let first = try memory.put("k", "1")
        #expect(code { _ = try memory.put("k", "2", WriteOptions(ifNoneMatch: "*")) } == COFFER_E_ALREADY_EXISTS)
        #expect(code { _ = try memory.put("n", "2", WriteOptions(ifMatch: "*")) } == COFFER_E_PRECONDITION)
        let late = try memory.beginWrite("k", WriteOptions(ifMatch: first.etag))
        let second = try memory.put("k", "2", WriteOptions(ifMatch: first.etag))
        #expect(second.etag != first.etag)
        #expect(code { _ = try memory.commit(late) } == COFFER_E_PRECONDITION)
        memory.closeWrite(late)
        #expect(code { _ = try memory.stat("k", ifNoneMatch: second.etag) } == COFFER_E_NOT_MODIFIED)
        #expect(code { try memory.remove("k", ifMatch: first.etag) } == COFFER_E_PRECONDITION)
        #expect(code { try memory.remove("gone", ifMatch: "*") } == COFFER_E_PRECONDITION)
        #expect(code { try memory.remove("gone", strict: true) } == COFFER_E_NOT_FOUND)
        try memory.remove("gone")
        try memory.remove("k", ifMatch: second.etag)
        #expect(try memory.keys().isEmpty)
    }

    @Test func aDigestThatTheHostComputedOtherwiseIsRefused() throws {
        let memory = try MemoryPlugins.memory()
        let stream = try memory.beginWrite("k", digests: ["sha256": "aa"])
        #expect(code { _ = try memory.commit(stream, digests: ["sha256": "bb"]) } == COFFER_E_CHECKSUM)
        memory.closeWrite(stream)
        #expect(try memory.keys().isEmpty)
    }

    @Test func aListingIsInByteOrderAtEveryPageSize() throws {
        let memory = try MemoryPlugins.memory()
        var keys =
            (0..<2_501).map { "k/\($0 &* 7919 % 2_501)" } + [
                "t/t", "t-/t.", "t0", "testFile1", "é", "\u{1F600}", "../x",
            ]
        for key in keys { _ = try memory.put(key, []) }
        keys.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        for page in [1, 2, 255, 999, 1_000, 1_001, .max] as [UInt64] {
            #expect(try memory.keys(page: page) == keys)
        }
        #expect(try memory.keys(prefix: "k/12") == keys.filter { $0.hasPrefix("k/12") })
        #expect(try memory.keys(after: "t/") == keys.filter { "t/".utf8.lexicographicallyPrecedes($0.utf8) })
        #expect(try memory.keys(prefix: "none").isEmpty)
    }

    @Test func aDelimiterGathersKeysAtEveryPageSize() throws {
        let memory = try MemoryPlugins.memory()
        for key in ["a", "b/1", "b/2", "b/c/3", "b0", "c//d", "é/x", "z/"] { _ = try memory.put(key, []) }
        for page in [1, 2, 3, 100] as [UInt64] {
            #expect(try memory.keys(delimiter: "/", page: page) == ["a", "b/", "b0", "c/", "z/", "é/"])
            #expect(try memory.keys(prefix: "b/", delimiter: "/", page: page) == ["b/1", "b/2", "b/c/"])
            #expect(try memory.keys(delimiter: "//", page: page).contains("c//"))
        }
        // A prefix that is not greater than the start is not given, whatever lies beneath it.
        #expect(try memory.keys(delimiter: "/", after: "b/1") == ["b0", "c/", "z/", "é/"])
        #expect(try memory.keys(delimiter: "/", after: "b/") == ["b0", "c/", "z/", "é/"])
    }

    @Test func aListingGoesOnWhileKeysComeAndGo() throws {
        let memory = try MemoryPlugins.memory()
        for number in 0..<1_000 { _ = try memory.put("k\(10_000 + number)", []) }
        let gathered = Gathered()
        var sink = gathered.sink()
        var arguments = coffer_list_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_list_args>.size)
        var stream: OpaquePointer?
        try LocalInstance.check { memory.operations.list_open(memory.instance, $1, &arguments, &stream, $0) }
        var done: UInt32 = 0
        var step = 0
        while done == 0 {
            try LocalInstance.check { memory.operations.list_next(stream, $1, 10, &done, &sink, $0) }
            if step < 400 { try memory.remove("k\(10_000 + step * 2 + 1)") }
            _ = try memory.put("a\(step)", [])
            step += 1
        }
        memory.operations.list_close(stream)
        let seen = gathered.objects.map(\.key)
        #expect(seen == seen.sorted())
        #expect(Set(seen).count == seen.count)
        #expect(Set(seen).isSuperset(of: (0..<500).map { "k\(10_000 + $0 * 2)" }))
    }

    @Test func copiesAndMovesKeepEverythingButTheToken() throws {
        let memory = try MemoryPlugins.memory()
        let source = try memory.put("a", "bytes", WriteOptions(properties: ["mtime": "5"], metadata: ["x": "1"]))
        let copy = try memory.copy("a", "b")
        #expect(copy.etag != source.etag)
        #expect((copy.modified, copy.metadata["x"], copy.size) == (5, "1", 5))
        let replaced = try memory.copy("a", "a", metadata: ["y": "2"])
        #expect(replaced.metadata == ["y": "2"])
        #expect(try memory.stat("b").metadata == ["x": "1"])
        let moved = try memory.copy("b", "c", moving: true)
        #expect(moved.modified == 5)
        #expect(try memory.keys() == ["a", "c"])
        #expect(code { _ = try memory.copy("gone", "a") } == COFFER_E_NOT_FOUND)
        #expect(code { _ = try memory.copy("a", "c", ifNoneMatch: "*") } == COFFER_E_ALREADY_EXISTS)
        #expect(try memory.get("c") == Array("bytes".utf8))
    }

    @Test func aDescriptorIsIngestedWholeAndFromAnOffset() throws {
        try withTemporaryDirectory { folder in
            let memory = try MemoryPlugins.memory()
            let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
            try write(bytes, to: "\(folder)/file")
            let descriptor = open("\(folder)/file", O_RDONLY | O_CLOEXEC)
            defer { close(descriptor) }
            let stream = try memory.beginWrite("k", WriteOptions(size: 100_000))
            #expect(try memory.ingest(stream, descriptor, length: 100_000) == 100_000)
            _ = try memory.commit(stream)
            memory.closeWrite(stream)
            #expect(try memory.get("k") == bytes)
        }
    }

    @Test func oneOfManyCreatorsWins() throws {
        let memory = try MemoryPlugins.memory()
        let won = Locked<[Int]>([])
        onThreads(8) { number in
            if (try? memory.put("k", "\(number)", WriteOptions(ifNoneMatch: "*"))) != nil {
                won.withLock { $0.append(number) }
            }
        }
        let winners = won.withLock { $0 }
        #expect(winners.count == 1)
        #expect(try memory.get("k") == Array("\(winners.first ?? -1)".utf8))
    }

    @Test func conditionalCountersLoseNothing() throws {
        let memory = try MemoryPlugins.memory()
        _ = try memory.put("n", "0")
        onThreads(4) { _ in
            var left = 25
            while left > 0 {
                guard let before = try? memory.stat("n"),
                    let bytes = try? memory.get("n"),
                    let number = Int(String(decoding: bytes, as: UTF8.self)),
                    (try? memory.put("n", "\(number + 1)", WriteOptions(ifMatch: before.etag))) != nil
                else { continue }
                left -= 1
            }
        }
        #expect(try memory.get("n") == Array("100".utf8))
    }

    @Test func readersWritersAndListersDoNotDisturbOneAnother() throws {
        let memory = try MemoryPlugins.memory()
        for number in 0..<64 { _ = try memory.put("still\(number)", "x") }
        let torn = Locked(0)
        onThreads(6) { number in
            for round in 0..<200 {
                let key = "k\(round % 7)"
                switch number % 3 {
                case 0:
                    let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: round), count: 5_000)
                    _ = try? memory.put(key, bytes)
                    if round % 5 == 0 { try? memory.remove(key) }
                case 1:
                    if let bytes = try? memory.get(key), Set(bytes).count > 1 { torn.withLock { $0 += 1 } }
                default:
                    guard round % 10 == 0 else { continue }
                    let count = (try? memory.keys(prefix: "still", page: 5).count) ?? 0
                    if count != 64 { torn.withLock { $0 += 1 } }
                }
            }
        }
        #expect(torn.withLock { $0 } == 0)
    }
}
