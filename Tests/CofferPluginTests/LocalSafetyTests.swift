// What the local backend does not let happen: escapes, lost updates, leftovers, half-written objects.

import CCofferPlugin
import CofferSystem
import CofferTestSupport
import Glibc
import Synchronization
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

    @Test("A conditional write is never acknowledged over an update that somebody else put beside it")
    func noLostUpdates() throws {
        /// One acknowledged write: what it replaced if it said so, what it made, and between which ticks.
        struct Acknowledged {
            var replaced: String
            var made: String
            var begin: Int
            var end: Int
        }
        try withTemporaryDirectory { root in
            let options = ["durability": "relaxed"]
            let locals = [try LocalInstance(root, options), try LocalInstance(root, options)]
            let first = try locals[0].put("n", "first").etag
            let log = Locked([Acknowledged(replaced: "", made: first, begin: 0, end: 0)])
            let clock = Atomic<Int>(0)
            let failures = Counter()
            onThreads(4) { number in
                let local = locals[number % 2]
                var done = 0
                while done < 100 {
                    do {
                        var options = WriteOptions()
                        // Two raise by if-match, two write over whatever is there.
                        if number < 2 { options.ifMatch = try local.stat("n").etag }
                        let begin = clock.add(1, ordering: .sequentiallyConsistent).newValue
                        let made = try local.put("n", "\(number) \(done)", options).etag
                        let end = clock.add(1, ordering: .sequentiallyConsistent).newValue
                        let write = Acknowledged(replaced: options.ifMatch, made: made, begin: begin, end: end)
                        log.withLock { $0.append(write) }
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
            let writes = log.withLock { $0 }
            #expect(Set(writes.map(\.made)).count == writes.count, "each version has a token of its own")
            let replaced = writes.map(\.replaced).filter { !$0.isEmpty }
            #expect(replaced.count == 200 && Set(replaced).count == 200, "no version is replaced twice")
            for write in writes where !write.replaced.isEmpty {
                let old = try #require(writes.first { $0.made == write.replaced })
                let lost = writes.first { $0.begin > old.end && $0.end < write.begin && $0.made != write.made }
                #expect(lost == nil, "\(write) was acknowledged over \(String(describing: lost))")
            }
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

    @Test("With foreign_writers hash a rewrite in place of the same size is seen, with the times set back")
    func foreignWritersByHash() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root, ["foreign_writers": "hash"])
            var options = WriteOptions()
            options.digests = ["crc32c": "00112233"]
            let before = try local.put("k", "AAAA", options)
            #expect(try local.stat("k") == before && before.checksums == options.digests)
            var status = stat()
            #expect(stat("\(root)/k", &status) == 0)
            try write("BBBB", to: "\(root)/k")
            let times = [status.st_atim, status.st_mtim]
            #expect(utimensat(AT_FDCWD, "\(root)/k", times, 0) == 0)
            let after = try local.stat("k")
            #expect(after.modified == before.modified && after.size == before.size)
            #expect(after.checksums.isEmpty, "the digests are those of other bytes")
            // The fifth part is the content's: it alone tells, where the change time stands still for a tick.
            let parts = [before, after].map { $0.etag.split(separator: "-") }
            #expect(parts.map(\.count) == [5, 5])
            #expect(parts[0][0...2] == parts[1][0...2] && parts[0][4] != parts[1][4])
            options.ifMatch = before.etag
            #expect(code { try local.put("k", "CCCC", options) } == COFFER_E_PRECONDITION)
            #expect(try local.get("k") == Array("BBBB".utf8))
        }
    }

    @Test("A writer that is killed with -9 leaves every answered object whole and nothing else", arguments: 0..<5)
    func killedProcess(round: Int) async throws {
        try await withTemporaryDirectory { folder in
            let root = "\(folder)/root"
            try LocalInstance(root).put("old", "old")
            await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String, round = round as Int] in
                let local = try LocalInstance("\(folder)/root")
                let journal = open("\(folder)/journal", O_WRONLY | O_CREAT | O_APPEND, 0o600)
                let answered = Counter()
                onThreads(2) { number in
                    if number == 1 {
                        // Somewhere in the middle of whatever the writer does then.
                        while answered.all.count < 20 + round * 7 { sched_yield() }
                        for _ in 0..<(round * 300) { sched_yield() }
                        kill(getpid(), SIGKILL)
                    }
                    var turn: UInt8 = 0
                    while (try? local.put("r/\(turn % 7)", [UInt8](repeating: turn, count: 5000))) != nil {
                        _ = write(journal, &turn, 1)
                        answered.add("")
                        turn = (turn + 1) % 251
                    }
                }
            }
            let journal = try contents("\(folder)/journal")
            #expect(journal.count >= 20 + round * 7)
            let local = try LocalInstance(root)
            for key in try local.keys(prefix: "r/") {
                let bytes = try local.get(key)
                #expect(bytes.count == 5000 && Set(bytes).count == 1, "\(key) is whole")
            }
            // The last answered write, or the one after it that was not answered any more.
            let last = try #require(journal.last)
            #expect([last, (last + 7) % 251].contains(try local.get("r/\(last % 7)")[0]))
            #expect(try local.get("old") == Array("old".utf8))
            #expect(
                try eventually { try names("\(root)/.coffer/tmp").count == 1 },
                "its own lock is left, and no other file"
            )
        }
    }
}
