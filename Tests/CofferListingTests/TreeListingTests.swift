// Listings of directories against the plain truth: all keys, sorted.

import CCofferPlugin
import CofferListing
import Testing

@testable import CofferPluginSDK

/// Directories in memory, whose names come in no order.
private final class Forest: DirectoryTree {
    private var folders: [String: [String]] = ["": []]
    private(set) var visits = 0
    /// How often a directory names what it holds, as one does that changes while it is read.
    private let turns: Int

    init(_ keys: [String], empty: [String] = [], turns: Int = 1) {
        self.turns = turns
        for key in keys { plant(key) }
        for path in empty { plant(path + "/") }
        for path in folders.keys { folders[path]?.shuffle() }
    }

    /// A key, or a directory with a slash at its end.
    private func plant(_ key: String) {
        var path = ""
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        for part in parts.dropLast() {
            add(part + "/", to: path)
            path += part + "/"
            if folders[path] == nil { folders[path] = [] }
        }
        if let last = parts.last, !last.isEmpty { add(String(last), to: path) }
    }

    private func add(_ name: String, to path: String) {
        if folders[path]?.contains(where: { $0.utf8.elementsEqual(name.utf8) }) == false { folders[path]?.append(name) }
    }

    func readDirectory(
        _ path: [UInt8],
        call: Call,
        _ body: (DirectoryItem) throws(BackendError) -> Void
    ) throws(BackendError) {
        visits += 1
        let names = folders[String(decoding: path, as: UTF8.self)] ?? []
        for name in Array(repeating: names, count: turns).joined() {
            let isDirectory = name.hasSuffix("/")
            let bytes = Array(name.utf8)
            try body(
                DirectoryItem(
                    isDirectory ? bytes.dropLast() : bytes[...],
                    isDirectory: isDirectory,
                    size: Int64(bytes.count),
                    modified: Int64(bytes.count) * 1000,
                    etag: ByteString(Array(bytes.reversed()))
                )
            )
        }
    }
}

/// Directories whose times are asked for later.
private final class Late: DirectoryTree {
    private let forest: Forest
    private(set) var completed: [String] = []

    init(_ keys: [String]) { forest = Forest(keys) }

    func readDirectory(
        _ path: [UInt8],
        call: Call,
        _ body: (DirectoryItem) throws(BackendError) -> Void
    ) throws(BackendError) {
        try forest.readDirectory(path, call: call) { item throws(BackendError) in
            var item = item
            item.modified = Entry.unknownTime
            try body(item)
        }
    }

    func complete(_ objects: inout [ListedObject], call: Call) throws(BackendError) {
        for index in objects.indices {
            completed.append(String(decoding: objects[index].key, as: UTF8.self))
            objects[index].modified = objects[index].size * 1000
        }
    }
}

/// What a sink was sent.
private final class Gathered {
    var names: [String] = []
    var areFactsRight = true
}

@Suite("Tree listing")
struct TreeListingTests {
    private static let keys = [
        "a", "a-b", "a/b", "a/b-c", "a/b/c", "a0", "b/", "é", "e\u{301}", "t/t", "t-/t.", "t0", "testFile1", "z/y/x/w",
    ].filter { !$0.hasSuffix("/") }

    private func list(
        _ forest: any DirectoryTree,
        prefix: String = "",
        delimiter: String = "",
        after: String = "",
        page: Int = 1000,
        budget: Int = 16 << 20
    ) throws -> [String] {
        let gathered = Gathered()
        var sink = coffer_sink()
        sink.struct_size = UInt32(MemoryLayout<coffer_sink>.size)
        sink.ctx = Unmanaged.passUnretained(gathered).toOpaque()
        sink.on_entry = { context, entry in
            guard let context, let entry = entry?.pointee else { return 1 }
            let gathered = Unmanaged<Gathered>.fromOpaque(context).takeUnretainedValue()
            let key = UnsafeRawBufferPointer(start: entry.key.ptr, count: entry.key.len)
            gathered.names.append(String(decoding: key, as: UTF8.self))
            guard entry.kind == COFFER_KIND_OBJECT else { return 0 }
            let tag = UnsafeRawBufferPointer(start: entry.etag.ptr, count: entry.etag.len)
            let name = key.suffix(Int(entry.size))
            let isRight = entry.mtime_ns == entry.size * 1000 && tag.reversed().elementsEqual(name)
            if !isRight { gathered.areFactsRight = false }
            return 0
        }
        let host = UnsafeMutablePointer<coffer_host>.allocate(capacity: 1)
        host.initialize(to: coffer_host())
        defer { host.deallocate() }
        let call = Call(host: host, nil)
        var request = ListRequest()
        request.prefix = ByteString(prefix)
        request.delimiter = ByteString(delimiter)
        request.startAfter = ByteString(after)
        // Each page is a listing of its own, begun with the token of the last one.
        while true {
            let listing = TreeListing(of: forest, request, budget: budget)
            defer { listing.close() }
            guard case .more(let token) = try listing.next(limit: page, into: EntrySink(sink), call: call) else {
                break
            }
            request.token = token
        }
        #expect(gathered.areFactsRight)
        return gathered.names
    }

    /// What a listing must say.
    private func truth(_ keys: [String], prefix: String, delimiter: String, after: String) -> [String] {
        var names: Set<[UInt8]> = []
        for key in keys where key.utf8.starts(with: prefix.utf8) {
            let rest = key.utf8.dropFirst(prefix.utf8.count)
            var name = Array(key.utf8)
            if let first = delimiter.utf8.first, let at = rest.firstIndex(of: first) {
                name = Array(prefix.utf8) + Array(rest[...at])
            }
            if Array(after.utf8).lexicographicallyPrecedes(name) { names.insert(name) }
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("Every prefix, delimiter and start gives the keys in byte order", arguments: ["", "/", "-"], [1, 3, 1000])
    func allPrefixes(delimiter: String, page: Int) throws {
        let forest = Forest(Self.keys, empty: ["empty", "z/none/at/all"])
        let starts = ["", "a", "a/", "a/b", "b", "t", "t-/", "t/t", "zz"]
        for prefix in ["", "a", "a/", "a/b", "t", "t/", "none", "z/y/", "empty/"] {
            for after in starts {
                let listed = try list(forest, prefix: prefix, delimiter: delimiter, after: after, page: page)
                let expected = truth(Self.keys, prefix: prefix, delimiter: delimiter, after: after)
                #expect(listed == expected, "prefix \(prefix), after \(after)")
            }
        }
    }

    @Test("Names that are sorted through files come in order")
    func spilledNames() throws {
        let keys = (0..<1500).map { "\($0 % 3 == 0 ? "d\($0 % 2)/" : "")\($0 * 7919 % 10_007)\u{E9}\($0)" }
        let listed = try list(Forest(keys), budget: 4 << 10)
        #expect(listed == truth(keys, prefix: "", delimiter: "", after: ""))
    }

    @Test("What a directory names twice is listed once", arguments: [16 << 20, 4 << 10])
    func namesTwice(budget: Int) throws {
        let keys = (0..<700).map { "\($0 % 3 == 0 ? "d\($0 % 2)/" : "")\($0)" }
        let truth = truth(keys, prefix: "", delimiter: "", after: "")
        #expect(try list(Forest(keys, turns: 3), page: 37, budget: budget) == truth)
        let prefixes = try list(Forest(keys, turns: 2), prefix: "d", delimiter: "/")
        #expect(prefixes == ["d0/", "d1/"])
    }

    @Test("Objects are completed before they are sent, and only objects")
    func completion() throws {
        let forest = Late(["a", "b/c", "d"])
        #expect(try list(forest, delimiter: "/") == ["a", "b/", "d"])
        #expect(forest.completed == ["a", "d"])
    }

    @Test("Directories that cannot hold a key that is asked for are not read")
    func visits() throws {
        let forest = Forest((0..<100).map { "d\($0)/x" })
        #expect(try list(forest, prefix: "d77/") == ["d77/x"])
        #expect(forest.visits == 1)
    }
}
