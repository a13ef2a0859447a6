// What an object in the local backend is, and how it is written, read, copied and removed.

import CCofferPlugin
import CofferTestSupport
import Glibc
import Testing

@Suite("Local objects")
struct LocalObjectTests {
    @Test("An object is the plain file of its key, and its commit answers what stat does")
    func objectIsAFile() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            var options = WriteOptions()
            options.properties = ["content-type": "text/plain", "x-other": "1"]
            options.metadata = ["color": "red"]
            options.digests = ["sha256": String(repeating: "0a", count: 32)]
            let written = try local.put("a/b.txt", "hello", options)
            #expect(try local.stat("a/b.txt") == written)
            #expect(try local.list(wantsMetadata: true) == [written])
            #expect(written.properties == options.properties)
            #expect(written.metadata == options.metadata)
            #expect(written.checksums == options.digests)
            #expect(try local.get("a/b.txt") == Array("hello".utf8))
            #expect(try contents("\(root)/a/b.txt") == Array("hello".utf8))
        }
    }

    @Test("A file that Coffer did not write is an object whose metadata is unknown")
    func foreignFiles() throws {
        try withTemporaryDirectory { root in
            mkdir("\(root)/d", 0o755)
            try write("foreign", to: "\(root)/d/f")
            let local = try LocalInstance(root)
            let found = try local.stat("d/f")
            #expect(found.size == 7 && found.properties.isEmpty && !found.etag.isEmpty)
            #expect(try local.keys() == ["d/f"])
            #expect(access("\(root)/.coffer", F_OK) != 0, "reading leaves no trace")
            try write("changed and longer", to: "\(root)/d/f")
            #expect(try local.stat("d/f").etag != found.etag)
        }
    }

    @Test("A digest given beforehand is compared at the commit, and kept only if the bytes were proven to have it")
    func claimedDigests() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            let claim = ["sha256": String(repeating: "0a", count: 32)]
            for (computed, expected) in [(claim, claim), ([:], [:]), (["md5": "00"], ["md5": "00"])] {
                let stream = try local.beginWrite("k", digests: claim)
                #expect(try local.commit(stream, digests: computed).checksums == expected)
                local.closeWrite(stream)
                #expect(try local.stat("k").checksums == expected)
            }
            let stream = try local.beginWrite("k", digests: claim)
            let other = ["sha256": String(repeating: "0b", count: 32)]
            #expect(code { _ = try local.commit(stream, digests: other) } == COFFER_E_CHECKSUM)
            local.closeWrite(stream)
            #expect(try local.stat("k").checksums == ["md5": "00"])
        }
    }

    @Test("Digests are not shown once a foreign program has changed the bytes")
    func foreignChangeDropsDigests() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            var options = WriteOptions()
            options.digests = ["crc32c": "00112233"]
            let first = try local.put("a", "one", options)
            try write("three", to: "\(root)/a")
            let now = try local.stat("a")
            #expect(now.checksums.isEmpty && now.etag != first.etag)
        }
    }

    @Test(
        "Keys that a file system cannot hold are refused before any I/O",
        arguments: [
            "", ".", "..", "a/../b", "a/./b", "/a", "a/", "a//b", "../x", ".coffer", ".coffer/lock", ".coffer/tmp/x",
            String(repeating: "x", count: 256), String(repeating: "y/", count: 512) + "z",
        ]
    )
    func refusedKeys(key: String) throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            let expected = [COFFER_E_INVALID_KEY]
            #expect(expected.contains(code { try local.put(key, "x") } ?? 0))
            #expect(expected.contains(code { _ = try local.stat(key) } ?? 0))
            #expect(expected.contains(code { try local.remove(key) } ?? 0))
            #expect(access("\(root)/.coffer", F_OK) != 0)
        }
    }

    @Test("Bytes that are no UTF-8, or hold a NUL, are no key")
    func refusedBytes() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            for bytes: [UInt8] in [[0xff], [0x61, 0x00, 0x62], [0xc3], [0xed, 0xa0, 0x80]] {
                #expect(code { local.closeWrite(try local.beginWrite(bytes: bytes)) } == COFFER_E_INVALID_KEY)
            }
        }
    }

    @Test("Keys that look like the backend's own names, and other odd ones, work and list back")
    func oddKeys() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            let keys = [
                ".coffer.txt", ".cofferx/a", "b/.coffer/b", ".coffer~00/x", " ", "\"", "$", "%46", "a%2Fb", "~a", "...",
                "tab\t", "line\n", " lead", "trail ", "dot.", "e\u{301}", "\u{e9}", "a", "A", "\u{1F600}", "\u{7f}",
                "\u{1}",
            ]
            for key in keys { try local.put(key, key) }
            for key in keys { #expect(try local.get(key) == Array(key.utf8)) }
            let sorted = keys.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
            #expect(try local.keys().map { Array($0.utf8) } == sorted.map { Array($0.utf8) })
        }
    }

    @Test("Of a and a/b the second is refused, and the first stays")
    func directoriesConflict() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            try local.put("a", "1")
            #expect(code { try local.put("a/b", "2") } == COFFER_E_ALREADY_EXISTS)
            #expect(try local.get("a") == Array("1".utf8))
            try local.put("d/e", "3")
            #expect(code { try local.put("d", "4") } == COFFER_E_ALREADY_EXISTS)
            #expect(try local.get("d/e") == Array("3".utf8))
            #expect(local.native & COFFER_CAP_DIRECTORIES != 0)
            #expect(code { _ = try local.stat("a/b") } == COFFER_E_NOT_FOUND)
            #expect(code { _ = try local.stat("d") } == COFFER_E_NOT_FOUND)
            #expect(code { try local.remove("a/b") } == nil)
        }
    }

    @Test("Nothing is seen before commit, and nothing stays of a write that was closed without one")
    func unpublished() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            try local.put("k", "old")
            let stream = try local.beginWrite("k")
            try local.append(stream, Array("new".utf8))
            #expect(try local.get("k") == Array("old".utf8))
            local.closeWrite(stream)
            #expect(try local.get("k") == Array("old".utf8))
            #expect(try names("\(root)/.coffer/tmp").filter { !$0.hasSuffix(".lock") } == [])
        }
    }

    @Test("A write of another length than announced publishes nothing")
    func announcedSize() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            var options = WriteOptions()
            options.size = 5
            #expect(code { try local.put("k", "four", options) } == COFFER_E_INVALID_ARGUMENT)
            #expect(code { try local.put("k", "sixsix", options) } == COFFER_E_INVALID_ARGUMENT)
            #expect(code { _ = try local.stat("k") } == COFFER_E_NOT_FOUND)
            try local.put("k", "fives", options)
        }
    }

    @Test("A reader keeps its version while the object is replaced and removed")
    func pinnedReads() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            try local.put("k", [UInt8](repeating: 1, count: 100_000))
            let stream = try local.openRead("k").stream
            defer { local.operations.read_close?(stream) }
            let first = try local.read(stream, upTo: 10)
            try local.put("k", [UInt8](repeating: 2, count: 100_000))
            try local.remove("k")
            var all = first
            while case let more = try local.read(stream), !more.isEmpty { all += more }
            #expect(all == [UInt8](repeating: 1, count: 100_000))
        }
    }

    @Test("A file that is cut off while it is read is changed, not short")
    func foreignTruncation() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            try local.put("k", [UInt8](repeating: 1, count: 1000))
            let stream = try local.openRead("k").stream
            defer { local.operations.read_close?(stream) }
            _ = try local.read(stream, upTo: 10)
            truncate("\(root)/k", 10)
            #expect(code { _ = try local.read(stream) } == COFFER_E_CHANGED)
        }
    }

    @Test("Empty directories go with their last object, and come back with the next")
    func emptyDirectories() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            try local.put("a/b/c/d", "1")
            try local.put("a/x", "2")
            try local.remove("a/b/c/d")
            #expect(access("\(root)/a/b", F_OK) != 0 && access("\(root)/a/x", F_OK) == 0)
            try local.remove("a/x")
            #expect(try names(root) == [".coffer"])
            #expect(code { try local.remove("a/x") } == nil)
            #expect(code { try local.remove("a/x", strict: true) } == COFFER_E_NOT_FOUND)
            #expect(code { try local.remove("a/x", ifMatch: "*") } == COFFER_E_PRECONDITION)
        }
    }

    @Test("Writers and removers of the same directory do not fail each other")
    func directoryRaces() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root, ["durability": "relaxed"])
            let failures = Counter()
            onThreads(4) { number in
                for turn in 0..<150 {
                    do {
                        try local.put("deep/er/\(number)", "\(turn)")
                        try local.remove("deep/er/\(number)")
                    } catch {
                        failures.add("\(error)")
                    }
                }
            }
            #expect(failures.all == [])
            #expect(try names(root) == [".coffer"])
        }
    }

    @Test("A copy has the bytes and the metadata; a move leaves nothing behind")
    func copiesAndMoves() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            var options = WriteOptions()
            options.metadata = ["a": "1"]
            options.properties = ["mtime": "1000000000000000001"]
            options.digests = ["md5": String(repeating: "ab", count: 16)]
            let first = try local.put("from/x", [UInt8](repeating: 7, count: 200_000), options)
            #expect(first.modified == 1_000_000_000_000_000_001)
            let copied = try local.copy("from/x", "to/y")
            #expect(try copied == local.stat("to/y"))
            #expect(copied.metadata == first.metadata && copied.checksums == first.checksums)
            #expect(copied.etag != first.etag && copied.modified == first.modified)
            #expect(try local.get("to/y") == local.get("from/x"))
            #expect(code { _ = try local.copy("none", "to/y") } == COFFER_E_NOT_FOUND)
            #expect(code { _ = try local.copy("from/x", "to/y", ifNoneMatch: "*") } == COFFER_E_ALREADY_EXISTS)
            let changed = try local.copy("to/y", "to/y", metadata: ["b": "2"])
            #expect(changed.metadata == ["b": "2"])
            #expect(try local.stat("from/x").metadata == ["a": "1"])
            #expect(code { _ = try local.copy("to/y", "to/y") } == COFFER_E_INVALID_ARGUMENT)
            let moved = try local.copy("from/x", "new/place/z", moving: true)
            #expect(try moved == local.stat("new/place/z"))
            #expect(moved.metadata == ["a": "1"])
            #expect(try local.keys() == ["new/place/z", "to/y"])
            #expect(access("\(root)/from", F_OK) != 0)
            #expect(code { _ = try local.copy("from/x", "to/y", moving: true) } == COFFER_E_NOT_FOUND)
        }
    }

    @Test("A descriptor is taken in whole, and one is given out that can only be read")
    func descriptors() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance("\(root)/store")
            let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try write(bytes, to: "\(root)/source")
            let source = open("\(root)/source", O_RDONLY)
            defer { close(source) }
            let stream = try local.beginWrite("in")
            #expect(try local.ingest(stream, source, length: 300_000) == 300_000)
            let stored = try local.commit(stream)
            local.closeWrite(stream)
            #expect(stored.size == 300_000)
            #expect(try local.get("in") == bytes)
            let answer = try local.openRead("in", descriptor: true)
            #expect(answer.fd >= 0)
            defer { close(answer.fd) }
            #expect(answer.fd_flags == COFFER_FD_SEEKABLE | COFFER_FD_SHAREABLE | COFFER_FD_IMMUTABLE)
            #expect(fcntl(answer.fd, F_GETFL) & O_ACCMODE == O_RDONLY)
            #expect(fcntl(answer.fd, F_GETFD) & FD_CLOEXEC != 0)
        }
    }
}
