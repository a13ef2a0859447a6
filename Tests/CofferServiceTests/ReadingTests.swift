import CofferBackend
import CofferModel
import CofferService
import CofferSystem
import Testing

@Suite struct ReadingTests {
    static let ranges: [(ByteRange, String)] = [
        (.all, "0123456789ABCD"), (.from(0), "0123456789ABCD"), (.from(13), "D"),
        (.slice(offset: 3, length: 4), "3456"), (.slice(offset: 2, length: 98), "23456789ABCD"),
        (.slice(offset: 0, length: 0), ""), (.slice(offset: 13, length: .max), "D"),
        (.suffix(0), ""), (.suffix(2), "CD"), (.suffix(100), "0123456789ABCD"),
    ]

    @Test func rangesAreExactWhoeverCutsThem() throws {
        for backend in [TestBackend(), TestBackend(without: [.readRange])] {
            let storage = makeStorage(backend)
            try storage.put("a", "0123456789ABCD")
            for (range, expected) in Self.ranges {
                for size in [1, 5, 100] {
                    let result = try storage.read(ReadRequest(key: "a", range: range), call)
                    #expect(result.range.count == expected.utf8.count && result.info.size == 14)
                    #expect(try text(of: result, bufferSize: size) == expected, "\(range)")
                }
            }
            for range: ByteRange in [.from(14), .slice(offset: 15, length: 1)] {
                #expect(code { () throws(CofferError) in _ = try storage.get("a", range) } == .rangeInvalid)
            }
            #expect(code { () throws(CofferError) in _ = try storage.get("a", .from(-1)) } == .invalidArgument)
            #expect(backend.state.withLock { $0.openStreams } == 0)
        }
    }

    @Test func anAnswerThatEndsEarlyIsCorrupt() throws {
        for missing: Set<Capability> in [[], [.readRange]] {
            let backend = TestBackend(without: missing)
            let storage = makeStorage(backend)
            try storage.put("a", "0123456789")
            backend.faults.missingBytes = 1
            for range: ByteRange in [.all, .from(4), .suffix(3)] {
                #expect(code { () throws(CofferError) in _ = try storage.get("a", range) } == .corrupt)
            }
        }
    }

    @Test func anAnswerThatGoesOnIsCorrupt() throws {
        for bufferSize in [1, 5, 10, 100] {
            let backend = TestBackend()
            let storage = makeStorage(backend)
            try storage.put("a", "0123456789")
            backend.faults.extraBytes = 1
            let read = { () throws(CofferError) in
                _ = try text(of: storage.read(ReadRequest(key: "a"), call), bufferSize: bufferSize)
            }
            #expect(code(read) == .corrupt)
        }
    }

    @Test func absenceIsToldWithKeyAndStorage() {
        let storage = makeStorage(TestBackend(), StoragePolicy(prefix: "in/side"))
        let absent = failure { () throws(CofferError) in _ = try storage.stat("none", call) }
        #expect(absent?.code == .notFound && absent?.key == "none" && absent?.storage == "files")
        #expect(absent?.isRetryable == false && absent?.message == "no such object: none")
    }

    @Test func aPrefixIsNeverSeenAndNeverLeft() throws {
        let backend = TestBackend()
        backend.plant("secret", [1])
        backend.plant("in/sider", [1])
        let storage = makeStorage(backend, StoragePolicy(prefix: "in/side"))
        #expect(try storage.put("a/b", "x").info.key == "a/b")
        #expect(backend.keys == ["in/side/a/b", "in/sider", "secret"])
        #expect(try storage.stat("a/b", call).key == "a/b" && storage.get("a/b") == "x")
        try storage.put("z", "x")
        #expect(try storage.listing() == ["a/b", "z"])
        #expect(try storage.listing(ListQuery(delimiter: "/")) == ["a/", "z"])
        #expect(try storage.listing(ListQuery(startAfter: "a/b")) == ["z"])
        #expect(try storage.pages(ListQuery(), limit: 1) == ["a/b", "z"])
        for key: Key in ["../secret", "a/../../secret", ".."] {
            #expect(code { () throws(CofferError) in _ = try storage.get(key) } == .invalidKey)
            #expect(code { () throws(CofferError) in try storage.remove(key, call) } == .invalidKey)
        }
        #expect(
            code { () throws(CofferError) in _ = try storage.listing(ListQuery(prefix: "../")) } == .invalidArgument
        )
        #expect(try storage.copy("a/b", to: "c", in: storage, CopyOptions(), call).realKey == "c")
        #expect(try storage.removePrefix("", force: true, call).count == 3)
        #expect(backend.keys == ["in/sider", "secret"])
    }

    @Test func aPrefixThatIsNoFolderIsAConfigurationError() {
        for prefix in ["/a", "a/", "..", "a//b"] {
            guard case .failed(let error) = makeStorage(TestBackend(), StoragePolicy(prefix: prefix)).state else {
                Issue.record("opened with \(prefix)")
                continue
            }
            #expect(error.code == .configInvalid)
        }
    }

    @Test func urlsAreTheStoragesOwnOrTheStores() throws {
        let own = makeStorage(TestBackend(with: [.publicURL]), StoragePolicy(url: "https://files.example/x/"))
        #expect(try own.url("a b/ü+?#%.txt", call) == "https://files.example/x/a%20b/%C3%BC%2B%3F%23%25.txt")
        #expect(try makeStorage(TestBackend(with: [.publicURL])).url("a", call) == "https://store.example/a")
        let none = makeStorage()
        #expect(code { () throws(CofferError) in _ = try none.url("a", call) } == .unsupported)
        #expect(own.description.capabilities[.publicURL].grade == .native)
    }

    @Test func theDescriptionSaysWhatThereIs() {
        let backend = TestBackend(without: [.copy, .listSorted])
        let description = makeStorage(backend, name: "avatars", StoragePolicy(url: "https://x")).description
        #expect(description.name == "avatars" && description.backend == "test" && description.state == .open)
        #expect(
            description.capabilities[.copy]
                == .init(.emulated, reason: "the host reads the source and writes the target")
        )
        #expect(description.capabilities[.publicURL].grade == .emulated)
    }
}
