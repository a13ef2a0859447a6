// Containers, and the one that a storage lives in.
import CofferBackend
import CofferModel
import CofferService
import CofferSystem
import Testing

@Suite struct ContainerTests {
    private let store = TestBackend(with: [.containers])

    private var containers: [String] { store.state.withLock { $0.containers } }
    private var tries: Int { store.state.withLock { $0.containerTries } }

    @Test func containersAreMadeListedInOrderAndRemoved() throws {
        let storage = makeStorage(store)
        for name in ["b", "a", "é"] { try storage.makeContainer(name, call) }
        #expect(try storage.containers(call).map(\.name) == ["a", "b", "é"])
        #expect(code { () throws(CofferError) in try storage.makeContainer("a", call) } == .alreadyExists)
        try storage.removeContainer("a", call)
        #expect(containers == ["b", "é"])
    }

    @Test(arguments: ["", ".", "..", "a/b", "a\nb", String(repeating: "x", count: 256)])
    func aNameThatCouldLeadElsewhereIsRefused(name: String) throws {
        let storage = makeStorage(store)
        #expect(code { () throws(CofferError) in try storage.makeContainer(name, call) } == .invalidArgument)
        #expect(code { () throws(CofferError) in try storage.removeContainer(name, call) } == .invalidArgument)
        #expect(tries == 0)
    }

    @Test func aStoreWithoutContainersSaysSo() throws {
        let storage = makeStorage()
        let errors = [
            failure { () throws(CofferError) in _ = try storage.containers(call) },
            failure { () throws(CofferError) in try storage.makeContainer("a", call) },
            failure { () throws(CofferError) in try storage.removeContainer("a", call) },
        ]
        for error in errors {
            #expect(error?.code == .unsupported)
            #expect(error?.message == "storage files has no containers: the store cannot")
        }
    }

    @Test func aReadOnlyStorageChangesNoContainer() throws {
        let storage = makeStorage(store, StoragePolicy(isReadOnly: true), container: "own")
        #expect(code { () throws(CofferError) in try storage.makeContainer("a", call) } == .permissionDenied)
        #expect(code { () throws(CofferError) in try storage.removeContainer("a", call) } == .permissionDenied)
        #expect(storage.nextTry == nil)
        storage.settle()
        #expect(tries == 0)
    }

    @Test func theOwnContainerIsMadeOnce() throws {
        let storage = makeStorage(store, container: "own")
        #expect(containers.isEmpty && storage.nextTry != nil, "opening a storage asks the store nothing")
        storage.settle()
        storage.settle()
        #expect(containers == ["own"] && tries == 1 && storage.nextTry == nil && storage.warning == nil)
    }

    @Test func aContainerThatIsThereIsFine() throws {
        store.state.withLock { $0.containers = ["own"] }
        let storage = makeStorage(store, container: "own")
        storage.settle()
        #expect(storage.warning == nil && storage.nextTry == nil)
    }

    @Test func aStoreThatCannotBeReachedClosesNothingAndIsTriedAgain() throws {
        store.faults.container = CofferError(.unavailable, "nobody is there")
        let storage = makeStorage(store, container: "own")
        let start = MonotonicTime(nanoseconds: 1)
        storage.settle(now: start)
        #expect(storage.state == .open)
        #expect(storage.warning?.message == "the container own could not be made: nobody is there")
        #expect(storage.description.warning?.storage == "files")
        #expect(storage.nextTry == start.advanced(milliseconds: 1000))
        storage.settle(now: start)
        #expect(storage.nextTry == start.advanced(milliseconds: 2000))
        try storage.put("k", "v")
        store.faults.container = nil
        storage.settle(now: start)
        #expect(containers == ["own"] && storage.warning == nil && storage.nextTry == nil)
    }

    @Test func whoMayUseAContainerNeedNotBeAllowedToMakeOne() throws {
        store.faults.container = CofferError(.permissionDenied, "these credentials make none")
        let storage = makeStorage(store, container: "own")
        storage.settle()
        #expect(storage.warning == nil && storage.nextTry == nil)
        store.faults.health = CofferError(.notFound, "no such container")
        let other = makeStorage(store, container: "own")
        other.settle()
        #expect(other.warning?.code == .permissionDenied)
    }

    @Test func whatAProbeFoundStays() throws {
        let storage = makeStorage(TestBackend(without: [.removeIfMatch]))
        #expect(storage.description.findings == nil)
        let findings = try storage.probe(call)
        #expect(findings.map(\.verdict) == [.kept, .kept, .unknown, .kept], "\(findings)")
        #expect(storage.description.findings == findings)
    }
}
