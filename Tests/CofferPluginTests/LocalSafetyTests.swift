// What the local backend does not let happen: escapes, lost updates, leftovers, half-written objects.

import CCofferPlugin
import CofferTestSupport
import Glibc
import Testing

@Suite("Local safety")
struct LocalSafetyTests {
    @Test("Links, pipes and sockets are not objects, and no way leads through a link")
    func oddFiles() throws {
        try withTemporaryDirectory { folder in
            let root = "\(folder)/root"
            let local = try LocalInstance(root)
            try write("secret", to: "\(folder)/outside")
            mkdir("\(folder)/out", 0o755)
            try write("secret", to: "\(folder)/out/f")
            symlink("../outside", "\(root)/link")
            symlink("../out", "\(root)/dir")
            symlink("/proc/self/root\(folder)/out", "\(root)/magic")
            mkfifo("\(root)/pipe", 0o600)
            for key in ["link", "dir/f", "magic/f", "pipe"] {
                #expect(code { _ = try local.stat(key) } == COFFER_E_PERMISSION, "stat \(key)")
                #expect(code { _ = try local.get(key) } == COFFER_E_PERMISSION, "get \(key)")
                #expect(code { try local.put(key, "x") } == COFFER_E_PERMISSION, "put \(key)")
                #expect(code { try local.remove(key) } == COFFER_E_PERMISSION, "remove \(key)")
            }
            #expect(try local.keys() == [] && local.keys(prefix: "dir/") == [])
            #expect(try names(root) == [".coffer", "dir", "link", "magic", "pipe"])
            #expect(try contents("\(folder)/outside") == Array("secret".utf8))
            #expect(try names("\(folder)/out") == ["f"])
        }
    }

    @Test("Nothing outside is touched or seen while a directory is swapped for a link, again and again")
    func swappedDirectories() throws {
        try withTemporaryDirectory { folder in
            let root = "\(folder)/root"
            let local = try LocalInstance(root, ["durability": "relaxed"])
            try local.put("d/f", "inside")
            mkdir("\(folder)/out", 0o755)
            try write("outside", to: "\(folder)/out/f")
            symlink("../out", "\(root)/.swap")
            let seen = Counter()
            onThreads(2) { number in
                for turn in 0..<600 {
                    if number == 0 {
                        // RENAME_EXCHANGE: at each moment one of the two stands there.
                        exchange("\(root)/.swap", "\(root)/d")
                    } else {
                        if (try? local.get("d/f")) == Array("outside".utf8) { seen.add("read") }
                        _ = code { try local.put("d/g", "mine") }
                        if turn % 3 == 0 { _ = code { try local.remove("d/g") } }
                        if let keys = try? local.keys(prefix: "d/"), keys.contains("d/outside") { seen.add("list") }
                    }
                }
            }
            #expect(seen.all == [])
            #expect(try names("\(folder)/out") == ["f"])
            #expect(try contents("\(folder)/out/f") == Array("outside".utf8))
        }
    }

    @Test("Of 64 threads that create one key, on two instances of the root, one wins")
    func oneWinner() throws {
        try withTemporaryDirectory { root in
            let locals = [try LocalInstance(root), try LocalInstance(root)]
            let wins = Counter()
            let losses = Counter()
            onThreads(64) { number in
                var options = WriteOptions()
                options.ifNoneMatch = "*"
                options.attempt = "a\(number)"
                do {
                    try locals[number % 2].put("dir/key", "\(number)", options)
                    wins.add("\(number)")
                } catch {
                    losses.add((error as? PluginFailure).map { "\($0.code)" } ?? "\(error)")
                }
            }
            #expect(wins.all.count == 1)
            #expect(losses.all == [String](repeating: "\(COFFER_E_ALREADY_EXISTS)", count: 63))
            #expect(try locals[0].get("dir/key") == Array(wins.all[0].utf8))
        }
    }

    @Test("A counter that two hosts raise by if-match ends exact, while others put beside it")
    func counters() throws {
        try withTemporaryDirectory { root in
            let options = ["durability": "relaxed"]
            let locals = [try LocalInstance(root, options), try LocalInstance(root, options)]
            try locals[0].put("n", "0")
            let failures = Counter()
            onThreads(4) { number in
                let local = locals[number % 2]
                var done = 0
                while done < 50 {
                    do {
                        let found = try local.stat("n")
                        let value = Int(String(decoding: try local.get("n"), as: UTF8.self)) ?? -1
                        var options = WriteOptions()
                        options.ifMatch = found.etag
                        try local.put("n", "\(value + 1)", options)
                        done += 1
                    } catch let failure as PluginFailure where failure.code == COFFER_E_PRECONDITION {
                        continue
                    } catch {
                        failures.add("\(error)")
                        return
                    }
                }
            }
            #expect(failures.all == [])
            #expect(try locals[1].get("n") == Array("200".utf8))
        }
    }

    @Test("Tokens of versions written within one tick never match each other, 1 000 of 1 000")
    func tokensWithinATick() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root, ["durability": "relaxed"])
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
    }

    @Test("With foreign_writers hash a change in place is seen, even with the times set back")
    func foreignWritersByHash() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root, ["foreign_writers": "hash"])
            let token = try local.put("k", "AAAA").etag
            #expect(try local.stat("k").etag == token)
            try write("BBBB", to: "\(root)/k")
            #expect(try local.stat("k").etag != token)
            #expect(try local.stat("k").etag.split(separator: "-").count == 5)
        }
    }

    @Test("What a killed writer left is swept at the next open, and the old object is whole")
    func killedWriters() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            try local.put("k", "old")
            // A session that nobody holds a lock for, as kill -9 leaves it, and one that lives.
            try write("", to: "\(root)/.coffer/tmp/00000000deadbeef.lock")
            try write("half", to: "\(root)/.coffer/tmp/00000000deadbeef.attempt.1")
            try write("half", to: "\(root)/.coffer/tmp/00000000feedbeef.orphan.1")
            let alive = try names("\(root)/.coffer/tmp").filter { $0.hasSuffix(".lock") && !$0.hasPrefix("00000000") }
            let second = try LocalInstance(root)
            #expect(try second.get("k") == Array("old".utf8))
            let left = try names("\(root)/.coffer/tmp")
            #expect(left.count == 2 && Set(alive).isSubset(of: left))
            #expect(!left.contains { $0.hasPrefix("00000000") })
            withExtendedLifetime((local, second)) {}
        }
    }

    @Test("A writer that is killed with -9 leaves every answered object whole and nothing else")
    func killedProcess() throws {
        try withTemporaryDirectory { root in
            _ = try LocalInstance(root)
            for round in 0..<5 {
                var pipes: [Int32] = [0, 0]
                pipe(&pipes)
                let child = forkProcess()
                if child == 0 {
                    // Only system calls and the plugin from here on: no other thread lives in this copy.
                    if let local = try? LocalInstance(root) {
                        var number: UInt32 = 0
                        while true {
                            let key = "r\(round)/\(number % 7)"
                            guard (try? local.put(key, [UInt8](repeating: UInt8(number % 251), count: 5000))) != nil
                            else { break }
                            write(pipes[1], &number, 4)
                            number += 1
                        }
                    }
                    _exit(1)
                }
                close(pipes[1])
                var last: UInt32 = 0
                for _ in 0..<(20 + round * 7) { guard read(pipes[0], &last, 4) == 4 else { break } }
                kill(child, SIGKILL)
                waitpid(child, nil, 0)
                while read(pipes[0], &last, 4) == 4 {}
                close(pipes[0])
                let local = try LocalInstance(root)
                #expect(last >= 19)
                for key in try local.keys(prefix: "r\(round)/") {
                    let bytes = try local.get(key)
                    #expect(bytes.count == 5000 && Set(bytes).count == 1, "\(key) is whole")
                }
                let key = "r\(round)/\(last % 7)"
                let expected = [UInt8(last % 251), UInt8((last + 7) % 251)]
                #expect(expected.contains(try local.get(key)[0]), "the answered write is there")
                let left = try names("\(root)/.coffer/tmp")
                #expect(left.filter { !$0.hasSuffix(".lock") } == [])
            }
        }
    }
}
