import CofferBackend
import CofferModel
import CofferService
import CofferSystem
import CofferTestSupport
import Testing

@Suite struct ListingTests {
    /// Stores that list alike to their callers and differ in all that they can.
    static func stores() -> [TestBackend] {
        [
            TestBackend(), TestBackend(without: [.listSorted]), TestBackend(without: [.listAfter]),
            TestBackend(without: [.listDelimiter]), TestBackend(without: [.listDelimiter, .listAfter]),
            TestBackend(without: [.listDelimiter, .listAfter, .listSorted]),
        ]
    }

    static let keys: [Key] = [
        "t/t", "t-/t.", "t0", "testFile1", "a-b", "a/b", "a/c/d", "a", "ab", "é", "e\u{301}", "Z", "_%*?[", "t/u",
    ]

    static func planted(_ backend: TestBackend) -> TestBackend {
        for key in keys { backend.plant(key, [1]) }
        return backend
    }

    @Test func listingsComeInByteOrder() throws {
        let sorted = Self.keys.sorted().map(\.text)
        for backend in Self.stores() {
            let storage = makeStorage(Self.planted(backend))
            #expect(try storage.listing().isSame(sorted))
            #expect(try storage.listing(ListQuery(prefix: "a")) == ["a", "a-b", "a/b", "a/c/d", "ab"])
            #expect(try storage.listing(ListQuery(prefix: "_%")) == ["_%*?["])
            #expect(try storage.listing(ListQuery(prefix: "none")) == [])
        }
    }

    @Test func delimitersGroup() throws {
        for backend in Self.stores() {
            let storage = makeStorage(Self.planted(backend))
            let top = ["Z", "_%*?[", "a", "a-b", "a/", "ab", "e\u{301}", "t-/", "t/", "t0", "testFile1", "é"]
            let query = ListQuery(delimiter: "/")
            #expect(try storage.listing(query).isSame(top))
            for limit in [1, 2, 3, 100] {
                #expect(try storage.pages(query, limit: limit).isSame(top))
            }
            #expect(try storage.listing(ListQuery(prefix: "a/", delimiter: "/")) == ["a/b", "a/c/"])
        }
    }

    @Test func startAfterIsStrict() throws {
        for backend in Self.stores() {
            let storage = makeStorage(Self.planted(backend))
            #expect(try storage.listing(ListQuery(startAfter: "t0")) == ["testFile1", "é"])
            #expect(try storage.listing(ListQuery(prefix: "t", startAfter: "t/")) == ["t/t", "t/u", "t0", "testFile1"])
            #expect(
                try storage.listing(ListQuery(delimiter: "/", startAfter: "t-/")) == ["t/", "t0", "testFile1", "é"]
            )
            #expect(try storage.listing(ListQuery(startAfter: "zz")) == ["é"])
        }
    }

    @Test func pagesGiveEachKeyOnce() throws {
        for backend in Self.stores() {
            for number in 0..<251 { backend.plant(Key("k\(number)")) }
            let storage = makeStorage(backend)
            let all = try storage.listing()
            for limit in [1, 7, 100, 250, 251, 252] {
                #expect(try storage.pages(ListQuery(), limit: limit) == all)
            }
        }
    }

    @Test func cursorsSurviveInsertsAndDeletes() throws {
        for backend in Self.stores() {
            for forgets in [false, true] {
                for number in 10..<90 { backend.plant(Key("k\(number)")) }
                var storage = makeStorage(backend)
                var seen: [String] = []
                var cursor: String?
                var round = 10
                repeat {
                    // A cursor outlives the storage that gave it: a restart, or the next generation.
                    if forgets { storage = makeStorage(backend) }
                    let page = try storage.page(ListQuery(prefix: "k"), cursor: cursor, limit: 9, call)
                    seen += page.batch.records.indices.map { page.batch.key(at: $0).text }
                    cursor = page.cursor
                    backend.plant(Key("k\(round)-new"))
                    try storage.remove(Key("k\(round)"), call)
                    round += 1
                } while cursor != nil
                let kept = seen.filter { $0.utf8.count == 3 && $0 >= "k20" }
                #expect(kept == (20..<90).map { "k\($0)" })
                #expect(Set(seen).count == seen.count)
                _ = try storage.removePrefix("", force: true, call)
            }
        }
    }

    @Test func cursorsBelongToTheirQuery() throws {
        let storage = makeStorage(Self.planted(TestBackend()))
        let cursor = try #require(try storage.page(ListQuery(prefix: "t"), limit: 1, call).cursor)
        func use(_ query: ListQuery, _ cursor: String) -> CofferError.Code? {
            code { () throws(CofferError) in _ = try storage.page(query, cursor: cursor, limit: 1, call) }
        }
        #expect(use(ListQuery(prefix: "t"), cursor) == nil)
        #expect(use(ListQuery(prefix: "a"), cursor) == .invalidArgument)
        #expect(use(ListQuery(prefix: "t", delimiter: "/"), cursor) == .invalidArgument)
        #expect(use(ListQuery(prefix: "t"), "") == .invalidArgument)
        #expect(use(ListQuery(prefix: "t"), "nonsense!") == .invalidArgument)
        for index in cursor.indices {
            var changed = cursor
            changed.replaceSubrange(index...index, with: cursor[index] == "A" ? "B" : "A")
            #expect(use(ListQuery(prefix: "t"), changed) == .invalidArgument)
        }
        #expect(
            code { () throws(CofferError) in _ = try storage.page(ListQuery(), limit: -1, call) } == .invalidArgument
        )
        #expect(try storage.page(ListQuery(), limit: 0, call).batch.count == 0)
    }

    @Test func pagesGoOnWithTheOpenListing() throws {
        let backend = TestBackend(without: [.listSorted, .listAfter])
        for number in 0..<100 { backend.plant(Key("k\(number)")) }
        let storage = makeStorage(backend)
        #expect(try storage.pages(ListQuery(), limit: 3).count == 100)
        #expect(backend.state.withLock { $0.listings } == 1 && backend.state.withLock { $0.openStreams } == 0)
    }

    @Test func atMostThirtyTwoListingsStayOpen() throws {
        let backend = TestBackend()
        for number in 0..<100 { backend.plant(Key("k\(number)")) }
        let storage = makeStorage(backend)
        for number in 0..<50 { _ = try storage.page(ListQuery(prefix: "k"), limit: number + 1, call) }
        #expect(backend.state.withLock { $0.openStreams } == 32)
    }

    @Test func aListingBeyondItsMemoryIsSortedOnDisk() throws {
        try withTemporaryDirectory { directory in
            let backend = TestBackend(without: [.listSorted])
            for number in 0..<5000 { backend.plant(Key("folder/\(number &* 7919 % 5000)-\(number)"), [1]) }
            let options = EmulationOptions(sortMemory: 64 << 10, spillDirectory: directory)
            let stream = try EmulatedBackend(backend, options).openList(ListQuery(prefix: "folder/"), call)
            var batch = ListBatch()
            while try stream.next(into: &batch, limit: 77, call) {}
            #expect(batch.records.indices.map { batch.key(at: $0).text }.isSame(backend.keys))
            for (index, record) in batch.records.enumerated() {
                let etag = backend.state.withLock { $0.objects[batch.key(at: index)]?.info.etag }
                #expect(record.size == 1 && batch.text(record.etag) == etag)
            }
            let missing = EmulationOptions(sortMemory: 64 << 10, spillDirectory: directory + "/none")
            let failing = try EmulatedBackend(backend, missing).openList(ListQuery(), call)
            #expect(code { () throws(CofferError) in _ = try entries(of: failing) } == .noSpace)
        }
    }

    @Test func aLargeGroupIsLeaptOver() throws {
        let backend = TestBackend(without: [.listDelimiter])
        for number in 0..<5000 { backend.plant(Key("big/\(number)")) }
        backend.plant("big/\u{10FFFF}z")
        backend.plant("bigger")
        let storage = makeStorage(backend)
        #expect(try storage.listing(ListQuery(delimiter: "/")) == ["big/", "bigger"])
        #expect(backend.state.withLock { $0.listings } == 2 && backend.state.withLock { $0.openStreams } == 0)
    }

    @Test func prefixesAreRemovedBySegments() throws {
        for backend in [TestBackend(), TestBackend(without: [.removeBatch, .listSorted])] {
            for key: Key in ["a/b", "a/b/c", "a/b/d/e", "a/bb", "a/bb/c", "a/b-c"] { backend.plant(key) }
            let storage = makeStorage(backend)
            let dry = try storage.removePrefix("a/b", isDryRun: true, call)
            #expect(dry.count == 2 && dry.keys == ["a/b/c", "a/b/d/e"] && backend.keys.count == 6)
            #expect(try storage.removePrefix("a/b/", call).count == 2)
            #expect(backend.keys == ["a/b", "a/b-c", "a/bb", "a/bb/c"])
            #expect(code { () throws(CofferError) in _ = try storage.removePrefix("", call) } == .invalidArgument)
            #expect(
                code { () throws(CofferError) in _ = try storage.removePrefix("/", force: true, call) }
                    == .invalidArgument
            )
            backend.faults.remove = CofferError(.permissionDenied, "no")
            let refused = try storage.removePrefix("a", call)
            #expect(refused.count == 0 && refused.failed == 4 && refused.failures.count == 4)
            backend.faults.remove = nil
            #expect(try storage.removePrefix("", force: true, call).count == 4)
        }
    }

    @Test func batchesAnswerInOrder() throws {
        for backend in [
            TestBackend(), TestBackend(without: [.removeBatch]), TestBackend(limits: StoreLimits(batch: 2)),
        ] {
            let storage = makeStorage(backend)
            let etag = try #require(try storage.put("b", "x").info.etag)
            try storage.put("c", "x")
            let items: [(key: Key, ifMatch: Conditions.Match?)] = [
                ("none", nil), ("", nil), ("b", .tokens([etag])), ("c", .tokens(["old"])), ("d\u{0}", nil),
            ]
            let results = try storage.removeMany(items, call)
            #expect(results.map { $0?.code } == [nil, .invalidKey, nil, .preconditionFailed, .invalidKey])
            #expect(results[3]?.key == "c" && backend.keys == ["c"])
        }
    }
}

extension [String] {
    /// Whether both have the same bytes: Swift's own comparison takes two spellings of é for one.
    fileprivate func isSame(_ other: [String]) -> Bool { elementsEqual(other) { Key($0) == Key($1) } }
}
