// The local backend on other file systems: FAT, which has neither links nor attributes, XFS, which shares extents, and
// ones that take no writes at all.

import CCofferPlugin
import CofferTestSupport
import Glibc
import Testing

/// Makes a file system in a file and mounts it, if this machine lets us; says so if not.
private func withImage(
    _ maker: [String],
    megabytes: Int,
    _ body: (String) throws -> Void
) throws {
    try withTemporaryDirectory { folder in
        guard geteuid() == 0 else { return print("skipped: only root can mount \(maker[0])") }
        let image = "\(folder)/image"
        try write([], to: image)
        try #require(truncate(image, megabytes << 20) == 0)
        mkdir("\(folder)/root", 0o755)
        let made = try? run(maker + [image], in: folder)
        guard made?.code == 0 else { return print("skipped: \(maker[0]): \(made?.output ?? "not installed")") }
        let mounted = try run(["mount", "-o", "loop", image, "\(folder)/root"], in: folder)
        guard mounted.code == 0 else { return print("skipped: cannot mount what \(maker[0]) made: \(mounted.output)") }
        defer { umount2("\(folder)/root", Int32(MNT_DETACH)) }
        try body("\(folder)/root")
    }
}

/// The bytes that a file system has in use, with everything written out.
private func bytesUsed(_ path: String) throws -> UInt64 {
    try #require(try run(["sync", "-f", path], in: "/tmp").code == 0)
    var space = statvfs()
    try #require(statvfs(path, &space) == 0)
    return UInt64(space.f_blocks - space.f_bfree) * UInt64(space.f_frsize)
}

@Suite("Local file systems")
struct LocalFileSystemTests {
    private static let fat = ["mkfs.vfat"]

    @Test("On FAT, without links, attributes and unnamed files, objects keep their promises")
    func fatFiles() throws {
        try withImage(Self.fat, megabytes: 16) { root in
            #expect(try LocalInstance(root).native & COFFER_CAP_CASE_INSENSITIVE != 0)
            try LocalFileSystemTests.expectPromises(root)
        }
    }

    @Test("So they do where the kernel refuses links, attributes and unnamed files")
    func fewAbilities() async throws {
        try await withTemporaryDirectory { root in
            await #expect(processExitsWith: .success) { [root = root as String] in
                #expect(refuseLinksAndAttributes())
                try LocalFileSystemTests.expectPromises(root)
                #expect(try names(root) == [".coffer"])
            }
        }
    }

    static func expectPromises(_ root: String) throws {
        let local = try LocalInstance(root, ["durability": "relaxed"])
        var options = WriteOptions()
        options.metadata = ["a": "1"]
        options.digests = ["crc32c": "00112233"]
        let first = try local.put("d/k", "one", options)
        #expect(try local.stat("d/k") == first && first.metadata == ["a": "1"])
        #expect(first.checksums == options.digests)
        let second = try local.put("d/k", "two", options)
        #expect(try local.get("d/k") == Array("two".utf8) && second.etag != first.etag)
        let copied = try local.copy("d/k", "c")
        let moved = try local.copy("d/k", "m", moving: true)
        #expect(copied.metadata == ["a": "1"] && moved.metadata == ["a": "1"])
        #expect(try local.list(wantsMetadata: true) == [copied, moved])
        options.ifNoneMatch = "*"
        #expect(code { try local.put("c", "x", options) } == COFFER_E_ALREADY_EXISTS)
        let stream = try local.beginWrite("c")
        try local.append(stream, Array("half".utf8))
        #expect(try names("\(root)/.coffer/tmp").count == 2, "an unpublished file has a name here")
        local.closeWrite(stream)
        #expect(try local.get("c") == Array("two".utf8))
        try expectDistinctTokens(local)
        for key in try local.keys() { try local.remove(key) }
        #expect(try names("\(root)/.coffer/meta") == [])
        #expect(try names("\(root)/.coffer/tmp").allSatisfy { $0.hasSuffix(".lock") })
    }

    private static func expectDistinctTokens(_ local: LocalInstance) throws {
        var token = try local.put("k", "A").etag
        var refused = 0
        for turn in 0..<1000 {
            let next = try local.put("k", turn % 2 == 0 ? "B" : "C").etag
            var options = WriteOptions()
            options.ifMatch = token
            if code({ try local.put("k", "D", options) }) == COFFER_E_PRECONDITION { refused += 1 }
            token = next
        }
        #expect(refused == 1000)
        #expect(try local.stat("k").etag == token)
    }

    @Test("Tokens of versions within one tick never match each other on tmpfs")
    func tokensOnMemory() throws {
        try withMount("tmpfs", "size=16m") { root in
            try Self.expectDistinctTokens(try LocalInstance(root, ["durability": "relaxed"]))
        }
    }

    @Test("Where extents can be shared, an ingest and a copy take no room of their own")
    func sharedExtents() throws {
        try withImage(["mkfs.xfs", "-q"], megabytes: 320) { folder in
            let size: UInt64 = 32 << 20
            let local = try LocalInstance("\(folder)/store")
            try write([UInt8](repeating: 7, count: Int(size)), to: "\(folder)/source")
            let before = try bytesUsed(folder)
            let source = open("\(folder)/source", O_RDONLY)
            defer { close(source) }
            let stream = try local.beginWrite("in")
            #expect(try local.ingest(stream, source, length: size) == size)
            _ = try local.commit(stream)
            local.closeWrite(stream)
            _ = try local.copy("in", "copy")
            #expect(try bytesUsed(folder) < before + 2 << 20)
            // Shared until somebody writes: what a foreign program does to one is not seen in the other.
            let file = open("\(folder)/store/in", O_WRONLY)
            #expect(write(file, "x", 1) == 1)
            close(file)
            #expect(try local.get("copy") == [UInt8](repeating: 7, count: Int(size)))
        }
    }

    @Test("A root on a read-only mount is read_only, healthy, read as ever, and refuses every change")
    func readOnlyMounts() throws {
        try withMount("tmpfs", "size=1m") { root in
            try LocalInstance(root).put("d/k", "x")
            #expect(try LocalInstance(root).native & COFFER_CAP_READ_ONLY == 0)
            let result = try run(["mount", "-o", "remount,ro", root], in: "/tmp")
            try #require(result.code == 0, "\(result.output)")
            let local = try LocalInstance(root)
            try expectReadOnly(local)
        }
    }

    @Test("A root that belongs to somebody else is read_only")
    func foreignRoots() throws {
        try withTemporaryDirectory { root in
            guard geteuid() != 0 else { return print("skipped: root may write everywhere") }
            try LocalInstance(root).put("d/k", "x")
            chmod(root, 0o555)
            defer { chmod(root, 0o755) }
            try expectReadOnly(try LocalInstance(root))
        }
    }

    private func expectReadOnly(_ local: LocalInstance) throws {
        #expect(local.native & COFFER_CAP_READ_ONLY != 0)
        #expect(local.native & (COFFER_CAP_WRITE | COFFER_CAP_REMOVE | COFFER_CAP_COPY | COFFER_CAP_MOVE) == 0)
        #expect(try local.get("d/k") == Array("x".utf8) && local.keys() == ["d/k"])
        try LocalInstance.check { local.operations.health?(local.instance, $1, nil, $0) ?? COFFER_E_UNSUPPORTED }
        #expect(code { try local.put("n", "x") } == COFFER_E_UNSUPPORTED)
        #expect(code { try local.remove("d/k") } == COFFER_E_UNSUPPORTED)
        #expect(code { _ = try local.copy("d/k", "n") } == COFFER_E_UNSUPPORTED)
        #expect(code { _ = try local.copy("d/k", "n", moving: true) } == COFFER_E_UNSUPPORTED)
    }
}
