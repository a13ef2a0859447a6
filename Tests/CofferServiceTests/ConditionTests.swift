import CofferBackend
import CofferModel
import CofferService
import CofferSystem
import Testing

/// Stores that keep conditions themselves, and stores for which the host does.
private func conditionalStores() -> [(TestBackend, StoragePolicy)] {
    let none: Set<Capability> = [.createIfAbsent, .ifMatch, .removeIfMatch, .copyCondition, .readCondition]
    return [
        (TestBackend(), StoragePolicy()),
        (TestBackend(without: none), StoragePolicy(writers: .exclusive)),
        (TestBackend(without: none.union([.copy, .move, .stat, .readRange])), StoragePolicy(writers: .exclusive)),
    ]
}

@Suite struct ConditionTests {
    @Test func oneOfManyCreatorsWins() throws {
        for (backend, policy) in conditionalStores() {
            let storage = makeStorage(backend, policy)
            let results = Locked<[CofferError.Code?]>([])
            try onThreads(64) { index in
                let result = code { () throws(CofferError) in try storage.put("a", "\(index)") }
                results.withLock { $0.append(result) }
            }
            let codes = results.withLock { $0 }
            #expect(codes.count(where: { $0 == nil }) == 1)
            #expect(codes.count(where: { $0 == .alreadyExists }) == 63)
            #expect(backend.state.withLock { $0.openStreams } == 0)
        }
    }

    @Test func countersByIfMatchEndExact() throws {
        for (backend, policy) in conditionalStores() {
            let storage = makeStorage(backend, policy)
            try storage.put("n", "0")
            try onThreads(8) { _ in
                var done = 0
                while done < 10 {
                    guard let result = try? storage.read(ReadRequest(key: "n"), call), let etag = result.info.etag,
                        let number = (try? text(of: result)).flatMap({ Int($0) })
                    else { continue }
                    let match = Conditions(ifMatch: .tokens(["stale", etag]))
                    if (try? storage.put("n", "\(number + 1)", conditions: match)) != nil { done += 1 }
                }
            }
            #expect(try storage.get("n") == "80")
        }
    }

    @Test func anUnconditionalWriteBetweenCheckAndCommitIsSeen() throws {
        for (backend, policy) in conditionalStores() {
            let storage = makeStorage(backend, policy)
            let etag = try #require(try storage.put("a", "1").info.etag)
            let match = Conditions(ifMatch: .tokens([etag]))
            let writer = try storage.write(PutRequest(key: "a", conditions: match), call)
            try writer.append(Array("lost".utf8))
            try storage.put("a", "2", .replace)
            #expect(code { () throws(CofferError) in _ = try writer.commit(call) } == .preconditionFailed)
            #expect(try storage.get("a") == "2")
        }
    }

    @Test func ifMatchOnAnAbsentKeyFails() throws {
        for (backend, policy) in conditionalStores() {
            let storage = makeStorage(backend, policy)
            for match in [Conditions.Match.any, .tokens(["v1"])] {
                let put = { () throws(CofferError) in
                    _ = try storage.put("a", "1", conditions: Conditions(ifMatch: match))
                }
                #expect(code(put) == .preconditionFailed)
                #expect(
                    code { () throws(CofferError) in try storage.remove("a", ifMatch: match, call) }
                        == .preconditionFailed
                )
            }
            #expect(backend.keys.isEmpty)
        }
    }

    @Test func removalsRespectTheToken() throws {
        for (backend, policy) in conditionalStores() {
            let storage = makeStorage(backend, policy)
            let old = try #require(try storage.put("a", "1").info.etag)
            let new = try #require(try storage.put("a", "2", .replace).info.etag)
            #expect(
                code { () throws(CofferError) in try storage.remove("a", ifMatch: .tokens([old]), call) }
                    == .preconditionFailed
            )
            #expect(try storage.get("a") == "2")
            try storage.remove("a", ifMatch: .tokens([new]), call)
            try storage.remove("a", call)
            #expect(code { () throws(CofferError) in try storage.remove("a", isStrict: true, call) } == .notFound)
        }
    }

    @Test func readsRespectTheToken() throws {
        for (backend, policy) in conditionalStores() {
            let storage = makeStorage(backend, policy)
            let etag = try #require(try storage.put("a", "1").info.etag)
            func read(_ conditions: Conditions) -> [CofferError.Code?] {
                [
                    code { () throws(CofferError) in _ = try storage.stat("a", conditions: conditions, call) },
                    code { () throws(CofferError) in
                        _ = try text(of: storage.read(ReadRequest(key: "a", conditions: conditions), call))
                    },
                ]
            }
            #expect(read(Conditions(ifNoneMatch: .tokens([etag]))) == [.notModified, .notModified])
            #expect(read(Conditions(ifNoneMatch: .tokens(["old"]))) == [nil, nil])
            #expect(read(Conditions(ifMatch: .tokens(["old"]))) == [.preconditionFailed, .preconditionFailed])
            #expect(read(Conditions(ifMatch: .tokens([etag]))) == [nil, nil])
            #expect(backend.state.withLock { $0.openStreams } == 0)
        }
    }

    @Test func copiesRespectConditions() throws {
        for (backend, policy) in conditionalStores() {
            let storage = makeStorage(backend, policy)
            let old = try #require(try storage.put("a", "1").info.etag)
            try storage.put("a", "2", .replace)
            try storage.put("b", "b")
            func copy(_ options: CopyOptions) -> CofferError.Code? {
                code { () throws(CofferError) in _ = try storage.copy("a", to: "b", in: storage, options, call) }
            }
            #expect(copy(CopyOptions()) == .alreadyExists)
            #expect(copy(CopyOptions(conditions: Conditions(ifNoneMatch: .any))) == .preconditionFailed)
            #expect(copy(CopyOptions(onConflict: .replace, sourceIfMatch: .tokens([old]))) == .preconditionFailed)
            #expect(copy(CopyOptions(conditions: Conditions(ifMatch: .tokens([old])))) == .preconditionFailed)
            #expect(try storage.get("b") == "b")
            #expect(copy(CopyOptions(onConflict: .replace)) == nil)
            #expect(try storage.get("b") == "2")
        }
    }

    @Test func whatCannotBeKeptIsRefusedBeforeAnyWrite() throws {
        let backend = TestBackend(without: [.createIfAbsent, .ifMatch, .removeIfMatch, .copyCondition])
        let storage = makeStorage(backend, StoragePolicy(onConflict: .replace))
        try storage.put("a", "1")
        let match = Conditions(ifMatch: .any)
        #expect(code { () throws(CofferError) in try storage.put("a", "2", conditions: match) } == .unsupported)
        #expect(code { () throws(CofferError) in try storage.put("b", "2", .error) } == .unsupported)
        #expect(code { () throws(CofferError) in try storage.remove("a", ifMatch: .any, call) } == .unsupported)
        #expect(
            code { () throws(CofferError) in
                _ = try storage.copy("a", to: "b", in: storage, CopyOptions(conditions: match), call)
            } == .unsupported
        )
        #expect(try storage.listing() == ["a"] && storage.get("a") == "1")
        #expect(backend.state.withLock { $0.openStreams } == 0)
    }

    @Test func withoutConditionsErrorLooksFirst() throws {
        let backend = TestBackend()
        let storage = makeStorage(backend, StoragePolicy(conditions: .none))
        try storage.put("a", "1")
        #expect(code { () throws(CofferError) in try storage.put("a", "2") } == .alreadyExists)
        #expect(try storage.put("a", "2", .rename).realKey == "a_1")
        let match = Conditions(ifMatch: .any)
        #expect(code { () throws(CofferError) in try storage.put("a", "2", conditions: match) } == .unsupported)
    }
}
