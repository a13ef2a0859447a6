import CofferBackend
import CofferCrypto
import CofferModel
import CofferService
import CofferSystem
import Testing

@Suite struct CopyTests {
    static let options = CopyOptions()

    static func stores() -> [TestBackend] {
        [
            TestBackend(), TestBackend(without: [.copy, .move]),
            TestBackend(without: [.copy, .move, .checksum, .readPinned]),
        ]
    }

    @Test func copiesKeepBytesAndMetadata() throws {
        for backend in Self.stores() {
            let storage = makeStorage(backend)
            let metadata = Metadata(contentType: "text/x-own", cacheControl: "no-store", user: [UserMetadata("a", "b")])
            try storage.put(PutRequest(key: "a", metadata: metadata), Array("hello".utf8))
            let outcome = try storage.copy("a", to: "b", in: storage, Self.options, call)
            #expect(outcome.isNew && outcome.realKey == "b" && outcome.info.metadata == metadata)
            #expect(try storage.get("b") == "hello")
            let changed = try storage.copy(
                "a",
                to: "c",
                in: storage,
                CopyOptions(metadata: Metadata(contentType: "text/plain")),
                call
            )
            #expect(changed.info.metadata == Metadata(contentType: "text/plain"))
            #expect(try storage.move("c", to: "d", in: storage, Self.options, call).info.key == "d")
            #expect(backend.keys == ["a", "b", "d"] && backend.state.withLock { $0.openStreams } == 0)
        }
    }

    @Test func absentSourcesLeaveTheTarget() throws {
        for backend in Self.stores() {
            let storage = makeStorage(backend)
            try storage.put("b", "b")
            let replace = CopyOptions(onConflict: .replace)
            #expect(
                code { () throws(CofferError) in _ = try storage.copy("none", to: "b", in: storage, replace, call) }
                    == .notFound
            )
            #expect(
                code { () throws(CofferError) in _ = try storage.move("none", to: "b", in: storage, replace, call) }
                    == .notFound
            )
            #expect(try storage.get("b") == "b")
        }
    }

    @Test func anObjectIsNotCopiedOntoItself() throws {
        for backend in Self.stores() {
            let storage = makeStorage(backend)
            try storage.put("a", "x")
            let replace = CopyOptions(onConflict: .replace)
            #expect(
                code { () throws(CofferError) in _ = try storage.copy("a", to: "a", in: storage, replace, call) }
                    == .invalidArgument
            )
            #expect(
                code { () throws(CofferError) in _ = try storage.move("a", to: "a", in: storage, replace, call) }
                    == .invalidArgument
            )
            #expect(try storage.get("a") == "x")
        }
    }

    @Test func copiesRename() throws {
        for backend in Self.stores() {
            let storage = makeStorage(backend)
            try storage.put("a.txt", "x")
            let rename = CopyOptions(onConflict: .rename)
            #expect(try storage.copy("a.txt", to: "a.txt", in: makeStorage(backend), rename, call).realKey == "a_1.txt")
            try storage.put("b.txt", "y")
            #expect(try storage.copy("a.txt", to: "b.txt", in: storage, rename, call).realKey == "b_1.txt")
            #expect(try storage.move("b.txt", to: "a.txt", in: storage, rename, call).realKey == "a_2.txt")
            #expect(backend.keys == ["a.txt", "a_1.txt", "a_2.txt", "b_1.txt"])
        }
    }

    @Test func duplicatesGetANameOfTheirOwn() throws {
        let storage = makeStorage()
        try storage.put("d/a.txt", "x")
        let key = try storage.duplicate("d/a.txt", call).realKey.text
        #expect(key.hasPrefix("d/") && key.hasSuffix(".txt") && key.utf8.count == 2 + 36 + 4)
        let bare = TestBackend(without: [.createIfAbsent])
        let replacing = makeStorage(bare, StoragePolicy(onConflict: .replace))
        try replacing.put("a", "x")
        _ = try replacing.duplicate("a", call)
        #expect(bare.keys.count == 2)
    }

    @Test func objectsCrossStorages() throws {
        for from in Self.stores() {
            for to in Self.stores() {
                let source = makeStorage(from, name: "source", StoragePolicy(prefix: "p"))
                let target = makeStorage(to, name: "target")
                let text = String(repeating: "0123456789", count: 60_000)
                try source.put(PutRequest(key: "a", metadata: Metadata(contentType: "x/y")), Array(text.utf8))
                let copy = try source.copy("a", to: "b", in: target, Self.options, call)
                #expect(copy.isNew && copy.info.key == "b" && copy.info.metadata.contentType == "x/y")
                #expect(to.bytes("b") == Array(text.utf8))
                #expect(
                    code { () throws(CofferError) in _ = try source.move("a", to: "b", in: target, Self.options, call) }
                        == .alreadyExists
                )
                #expect(from.keys == ["p/a"])
                let replace = CopyOptions(onConflict: .replace)
                #expect(try !source.move("a", to: "b", in: target, replace, call).isNew)
                #expect(from.keys.isEmpty && to.keys == ["b"])
                #expect(from.state.withLock { $0.openStreams } == 0 && to.state.withLock { $0.openStreams } == 0)
            }
        }
    }

    @Test func whereverAMoveFailsTheSourceSurvives() throws {
        func move(_ spoil: (TestBackend, TestBackend) -> Void) throws -> (CofferError?, TestBackend, TestBackend) {
            let from = TestBackend(without: [.readPinned])
            let to = TestBackend()
            let source = makeStorage(from, name: "source")
            let target = makeStorage(to, name: "target")
            try source.put("a", "hello")
            spoil(from, to)
            let failure = failure { () throws(CofferError) in
                _ = try source.move("a", to: "a", in: target, Self.options, call)
            }
            return (failure, from, to)
        }
        let (short, shortFrom, shortTo) = try move { from, _ in from.faults.missingBytes = 1 }
        #expect(short?.code == .corrupt && shortFrom.keys == ["a"] && shortTo.keys.isEmpty)
        let (full, fullFrom, fullTo) = try move { _, to in to.faults.commit = CofferError(.noSpace, "full") }
        #expect(full?.code == .noSpace && fullFrom.keys == ["a"] && fullTo.keys.isEmpty)
        let (stuck, stuckFrom, stuckTo) = try move { from, _ in from.faults.remove = CofferError(.unavailable, "gone") }
        #expect(stuck?.code == .unavailable && stuck?.isMaybeApplied == true)
        #expect(stuckFrom.keys == ["a"] && stuckTo.keys == ["a"])
        let (during, duringFrom, duringTo) = try move { from, _ in
            from.faults.afterOpen = { from.plant("a", Array("other".utf8)) }
        }
        #expect(during?.code == .changed && duringFrom.bytes("a") == Array("other".utf8) && duringTo.keys.isEmpty)
        let (after, afterFrom, afterTo) = try move { from, to in
            to.faults.beforeCommit = { from.plant("a", Array("other".utf8)) }
        }
        #expect(after?.code == .changed && after?.isMaybeApplied == true)
        #expect(afterFrom.bytes("a") == Array("other".utf8) && afterTo.bytes("a") == Array("hello".utf8))
    }

    @Test func whereverAMoveInsideFailsTheSourceSurvives() throws {
        func move(_ spoil: (TestBackend) -> Void) throws -> (CofferError?, TestBackend) {
            let backend = TestBackend(without: [.copy, .move, .readPinned])
            let storage = makeStorage(backend)
            try storage.put("a", "hello")
            spoil(backend)
            let failure = failure { () throws(CofferError) in
                _ = try storage.move("a", to: "b", in: storage, Self.options, call)
            }
            return (failure, backend)
        }
        let (short, shortStore) = try move { $0.faults.missingBytes = 1 }
        #expect(short?.code == .corrupt && shortStore.keys == ["a"])
        let (full, fullStore) = try move { $0.faults.commit = CofferError(.noSpace, "full") }
        #expect(full?.code == .noSpace && fullStore.keys == ["a"])
        let (during, duringStore) = try move { store in
            store.faults.afterOpen = { [weak store] in store?.plant("a", Array("other".utf8)) }
        }
        #expect(during?.code == .changed && duringStore.keys == ["a"])
        let (after, afterStore) = try move { store in
            store.faults.beforeCommit = { [weak store] in store?.plant("a", Array("other".utf8)) }
        }
        #expect(after?.code == .changed && afterStore.keys == ["a", "b"])
    }

    @Test func aSourceThatIsNotWhatItsDigestSaysIsNotCopied() throws {
        let from = TestBackend()
        from.faults.spoilsWrites = true
        let source = makeStorage(from, name: "source")
        let target = makeStorage(TestBackend(), name: "target")
        try source.put("a", "hello")
        #expect(
            code { () throws(CofferError) in _ = try source.copy("a", to: "a", in: target, Self.options, call) }
                == .checksumMismatch
        )
        #expect(try target.listing().isEmpty)
    }

    @Test func metadataChangesWithoutTheBytes() throws {
        let backend = TestBackend()
        let storage = makeStorage(backend)
        let etag = try #require(try storage.put("a.txt", "x").info.etag)
        var patch = MetadataPatch()
        patch.cacheControl = .set("no-store")
        patch.user = [("One", .set("1")), ("two", .remove)]
        let info = try storage.updateMetadata("a.txt", patch, conditions: Conditions(ifMatch: .tokens([etag])), call)
        #expect(info.metadata.cacheControl == "no-store" && info.metadata.contentType == "text/plain")
        #expect(info.metadata.user == [UserMetadata("one", "1")])
        #expect(
            code { () throws(CofferError) in
                _ = try storage.updateMetadata("a.txt", patch, conditions: Conditions(ifMatch: .tokens([etag])), call)
            } == .preconditionFailed
        )
        let bare = makeStorage(TestBackend(without: [.copyMetadata]))
        try bare.put("a", "x")
        #expect(code { () throws(CofferError) in _ = try bare.updateMetadata("a", patch, call) } == .unsupported)
    }

    @Test func metadataChangesAtOnceAllHappen() throws {
        for missing: Set<Capability> in [[], [.copyCondition, .ifMatch]] {
            let storage = makeStorage(TestBackend(without: missing), StoragePolicy(writers: .exclusive))
            try storage.put("a", "x")
            try onThreads(4) { index in
                var patch = MetadataPatch()
                patch.user = [("n\(index)", .set("1"))]
                _ = try? storage.updateMetadata("a", patch, call)
            }
            #expect(try storage.stat("a", call).metadata.user.count == 4)
        }
    }
}
