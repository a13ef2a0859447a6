import CofferBackend
import CofferModel
import CofferService
import CofferSystem
import Testing

@Suite struct PolicyTests {
    struct Case: Sendable {
        let accept: [String]
        var except = false
        var deny: [String] = []
        let key: Key
        var type: String?
        let passes: Bool
    }

    static let cases: [Case] = [
        Case(accept: ["ALL"], key: "a.exe", passes: true),
        Case(accept: ["NONE"], key: "a.txt", passes: false),
        Case(accept: ["IMAGES"], key: "a.jpg", passes: true),
        Case(accept: ["images"], key: "A.JPG", passes: true),
        Case(accept: ["IMAGES"], key: "a.webp", passes: false),
        Case(accept: ["IMAGES"], key: "a.txt", passes: false),
        Case(accept: ["IMAGES"], key: "jpg", passes: false),
        Case(accept: ["IMAGES"], key: "photo", type: "image/png", passes: true),
        Case(accept: ["IMAGES"], key: "photo", type: "IMAGE/PNG; q=1", passes: true),
        Case(accept: ["IMAGES"], key: "a.png", type: "text/html", passes: false),
        Case(accept: ["IMAGES"], key: "a.png", type: "application/octet-stream", passes: true),
        Case(accept: ["IMAGES"], key: "a.html", type: "image/png", passes: false),
        Case(accept: ["DATA"], key: "a.xml", type: "text/xml", passes: true),
        Case(accept: ["DOCUMENTS"], key: "a.pdf", passes: false),
        Case(accept: ["DOCUMENTS", "pdf"], key: "a.pdf", passes: true),
        Case(accept: [".pdf"], key: "a.pdf", type: "application/pdf", passes: true),
        Case(accept: ["DEFAULTS"], key: "a.txt", passes: true),
        Case(accept: ["DEFAULTS"], key: "a.docx", passes: true),
        Case(accept: ["DEFAULTS"], key: "a.mp3", passes: false),
        Case(accept: ["DEFAULTS"], key: "a.js", passes: false),
        Case(accept: ["SCRIPTS", "ARCHIVES", "EXECUTABLES", "AUDIO"], key: "a.tar.gz", passes: true),
        Case(accept: ["SCRIPTS", "EXECUTABLES"], except: true, key: "a.pdf", passes: true),
        Case(accept: ["SCRIPTS", "EXECUTABLES"], except: true, key: "a.sh", passes: false),
        Case(accept: ["SCRIPTS", "EXECUTABLES"], except: true, key: "noext", passes: true),
        Case(accept: ["text/html"], except: true, key: "a.html", passes: false),
        Case(accept: ["image/*"], key: "a.webp", passes: true),
        Case(accept: ["image/*"], key: "avatar.v2", type: "image/webp", passes: true),
        Case(accept: ["image/png"], key: "a.jpg", passes: false),
        Case(accept: ["*/*"], key: "anything", passes: true),
        Case(accept: ["application/octet-stream"], key: "noext", passes: true),
        Case(accept: ["application/*"], key: "noext", passes: true),
        Case(accept: ["text/*"], key: "noext", passes: false),
        Case(accept: ["ALL"], deny: ["EXECUTABLES"], key: "a.exe", passes: false),
        Case(accept: ["txt"], deny: ["TEXT"], key: "a.txt", passes: false),
        Case(accept: ["ALL"], deny: ["text/html"], key: "a.html", passes: false),
        Case(accept: ["ALL"], deny: ["text/html"], key: "a.png", type: "text/html", passes: false),
        Case(accept: ["ALL"], deny: ["exe"], key: "setup", type: "application/x-msdownload", passes: false),
        Case(accept: ["ALL"], deny: ["txt"], key: "a.md", type: "text/plain", passes: true),
        Case(accept: ["ALL"], deny: ["ALL"], key: "a.txt", passes: false),
    ]

    @Test(arguments: cases)
    func fileTypesAreJudged(_ example: Case) throws {
        let policy = StoragePolicy(
            accept: try FileTypeRule(example.accept, isAllExcept: example.except),
            deny: try FileTypeRule(example.deny)
        )
        let storage = makeStorage(TestBackend(), policy)
        let request = PutRequest(key: example.key, metadata: Metadata(contentType: example.type))
        let result = code { () throws(CofferError) in try storage.put(request, [1]) }
        #expect(result == (example.passes ? nil : .badType), "\(example)")
    }

    @Test(arguments: ["", "*.pdf", "image/", "/png", "*/png", "a.b", "IMAGES/*/x"])
    func nonsenseIsNoFileType(_ item: String) {
        #expect(code { () throws(CofferError) in _ = try FileTypeRule([item]) } == .configInvalid)
    }

    @Test func copiesAreJudgedToo() throws {
        let source = makeStorage(TestBackend(), name: "source")
        try source.put("a.exe", "x")
        try source.put("big.txt", "12345")
        let policy = StoragePolicy(deny: try FileTypeRule(["EXECUTABLES"]), maxSize: 4)
        let target = makeStorage(TestBackend(), policy)
        for (key, expected): (Key, CofferError.Code) in [("a.exe", .badType), ("big.txt", .tooLarge)] {
            #expect(
                code { () throws(CofferError) in _ = try source.copy(key, to: key, in: target, CopyOptions(), call) }
                    == expected
            )
        }
        try target.put("small.txt", "1")
        #expect(
            code { () throws(CofferError) in
                _ = try target.move("small.txt", to: "small.exe", in: target, CopyOptions(), call)
            }
                == .badType
        )
    }

    @Test func theSizeLimitHoldsAnnouncedOrNot() throws {
        let backend = TestBackend()
        let storage = makeStorage(backend, StoragePolicy(maxSize: 4))
        let announced = failure { () throws(CofferError) in _ = try storage.write(PutRequest(key: "a", size: 5), call) }
        #expect(announced?.code == .tooLarge && announced?.message.contains("4 bytes") == true)
        let writer = try storage.write(PutRequest(key: "a"), call)
        try writer.append([1, 2, 3])
        let midStream = failure { () throws(CofferError) in try writer.append([4, 5]) }
        #expect(midStream?.code == .tooLarge && midStream?.message.contains("4 bytes") == true)
        #expect(code { () throws(CofferError) in _ = try writer.commit(call) } == .internal)
        #expect(backend.keys.isEmpty && backend.state.withLock { $0.openStreams } == 0)
        try storage.put("a", "1234")
    }

    @Test func aReadOnlyStorageOnlyReads() throws {
        let backend = TestBackend()
        backend.plant("a", [1])
        let storage = makeStorage(backend, StoragePolicy(isReadOnly: true))
        let other = makeStorage(TestBackend(), name: "other")
        let patch = MetadataPatch()
        var codes: [CofferError.Code?] = []
        codes.append(code { () throws(CofferError) in try storage.put("b", "x") })
        codes.append(code { () throws(CofferError) in try storage.remove("a", call) })
        codes.append(code { () throws(CofferError) in _ = try storage.removeMany([("a", nil)], call) })
        codes.append(code { () throws(CofferError) in _ = try storage.removePrefix("a", call) })
        codes.append(
            code { () throws(CofferError) in _ = try storage.copy("a", to: "b", in: storage, CopyOptions(), call) }
        )
        codes.append(
            code { () throws(CofferError) in _ = try storage.move("a", to: "b", in: other, CopyOptions(), call) }
        )
        codes.append(code { () throws(CofferError) in _ = try storage.duplicate("a", call) })
        codes.append(code { () throws(CofferError) in _ = try storage.updateMetadata("a", patch, call) })
        codes.append(code { () throws(CofferError) in _ = try storage.probe(call) })
        #expect(codes.allSatisfy { $0 == .permissionDenied })
        #expect(backend.keys == ["a"])
        #expect(try storage.copy("a", to: "a", in: other, CopyOptions(), call).isNew)
    }

    @Test func gradesThatSettingsNeedAreCheckedAtTheStart() {
        func problem(_ missing: Set<Capability>, _ policy: StoragePolicy) -> String? {
            guard case .failed(let error) = makeStorage(TestBackend(without: missing), policy).state else { return nil }
            #expect(error.code == .configInvalid)
            return error.message
        }
        #expect(problem([], StoragePolicy()) == nil)
        let noCreate = problem([.createIfAbsent], StoragePolicy())
        for way in ["on_conflict: error", "writers: exclusive", "on_conflict: replace", "conditions: none"] {
            #expect(noCreate?.contains(way) == true)
        }
        #expect(noCreate?.contains("--probe") == false, "a probe can prove nothing that nobody sends")
        #expect(problem([.createIfAbsent], StoragePolicy(onConflict: .replace)) == nil)
        #expect(problem([.createIfAbsent], StoragePolicy(writers: .exclusive)) == nil)
        #expect(problem([.createIfAbsent], StoragePolicy(conditions: .none)) == nil)
        #expect(problem([.createIfAbsent], StoragePolicy(isReadOnly: true)) == nil)
        #expect(problem([.ifMatch], StoragePolicy(conditions: .required))?.contains("if_match") == true)
        #expect(problem([.atomicReplace], StoragePolicy())?.contains("atomic: best_effort") == true)
        #expect(problem([.atomicReplace], StoragePolicy(atomic: .bestEffort)) == nil)
    }

    @Test func whatMustNotBeEmulatedIsNot() throws {
        let backend = TestBackend(without: [.createIfAbsent, .readRange], mustNotEmulate: [.createIfAbsent])
        let policy = StoragePolicy(onConflict: .replace, writers: .exclusive)
        let storage = makeStorage(backend, policy)
        let entry = storage.description.capabilities[.createIfAbsent]
        #expect(entry.grade == .none && entry.reason?.contains("must not") == true)
        #expect(storage.description.capabilities[.readRange].grade == .emulated)
        #expect(code { () throws(CofferError) in try storage.put("a", "x", .error) } == .unsupported)
    }

    @Test func everyGradeThatIsNotNativeHasAReason() {
        for backend in [TestBackend(), TestBackend(without: Set(Capability.allCases).subtracting([.read]))] {
            let capabilities = makeStorage(backend, StoragePolicy(isReadOnly: true)).description.capabilities
            for capability in Capability.allCases {
                let entry = capabilities[capability]
                #expect((entry.grade == .native) == (entry.reason == nil), "\(capability)")
            }
        }
    }

    @Test func aProbeProvesConditionsAndOpensTheStorage() throws {
        let backend = ProbedBackend(TestBackend())
        let storage = Storage(name: "s", backendID: "s3", generation: 1) { options throws(CofferError) in
            EmulatedBackend(backend, options)
        }
        guard case .failed(let reason) = storage.state else {
            Issue.record("a store whose conditions are unproven is taken")
            return
        }
        #expect(reason.message.contains("--probe"))
        #expect(code { () throws(CofferError) in try storage.put("a", "1") } == .unavailable)
        let findings = try storage.probe(call)
        #expect(findings.map(\.capability) == [.createIfAbsent, .ifMatch, .removeIfMatch, .copyCondition])
        #expect(findings.allSatisfy(\.isProven) && storage.state == .open, "\(findings)")
        #expect(storage.description.capabilities[.createIfAbsent].grade == .native)
        try storage.put("a", "1")
        #expect(code { () throws(CofferError) in try storage.put("a", "1") } == .alreadyExists)
        #expect(backend.store.keys == ["a"])
        let next = Storage(name: "s", backendID: "s3", generation: 2, proven: storage.provenConditions) {
            options throws(CofferError) in
            EmulatedBackend(backend, options)
        }
        #expect(next.state == .open)
    }

    @Test func aStoreThatIgnoresConditionsIsSeenThrough() throws {
        let backend = ProbedBackend(TestBackend())
        backend.store.faults.ignoresConditions = true
        let storage = Storage(name: "s", backendID: "s3", generation: 1) { options throws(CofferError) in
            EmulatedBackend(backend, options)
        }
        #expect(try storage.probe(call).allSatisfy { $0.verdict == .ignored })
        #expect(storage.state != .open && backend.store.keys.isEmpty)
    }

    @Test func conditionsThatOnlySmallObjectsKeepAreSeenThrough() throws {
        let backend = ProbedBackend(TestBackend(limits: StoreLimits(preferredPart: 3 << 20)))
        backend.store.faults.ignoresConditionsOfParts = true
        let storage = Storage(name: "s", backendID: "s3", generation: 1) { options throws(CofferError) in
            EmulatedBackend(backend, options)
        }
        let findings = try storage.probe(call)
        #expect(findings.map(\.verdict) == [.ignored, .ignored, .kept, .kept], "\(findings)")
        #expect(storage.state != .open && backend.store.keys.isEmpty)
    }

    @Test func aProbeStrikesWhatAStoreOnlyClaims() throws {
        let backend = TestBackend()
        let storage = makeStorage(backend)
        backend.faults.ignoresConditions = true
        _ = try storage.probe(call)
        #expect(storage.description.capabilities[.ifMatch].grade == .none)
        let conditions = Conditions(ifMatch: .tokens(["x"]))
        #expect(code { () throws(CofferError) in try storage.put("a", "1", conditions: conditions) } == .unsupported)
        #expect(backend.keys.isEmpty)
    }
}

/// A store that can more than it says.
private final class ProbedBackend: Backend {
    let store: TestBackend
    let capabilities: Capabilities

    init(_ store: TestBackend) {
        self.store = store
        var capabilities = store.capabilities
        for condition in [Capability.createIfAbsent, .ifMatch, .removeIfMatch, .copyCondition] {
            capabilities[condition] = Capabilities.Entry(.none)
            capabilities.unproven.insert(condition)
        }
        self.capabilities = capabilities
    }

    var limits: StoreLimits { store.limits }
    func health(_ call: Call) throws(CofferError) -> [(name: String, value: String)] { try store.health(call) }
    func stat(_ request: ReadRequest, _ call: Call) throws(CofferError) -> ObjectInfo { try store.stat(request, call) }
    func openRead(_ request: ReadRequest, _ call: Call) throws(CofferError) -> ReadResult {
        try store.openRead(request, call)
    }
    func beginWrite(_ request: WriteRequest, _ call: Call) throws(CofferError) -> any WriteStream {
        try store.beginWrite(request, call)
    }
    func remove(_ request: RemoveRequest, _ call: Call) throws(CofferError) { try store.remove(request, call) }
    func removeBatch(_ requests: [RemoveRequest], _ call: Call) throws(CofferError) -> [CofferError?] {
        try store.removeBatch(requests, call)
    }
    func openList(_ query: ListQuery, _ call: Call) throws(CofferError) -> any ListStream {
        try store.openList(query, call)
    }
    func copy(_ request: CopyRequest, _ call: Call) throws(CofferError) -> ObjectInfo { try store.copy(request, call) }
    func move(_ request: CopyRequest, _ call: Call) throws(CofferError) -> ObjectInfo { try store.move(request, call) }
    func publicURL(of key: Key, _ call: Call) throws(CofferError) -> String { try store.publicURL(of: key, call) }
    func usage(_ call: Call) throws(CofferError) -> [(name: String, value: Int64)] { try store.usage(call) }
    func close() { store.close() }
}
