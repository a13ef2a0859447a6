// The local backend on media with their own minds: full ones, ones without attributes, and the order of syncs.

import CCofferPlugin
import CofferTestSupport
import Glibc
import Testing

/// Mounts a file system, if this machine lets us; what to say if not.
func withMount(
    _ type: String,
    _ options: String,
    _ body: (String) throws -> Void
) throws {
    try withTemporaryDirectory { folder in
        guard mount("none", folder, type, 0, options) == 0 else {
            print("skipped: cannot mount \(type): \(String(cString: strerror(errno)))")
            return
        }
        defer { umount2(folder, Int32(MNT_DETACH)) }
        try body(folder)
    }
}

@Suite("Local media")
struct LocalMediumTests {
    @Test("On a full disk a put says no_space, the old content stays, and room comes back")
    func fullDisk() throws {
        try withMount("tmpfs", "size=1m") { root in
            let local = try LocalInstance(root)
            try local.put("k", "old")
            #expect(code { try local.put("k", [UInt8](repeating: 1, count: 2 << 20)) } == COFFER_E_NO_SPACE)
            #expect(try local.get("k") == Array("old".utf8))
            try local.put("k", [UInt8](repeating: 2, count: 500_000))
            #expect(try names("\(root)/.coffer/tmp").filter { !$0.hasSuffix(".lock") } == [])
        }
    }

    @Test("Without attributes the metadata lies in a sidecar that follows the object and goes with it")
    func noAttributes() throws {
        try withMount("ramfs", "") { root in
            let local = try LocalInstance(root)
            var options = WriteOptions()
            options.metadata = ["a": "1"]
            let first = try local.put("x/k", "one", options)
            #expect(try local.stat("x/k") == first && first.metadata == ["a": "1"])
            let second = try local.put("x/k", "two", options)
            #expect(second.etag != first.etag)
            #expect(try names("\(root)/.coffer/meta").count == 1)
            let moved = try local.copy("x/k", "y", moving: true)
            #expect(try local.stat("y") == moved && moved.metadata == ["a": "1"])
            let again = try LocalInstance(root)
            #expect(try again.stat("y") == moved)
            try local.remove("y")
            #expect(try names("\(root)/.coffer/meta") == [])
            // A stale sidecar is not believed of a later file, whatever its inode, and the next sweep takes it.
            try local.put("z", "one", options)
            unlink("\(root)/z")
            try write("foreign", to: "\(root)/z")
            #expect(try local.stat("z").metadata == [:])
        }
    }

    @Test("Metadata of 8 KiB is kept, whole, through replace, copy, move and remove")
    func longMetadata() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            var options = WriteOptions()
            options.metadata = ["long": String(repeating: "m", count: 8192), "short": "s"]
            options.digests = ["sha256": String(repeating: "11", count: 32)]
            let first = try local.put("k", "one", options)
            #expect(first.metadata == options.metadata)
            #expect(try local.stat("k") == first)
            let second = try local.put("k", "two", options)
            #expect(try local.stat("k") == second && second.etag != first.etag)
            let copied = try local.copy("k", "c")
            #expect(copied.metadata == options.metadata && copied.checksums == options.digests)
            let moved = try local.copy("k", "m", moving: true)
            #expect(try local.stat("m") == moved && moved.metadata == options.metadata)
            #expect(try LocalInstance(root).stat("m") == moved)
            try local.remove("m")
            try local.remove("c")
            #expect((try? names("\(root)/.coffer/meta")) ?? [] == [])
        }
    }

    @Test("On a kernel without openat2 each segment is opened by itself, and links are refused as well")
    func withoutOpenat2() async throws {
        try await withTemporaryDirectory { folder in
            let root = "\(folder)/root"
            try LocalInstance(root).put("a/b/c", "1")
            try write("secret", to: "\(folder)/outside")
            symlink("../outside", "\(root)/link")
            symlink("..", "\(root)/dir")
            await #expect(processExitsWith: .success) { [root = root as String] in
                #expect(refuseOpenat2())
                let local = try LocalInstance(root)
                #expect(try local.get("a/b/c") == Array("1".utf8))
                try local.put("a/b/d", "2")
                try local.put("n/e/w", "3")
                #expect(try local.keys() == ["a/b/c", "a/b/d", "n/e/w"])
                try local.remove("n/e/w")
                #expect(access("\(root)/n", F_OK) != 0)
                for key in ["link", "dir/outside"] {
                    #expect(code { _ = try local.get(key) } == COFFER_E_PERMISSION)
                    #expect(code { try local.put(key, "x") } == COFFER_E_PERMISSION)
                }
            }
            #expect(try contents("\(folder)/outside") == Array("secret".utf8))
        }
    }

    @Test("The file is synced before it is linked or renamed, and the directories after, before the answer")
    func orderOfSyncs() throws {
        guard access("/usr/bin/strace", X_OK) == 0 else {
            print("skipped: strace is not installed")
            return
        }
        try withTemporaryDirectory { folder in
            let root = "\(folder)/root"
            let local = try LocalInstance(root)
            try local.put("warm", "up")
            let trace = try traced(in: folder) {
                try local.put("new/dir/k", "one")
                try local.put("new/dir/k", "two")
            }
            guard let trace else { return }
            let calls = trace.filter { line in
                !line.contains("ENOENT")
                    && ["fsync(", "linkat(", "rename", "mkdirat("].contains { line.contains($0) }
                    || line.contains("access(")
            }
            let words = calls.map { line in String(line.drop { $0.isNumber || $0 == " " }.prefix { $0 != "(" }) }
            #expect(
                words == [
                    "access",
                    // Create: the file, two directories, the name, the directory, the two owed above.
                    "fsync", "mkdirat", "mkdirat", "linkat", "fsync", "fsync", "fsync",
                    // Replace: the file, the name is taken, a name of our own, the rename, the directory.
                    "fsync", "linkat", "linkat", "renameat", "fsync",
                    "access",
                ],
                "\(calls.joined(separator: "\n"))"
            )
        }
    }

    /// The system calls that this thread makes in `body`, between two marks.
    private func traced(in folder: String, _ body: () throws -> Void) throws -> [String]? {
        let output = "\(folder)/trace"
        let thread = threadNumber()
        var pipes: [Int32] = [0, 0]
        pipe(&pipes)
        var child = pid_t()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, pipes[1], 2)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Threads of a pool block all signals, and a child inherits that: strace would never hear that it may stop.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var mask = sigset_t()
        sigemptyset(&mask)
        posix_spawnattr_setsigmask(&attributes, &mask)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let words = ["strace", "-s", "64", "-o", output, "-p", "\(thread)"]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        try #require(posix_spawn(&child, "/usr/bin/strace", &actions, &attributes, &arguments, environ) == 0)
        close(pipes[1])
        // strace says on its standard error that it is attached.
        var said = [UInt8](repeating: 0, count: 256)
        let count = read(pipes[0], &said, 256)
        let words2 = String(decoding: said[..<max(count, 0)], as: UTF8.self)
        defer { close(pipes[0]) }
        guard words2.contains("attached") else {
            print("skipped: strace cannot attach: \(words2)")
            waitpid(child, nil, 0)
            return nil
        }
        access("/mark", F_OK)
        try body()
        access("/mark", F_OK)
        kill(child, SIGINT)
        waitpid(child, nil, 0)
        let lines = String(decoding: try contents(output), as: UTF8.self).split(separator: "\n").map(String.init)
        let marks = lines.indices.filter { lines[$0].contains("\"/mark\"") }
        let first = try #require(marks.first)
        let last = try #require(marks.last)
        return Array(lines[first...last])
    }
}
