// What dead writers left, and who takes it away: a thread behind the instance's back, that never outlives it.

import CCofferPlugin
import CofferTestSupport
import Glibc
import Testing

@Suite("Local sweeps")
struct LocalSweepTests {
    /// A session that nobody holds a lock for, as kill -9 leaves it.
    private static let dead = "00000000deadbeef"

    @Test("What a killed writer left is swept behind the next open, and what lives stays")
    func killedWriters() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            try local.put("k", "old")
            let folder = "\(root)/.coffer/tmp"
            let alive = try names(folder)
            let stream = try local.beginWrite("k")
            try write("", to: "\(folder)/\(Self.dead).lock")
            try write("half", to: "\(folder)/\(Self.dead).attempt.1")
            try write("half", to: "\(folder)/00000000feedbeef.orphan.1")
            let second = try LocalInstance(root)
            #expect(try eventually { try !names(folder).contains { $0.hasPrefix("00000000") } })
            #expect(Set(alive).isSubset(of: try names(folder)))
            #expect(try second.get("k") == Array("old".utf8))
            try local.append(stream, Array("new".utf8))
            _ = try local.commit(stream)
            local.closeWrite(stream)
            #expect(try second.get("k") == Array("new".utf8))
        }
    }

    @Test("Sidecars go with their objects, even those that another program took away, and the others stay")
    func sidecars() throws {
        try withTemporaryDirectory { root in
            var options = WriteOptions()
            options.metadata = ["long": String(repeating: "m", count: 8192)]
            do {
                let local = try LocalInstance(root, ["durability": "relaxed"])
                for number in 0..<700 { try local.put("d/\(number)", "x", options) }
            }
            let meta = "\(root)/.coffer/meta"
            #expect(try names(meta).count == 700)
            for number in 0..<700 where number % 7 != 0 { unlink("\(root)/d/\(number)") }
            try write("not a sidecar", to: "\(meta)/README")
            let local = try LocalInstance(root)
            #expect(try eventually { try names(meta).count == 101 })
            for number in stride(from: 0, to: 700, by: 7) {
                #expect(try local.stat("d/\(number)").metadata == options.metadata)
            }
        }
    }

    @Test("A move beside a sweep keeps its metadata")
    func movesBesideASweep() throws {
        try withTemporaryDirectory { root in
            var options = WriteOptions()
            options.metadata = ["long": String(repeating: "m", count: 8192)]
            do {
                let local = try LocalInstance(root, ["durability": "relaxed"])
                for number in 0..<200 { try local.put("from/\(number)", "x", options) }
            }
            let local = try LocalInstance(root, ["durability": "relaxed"])
            for number in 0..<200 { _ = try local.copy("from/\(number)", "to/\(number)", moving: true) }
            for _ in 0..<3 { _ = try LocalInstance(root) }
            for number in 0..<200 { #expect(try local.stat("to/\(number)").metadata == options.metadata) }
        }
    }

    @Test("Closing ends a sweep of 20 000 leftovers within a second")
    func closing() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root)
            try local.put("k", "x")
            for number in 0..<20_000 { try write("", to: "\(root)/.coffer/tmp/\(Self.dead).attempt.\(number)") }
            var before = timespec()
            var after = timespec()
            do {
                let second = try LocalInstance(root)
                clock_gettime(CLOCK_MONOTONIC, &before)
                _ = second
            }
            clock_gettime(CLOCK_MONOTONIC, &after)
            let seconds = Double(after.tv_sec - before.tv_sec) + Double(after.tv_nsec - before.tv_nsec) / 1e9
            #expect(seconds < 1)
            #expect(try !names("\(root)/.coffer/tmp").isEmpty)
            withExtendedLifetime(local) {}
        }
    }
}
