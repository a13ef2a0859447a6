// The order, the prefixes and the edges of listings of the local backend.

import CCofferPlugin
import CofferTestSupport
import Glibc
import Testing

@Suite("Local listings")
struct LocalListingTests {
    private static let options = ["durability": "relaxed"]

    private func sorted(_ keys: [String]) -> [String] {
        keys.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    }

    @Test("A directory sorts as its name with a slash, at every page size", arguments: [1, 2, 3, 1000] as [UInt64])
    func order(page: UInt64) throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root, Self.options)
            let keys = ["a-b", "a/b", "a/b-c", "a0", "t/t", "t-/t.", "t0", "testFile1", "x/y/z", "x/y-", "x/y0"]
            for key in keys { try local.put(key, "") }
            #expect(try local.keys(page: page) == sorted(keys))
            #expect(
                try local.keys(delimiter: "/", page: page) == ["a-b", "a/", "a0", "t-/", "t/", "t0", "testFile1", "x/"]
            )
            #expect(try local.keys(prefix: "a", page: page) == ["a-b", "a/b", "a/b-c", "a0"])
            #expect(try local.keys(prefix: "x/y", delimiter: "/", page: page) == ["x/y-", "x/y/", "x/y0"])
            #expect(try local.keys(prefix: "a/b", page: page) == ["a/b", "a/b-c"])
            #expect(
                try local.keys(delimiter: "b", page: page) == [
                    "a-b", "a/b", "a0", "t-/t.", "t/t", "t0", "testFile1",
                    "x/y-", "x/y/z", "x/y0",
                ]
            )
            #expect(try local.keys(after: "a/b", page: page).first == "a/b-c")
            #expect(try local.keys(after: "a/", page: page).first == "a/b")
            #expect(try local.keys(delimiter: "/", after: "a/", page: page).first == "a0")
            #expect(try local.keys(delimiter: "/", after: "a/b", page: page).first == "a0")
            #expect(try local.keys(after: "x/y", page: page) == ["x/y-", "x/y/z", "x/y0"])
            #expect(try local.keys(after: "zzz", page: page) == [])
        }
    }

    @Test("A prefix that is absent, or that no key can have, lists nothing, and nothing above the root is seen")
    func absentPrefixes() throws {
        try withTemporaryDirectory { folder in
            let local = try LocalInstance("\(folder)/root", Self.options)
            try write("x", to: "\(folder)/outside")
            try local.put("a/b", "")
            for prefix in ["none", "none/x", "../", "..", "/", "a//", "./", ".coffer", ".coffer/", ".coffer/t", "a/b/"]
            {
                #expect(try local.keys(prefix: prefix) == [], "\(prefix)")
            }
        }
    }

    @Test("An empty directory is no prefix of anything")
    func emptyDirectories() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root, Self.options)
            try local.put("b/c", "")
            mkdir("\(root)/a", 0o755)
            mkdir("\(root)/a/deep", 0o755)
            #expect(try local.keys(delimiter: "/") == ["b/"])
            #expect(try local.keys() == ["b/c"])
        }
    }

    @Test("20 000 keys come in byte order, each once, with any sharding", arguments: [0, 1, 2])
    func manyKeys(sharding: Int) throws {
        try withTemporaryDirectory { root in
            var options = Self.options
            options["sharding"] = "\(sharding)"
            let local = try LocalInstance(root, options)
            let count = sharding == 0 ? 20_000 : 2_000
            var keys: [String] = []
            for number in 0..<count {
                let key = number % 3 == 0 ? "d\(number % 50)/k\(number)" : "k\(number &* 7919 % 100_003)-\(number)"
                keys.append(key)
                if sharding == 0 {
                    // Foreign files are quicker to make, and objects just as well.
                    if number % 3 == 0 { mkdir("\(root)/d\(number % 50)", 0o755) }
                    try write("", to: "\(root)/\(key)")
                } else {
                    try local.put(key, "")
                }
            }
            #expect(try local.keys(page: 999) == sorted(keys))
            let middle = sorted(keys)[count / 2]
            #expect(try local.keys(after: middle).count == count - count / 2 - 1)
        }
    }

    @Test("Sharded files lie in folders by their names, meet no directory, and need the same sharding again")
    func sharding() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root, ["sharding": "2"])
            try local.put("a", "1")
            try local.put("a/b", "2")
            #expect(try local.keys() == ["a", "a/b"] && local.get("a") == Array("1".utf8))
            #expect(try local.keys(delimiter: "/") == ["a", "a/"])
            #expect(code { try local.put(".coffer~00/x", "") } == COFFER_E_INVALID_KEY)
            #expect(try names(root).filter { $0.hasPrefix(".coffer~") }.count == 1)
            #expect(local.native & COFFER_CAP_DIRECTORIES == 0)
            #expect(code { _ = try LocalInstance(root) } == COFFER_E_CONFIG)
            #expect(try local.copy("a/b", "c/d", moving: true).key == "c/d")
            try local.remove("a")
            try local.remove("c/d")
            #expect(try names(root) == [".coffer"])
        }
    }

    @Test("Sharding is refused in a root that holds objects without it, and the error names the way out")
    func shardingOfAFullRoot() throws {
        try withTemporaryDirectory { root in
            try LocalInstance(root, Self.options).put("deep/down/a", "1")
            do {
                _ = try LocalInstance(root, ["sharding": "1"])
                Issue.record("it opened")
            } catch let failure as PluginFailure {
                #expect(failure.code == COFFER_E_CONFIG)
                #expect(failure.message.contains("sharding is 1") && failure.message.contains("deep/down/a"))
                #expect(failure.message.contains("set it to 0") && failure.message.contains("new root"))
            }
            #expect(try LocalInstance(root, Self.options).keys() == ["deep/down/a"])
            try LocalInstance(root, Self.options).remove("deep/down/a")
            mkdir("\(root)/empty", 0o755)
            symlink("nowhere", "\(root)/link")
            try LocalInstance(root, ["sharding": "1"]).put("a", "2")
            #expect(code { _ = try LocalInstance(root, ["sharding": "2"]) } == COFFER_E_CONFIG)
            #expect(code { _ = try LocalInstance(root) } == COFFER_E_CONFIG)
            #expect(try LocalInstance(root, ["sharding": "1"]).get("a") == Array("2".utf8))
        }
    }

    @Test("A file that vanishes during a listing is skipped")
    func vanishingFiles() throws {
        try withTemporaryDirectory { root in
            let local = try LocalInstance(root, Self.options)
            for number in 0..<300 { try write("", to: "\(root)/\(100 + number)") }
            onThreads(2) { number in
                if number == 0 {
                    for file in 0..<300 where file % 2 == 0 { unlink("\(root)/\(100 + file)") }
                } else {
                    let keys = (try? local.keys(page: 7)) ?? []
                    for file in 0..<300 where file % 2 == 1 { if !keys.contains("\(100 + file)") { abort() } }
                }
            }
            #expect(try local.keys().count == 150)
        }
    }
}
