import CofferBackend
import CofferModel
import CofferSystem
import Synchronization
import Testing

@testable import CofferService

private func makeGeneration(_ number: Int, _ storages: [Storage]) -> Generation {
    Generation(
        number: number,
        profile: "test",
        decidedBy: "the test",
        createdAt: Timestamp(nanoseconds: 0),
        storages: storages
    )
}

private func makeEphemeral(_ name: String, _ backend: TestBackend = TestBackend()) -> Storage {
    Storage(name: name, backendID: "test", isEphemeral: true, generation: 1) { options throws(CofferError) in
        EmulatedBackend(backend, options)
    }
}

@Suite struct GenerationTests {
    @Test func aStoreClosesAfterItsLastUseAndOnce() throws {
        let old = TestBackend()
        let generations = Generations(makeGeneration(1, [makeStorage(old)]))
        func closings() -> Int { old.state.withLock { $0.closings } }
        var storage: Storage? = try generations.current.storage("files")
        try storage?.put("a", "hello")
        var result: ReadResult? = try storage?.read(ReadRequest(key: "a"), call)
        var writer: ObjectWriter? = try storage?.write(PutRequest(key: "b"), call)
        var listing: (any ListStream)? = try storage?.openListing(ListQuery(), call)
        _ = try storage?.page(ListQuery(), limit: 1, call)
        generations.swap(to: makeGeneration(generations.nextNumber(), [makeStorage(TestBackend())]))
        storage = nil
        #expect(closings() == 0)
        #expect(try result.map { result throws(CofferError) in try text(of: result) } == "hello")
        result = nil
        #expect(closings() == 0)
        #expect(try writer?.commit(call).isNew == true)
        writer = nil
        #expect(closings() == 0 && old.keys == ["a", "b"])
        #expect(try listing.map { listing throws(CofferError) in try entries(of: listing) } == ["a"])
        listing = nil
        #expect(closings() == 1 && old.state.withLock { $0.openStreams } == 0)
        #expect(generations.current.number == 2)
    }

    @Test func closingIsLeftToTheCloser() throws {
        let backend = TestBackend()
        let work = Locked<[@Sendable () -> Void]>([])
        do {
            let storage = Storage(
                name: "s",
                backendID: "test",
                generation: 1,
                closer: { job in work.withLock { $0.append(job) } },
                opener: { (options) throws(CofferError) in EmulatedBackend(backend, options) }
            )
            try storage.put("a", "x")
        }
        #expect(backend.state.withLock { $0.closings } == 0)
        for job in work.withLock({ $0 }) { job() }
        #expect(backend.state.withLock { $0.closings } == 1)
    }

    @Test func requestsSeeOneGenerationUnderSwaps() throws {
        let backends = Locked<[TestBackend]>([])
        @Sendable func make(_ number: Int) -> Generation {
            let backend = TestBackend()
            backends.withLock { $0.append(backend) }
            return makeGeneration(number, [makeStorage(backend)])
        }
        let generations = Generations(make(1))
        let failures = Atomic(0)
        try onThreads(4) { index in
            for round in 0..<200 {
                if index == 0 {
                    generations.swap(to: make(generations.nextNumber()))
                    continue
                }
                do {
                    let storage = try generations.current.storage("files")
                    let key = Key("k\(index)-\(round)")
                    try storage.put(key, "x")
                    if try storage.get(key) != "x" { failures.add(1, ordering: .relaxed) }
                } catch {
                    failures.add(1, ordering: .relaxed)
                }
            }
        }
        #expect(failures.load(ordering: .relaxed) == 0)
        let closings = backends.withLock { $0.map { $0.state.withLock { $0.closings } } }
        #expect(closings.dropLast().allSatisfy { $0 == 1 } && closings.last == 0 && closings.count == 201)
    }

    @Test func aRepeatedWriteIsKnownInTheNextGenerationOfTheSameStore() throws {
        let store = EmulatedBackend(TestBackend())
        func make(_ number: Int) -> Generation {
            let storage = Storage(
                name: "s",
                backendID: "test",
                generation: number,
                opener: { (_) throws(CofferError) in store }
            )
            return makeGeneration(number, [storage])
        }
        let generations = Generations(make(1))
        let request = PutRequest(key: "a", idempotencyKey: "once")
        let first = try generations.current.storage("s").put(request, [1])
        generations.swap(to: make(2))
        let again = try generations.current.storage("s").put(request, [1])
        #expect(again.isReplayed && again.info == first.info)
        generations.swap(to: makeGeneration(3, [makeStorage(name: "s")]))
        #expect(try !generations.current.storage("s").put(request, [1]).isReplayed)
    }

    @Test func storagesAreFoundByName() throws {
        let generation = makeGeneration(1, [makeStorage(name: "a"), makeStorage(name: "b")])
        #expect(generation.defaultStorage?.name == "a")
        #expect(try generation.storage("b").name == "b")
        let unknown = failure { () throws(CofferError) in _ = try generation.storage("c") }
        #expect(unknown?.code == .notFound && unknown?.message == "no such storage: c; there are a, b")
    }

    @Test func ephemeralStoragesOutliveGenerations() throws {
        let generations = Generations(makeGeneration(1, [makeStorage(name: "files")]))
        let backend = TestBackend()
        try generations.add(makeEphemeral("tmp", backend))
        #expect(code { () throws(CofferError) in try generations.add(makeEphemeral("tmp")) } == .alreadyExists)
        #expect(code { () throws(CofferError) in try generations.add(makeEphemeral("files")) } == .alreadyExists)
        generations.swap(to: makeGeneration(2, [makeStorage(name: "files")]))
        try generations.current.storage("tmp").put("a", "x")
        #expect(code { () throws(CofferError) in try generations.drop("files") } == .invalidArgument)
        try generations.drop("tmp")
        #expect(code { () throws(CofferError) in try generations.drop("tmp") } == .notFound)
        #expect(backend.keys == ["a"] && backend.state.withLock { $0.closings } == 1)
    }

    @Test func aConfiguredStorageOutranksAnEphemeralOne() throws {
        let generations = Generations(makeGeneration(1, []))
        try generations.add(makeEphemeral("tmp"))
        generations.swap(to: makeGeneration(2, [makeStorage(name: "tmp")]))
        #expect(try !generations.current.storage("tmp").isEphemeral)
    }

    @Test func aFailedStorageSaysWhyAndIsTriedAgainLaterAndLater() throws {
        let isUp = Atomic(false)
        let backend = TestBackend()
        let start = MonotonicTime.now
        let storage = Storage(name: "s", backendID: "test", generation: 1) { options throws(CofferError) in
            guard isUp.load(ordering: .relaxed) else { throw CofferError(.pluginFailed, "plugin x is missing") }
            return EmulatedBackend(backend, options)
        }
        let generations = Generations(makeGeneration(1, [storage]))
        let refused = failure { () throws(CofferError) in _ = try storage.stat("a", call) }
        #expect(refused?.code == .unavailable && refused?.message.contains("plugin x is missing") == true)
        #expect(storage.state == .failed(CofferError(.pluginFailed, "plugin x is missing", storage: "s")))
        #expect(storage.description.capabilities == Capabilities())
        var now = try #require(storage.nextTry)
        #expect(now.nanoseconds - start.nanoseconds >= 1_000_000_000)
        #expect(generations.due(now: start).isEmpty)
        var pauses: [Int64] = []
        for _ in 0..<8 {
            #expect(generations.due(now: now).map(\.name) == ["s"] && !storage.retry(now: now))
            let next = try #require(storage.nextTry)
            pauses.append((next.nanoseconds - now.nanoseconds) / 1_000_000_000)
            now = next
        }
        #expect(pauses == [2, 4, 8, 16, 32, 60, 60, 60])
        isUp.store(true, ordering: .relaxed)
        #expect(storage.retry(now: now) && storage.state == .open && generations.due(now: now).isEmpty)
        try storage.put("a", "x")
    }
}

@Suite struct TableTests {
    private func time(_ milliseconds: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: 0).advanced(milliseconds: milliseconds)
    }

    @Test func outcomesAreForgottenAfterTheirTimeAndBeyondTheirNumber() throws {
        let table = IdempotencyTable(capacity: 2, lifetimeMilliseconds: 100)
        func put(_ key: String, at milliseconds: Int) throws -> Bool {
            let now = time(milliseconds)
            if try table.begin(key, request: key, now: now) != nil { return true }
            table.finish(key, request: key, PutOutcome(info: ObjectInfo(key: Key(key)), isNew: true), now: now)
            return false
        }
        #expect(try !put("a", at: 0) && put("a", at: 100) && !put("a", at: 201))
        #expect(try !put("b", at: 202) && !put("c", at: 203) && put("b", at: 204) && put("c", at: 204))
        #expect(try !put("a", at: 205))
    }

    @Test func keptListingsCloseWithAge() throws {
        let backend = TestBackend()
        let listings = OpenListings(capacity: 2, lifetimeMilliseconds: 100)
        for (cursor, milliseconds) in [("a", 0), ("b", 50), ("c", 60)] {
            listings.keep(try backend.openList(ListQuery(), call), for: cursor, now: time(milliseconds))
        }
        #expect(listings.count == 2 && listings.take("a", now: time(61)) == nil)
        listings.sweep(now: time(155))
        #expect(listings.count == 1 && listings.take("b", now: time(156)) == nil)
        let last = listings.take("c", now: time(156))
        #expect(last != nil && listings.count == 0 && listings.take("c", now: time(156)) == nil)
        last?.close()
        #expect(backend.state.withLock { $0.openStreams } == 0)
    }

    @Test func base64ComesBack() {
        for length in 0..<40 {
            let bytes = (0..<length).map { UInt8($0 * 37 & 255) }
            let text = Base64URL.encode(bytes)
            #expect(Base64URL.decode(text) == bytes)
            #expect(!text.contains("=") && !text.contains("+") && !text.contains("/"))
        }
        for text in ["A", "AB=", "AB==", "A\n", "AC", "é"] where text != "AC" { #expect(Base64URL.decode(text) == nil) }
        #expect(Base64URL.decode("AC") == nil)
    }
}
