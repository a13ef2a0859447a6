import CofferBackend
import CofferCrypto
import CofferModel
import CofferService
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

@Suite struct WritingTests {
    @Test func whatWasWrittenIsRead() throws {
        let storage = makeStorage()
        let outcome = try storage.put("a/b.txt", "hello")
        #expect(outcome.isNew && outcome.info.size == 5 && outcome.realKey == "a/b.txt")
        #expect(outcome.info.metadata.contentType == "text/plain")
        #expect(outcome.info.checksums == [Checksum(.sha256, hex(Digest.of(Array("hello".utf8))))])
        #expect(try storage.get("a/b.txt") == "hello")
        #expect(try storage.stat("a/b.txt", call).etag == outcome.info.etag)
    }

    @Test func anEmptyObjectIsAnObject() throws {
        let storage = makeStorage()
        #expect(try storage.write(PutRequest(key: "empty"), call).commit(call).info.size == 0)
        #expect(try storage.get("empty") == "")
        #expect(try storage.get("empty", .from(0)) == "")
    }

    @Test func nothingIsPublishedWithoutACommit() throws {
        let backend = TestBackend()
        let storage = makeStorage(backend)
        do {
            let writer = try storage.write(PutRequest(key: "a"), call)
            try writer.append(Array("half".utf8))
        }
        #expect(backend.keys.isEmpty && backend.state.withLock { $0.openStreams } == 0)
    }

    @Test func errorRefusesATakenKey() throws {
        let storage = makeStorage()
        try storage.put("a", "1")
        #expect(code { () throws(CofferError) in try storage.put("a", "2") } == .alreadyExists)
        #expect(try storage.get("a") == "1")
    }

    @Test func createOnlyByConditionLosesAsAPrecondition() throws {
        let storage = makeStorage()
        try storage.put("a", "1")
        let create = Conditions(ifNoneMatch: .any)
        let lost = failure { () throws(CofferError) in try storage.put("a", "2", .replace, conditions: create) }
        #expect(lost?.code == .preconditionFailed && lost?.storage == "files" && lost?.key == "a")
        #expect(try storage.put("b", "2", conditions: create).isNew)
    }

    @Test func aKeyLostBetweenBeginAndCommitIsLost() throws {
        let storage = makeStorage()
        let writer = try storage.write(PutRequest(key: "a"), call)
        try storage.put("a", "other")
        #expect(code { () throws(CofferError) in _ = try writer.commit(call) } == .alreadyExists)
        #expect(try storage.get("a") == "other")
    }

    @Test func replaceSaysWhetherTheObjectIsNew() throws {
        let storage = makeStorage()
        #expect(try storage.put("a", "1", .replace).isNew)
        #expect(try !storage.put("a", "2", .replace).isNew)
        #expect(try storage.get("a") == "2")
    }

    @Test func renameTakesTheNextFreeName() throws {
        let storage = makeStorage()
        let names = try (0..<4).map { _ in try storage.put("d/a.tar.gz", "x", .rename).realKey.text }
        #expect(names == ["d/a.tar.gz", "d/a.tar_1.gz", "d/a.tar_2.gz", "d/a.tar_3.gz"])
        #expect(try storage.put("d.x/noext", "x", .rename).realKey == "d.x/noext")
        #expect(try storage.put("d.x/noext", "x", .rename).realKey == "d.x/noext_1")
    }

    @Test func renameDrawsANameWhenAllNumbersAreTaken() throws {
        let backend = TestBackend()
        let storage = makeStorage(backend)
        backend.plant("a.txt")
        for number in 1...100 { backend.plant(Key("a_\(number).txt")) }
        let name = try storage.put("a.txt", "x", .rename).realKey.text
        #expect(name.hasPrefix("a_") && name.hasSuffix(".txt") && name.utf8.count == 13)
    }

    @Test func renamesAtOnceGetNamesOfTheirOwn() throws {
        let backend = TestBackend()
        let storage = makeStorage(backend)
        let names = Locked<Set<Key>>([])
        try onThreads(16) { index in
            guard let outcome = try? storage.put("a.txt", "body \(index)", .rename) else { return }
            names.withLock { _ = $0.insert(outcome.realKey) }
        }
        #expect(names.withLock { $0.count } == 16 && backend.keys.count == 16)
    }

    @Test func aNameLostDuringTheBodyIsMadeUpForFromWhatWasKept() throws {
        let backend = TestBackend()
        let storage = makeStorage(backend)
        let writer = try storage.write(PutRequest(key: "a.txt", onConflict: .rename), call)
        try writer.append(Array("mine".utf8))
        backend.plant("a.txt", Array("theirs".utf8))
        #expect(try writer.commit(call).realKey == "a_1.txt")
        #expect(backend.bytes("a_1.txt") == Array("mine".utf8) && backend.bytes("a.txt") == Array("theirs".utf8))
    }

    @Test func announcedSizesAreKept() throws {
        let backend = TestBackend()
        let storage = makeStorage(backend)
        func put(_ size: Int64, _ text: String) -> CofferError.Code? {
            code { () throws(CofferError) in try storage.put(PutRequest(key: "a", size: size), Array(text.utf8)) }
        }
        #expect(put(5, "1234") == .invalidArgument)
        #expect(put(3, "1234") == .invalidArgument)
        #expect(backend.keys.isEmpty)
        #expect(put(4, "1234") == nil)
    }

    @Test func announcedDigestsAreCompared() throws {
        let backend = TestBackend()
        let storage = makeStorage(backend)
        let bytes = Array("hello".utf8)
        for algorithm in [Digest.Algorithm.sha256, .sha512, .md5, .crc32c] {
            let right = Checksum(.init(rawValue: algorithm.rawValue), hex(Digest.of(bytes, algorithm)).uppercased())
            try storage.put(PutRequest(key: "right", onConflict: .replace, checksums: [right]), bytes)
            let other = Array("hallo".utf8)
            #expect(
                code { () throws(CofferError) in try storage.put(PutRequest(key: "wrong", checksums: [right]), other) }
                    == .checksumMismatch
            )
        }
        #expect(backend.keys == ["right"])
        let unknown = PutRequest(key: "x", checksums: [Checksum(.init(rawValue: "adler32"), "00")])
        #expect(code { () throws(CofferError) in _ = try storage.write(unknown, call) } == .unsupported)
    }

    @Test func digestsMayComeBehindTheBody() throws {
        let storage = makeStorage()
        let bytes = Array("hello".utf8)
        func put(_ key: Key, _ checksum: Checksum) throws(CofferError) {
            let writer = try storage.write(PutRequest(key: key, trailingAlgorithms: [.sha512]), call)
            try writer.append(bytes)
            try writer.expect(checksum)
            _ = try writer.commit(call)
        }
        try put("a", Checksum(.sha512, hex(Digest.of(bytes, .sha512))))
        try put("b", Checksum(.sha256, hex(Digest.of(bytes))))
        #expect(code { () throws(CofferError) in try put("c", Checksum(.sha512, "00")) } == .checksumMismatch)
        #expect(code { () throws(CofferError) in try put("d", Checksum(.md5, "00")) } == .unsupported)
        #expect(try storage.listing() == ["a", "b"])
    }

    @Test func aStoreThatKeepsNoDigestStillAnswersOne() throws {
        let storage = makeStorage(TestBackend(without: [.checksum]))
        #expect(try storage.put("a", "x").info.checksums.count == 1)
        #expect(try storage.stat("a", call).checksums.isEmpty)
        #expect(try makeStorage(TestBackend(), StoragePolicy(checksum: nil)).put("a", "x").info.checksums.isEmpty)
    }

    @Test func idempotencyKeysGiveTheFirstAnswer() throws {
        let backend = TestBackend()
        let storage = makeStorage(backend)
        let request = PutRequest(key: "a", idempotencyKey: "once")
        let first = try storage.put(request, [1])
        let again = try storage.put(request, [1])
        #expect(again.isReplayed && again.info == first.info && backend.state.withLock { $0.versions } == 1)
        let other = PutRequest(key: "b", idempotencyKey: "once")
        #expect(code { () throws(CofferError) in try storage.put(other, [1]) } == .invalidArgument)
    }

    @Test func aRunningIdempotentRequestAsksTheSecondToComeBack() throws {
        let storage = makeStorage()
        let request = PutRequest(key: "a", idempotencyKey: "once")
        let writer = try storage.write(request, call)
        let second = failure { () throws(CofferError) in _ = try storage.write(request, call) }
        #expect(second?.code == .unavailable && second?.isRetryable == true)
        writer.close()
        #expect(try !storage.put(request, [1]).isReplayed)
    }

    @Test func badMetadataIsRefusedBeforeAnyWrite() throws {
        let backend = TestBackend()
        let storage = makeStorage(backend)
        let bad: [[UserMetadata]] = [
            [UserMetadata("", "x")], [UserMetadata("a", "1"), UserMetadata("A", "2")],
            [UserMetadata("a", String(repeating: "x", count: 8 << 10))], [UserMetadata("a", "x\r\ny")],
            [UserMetadata("coffer-checksum", "x")], [UserMetadata("a b", "x")],
        ]
        for user in bad {
            let request = PutRequest(key: "a", metadata: Metadata(user: user))
            #expect(code { () throws(CofferError) in _ = try storage.write(request, call) } == .invalidArgument)
        }
        #expect(backend.state.withLock { $0.openStreams } == 0)
        let good = PutRequest(key: "a", metadata: Metadata(user: [UserMetadata("B", "é"), UserMetadata("a", "")]))
        #expect(try storage.put(good, []).info.metadata.user == [UserMetadata("a", ""), UserMetadata("b", "é")])
    }

    @Test func whatAStoreWouldDropIsRefused() throws {
        let storage = makeStorage(TestBackend(without: [.userMetadata, .contentProperties, .contentType]))
        for metadata in [Metadata(cacheControl: "no-store"), Metadata(user: [UserMetadata("a", "1")])] {
            let request = PutRequest(key: "a", metadata: metadata)
            #expect(code { () throws(CofferError) in _ = try storage.write(request, call) } == .unsupported)
        }
        try storage.put(PutRequest(key: "a.png", metadata: Metadata(contentType: "image/png")), [1])
        #expect(try storage.stat("a.png", call).metadata.contentType == "image/png")
        #expect(try storage.read(ReadRequest(key: "a.png"), call).info.metadata.contentType == "image/png")
    }

    @Test func filesAreTakenByDescriptor() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/file"
            let number = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            let file = Descriptor(owning: number)
            #expect(write(number, "0123456789", 10) == 10)
            for backend in [TestBackend(), TestBackend(with: [.writeIngest])] {
                let storage = makeStorage(backend)
                let writer = try storage.write(PutRequest(key: "a", size: 4), call)
                try writer.ingest(file, offset: 3, length: 4, call)
                let info = try writer.commit(call).info
                #expect(backend.bytes("a") == Array("3456".utf8))
                #expect(info.checksums == [Checksum(.sha256, hex(Digest.of(Array("3456".utf8))))])
                let short = try storage.write(PutRequest(key: "b"), call)
                #expect(
                    code { () throws(CofferError) in try short.ingest(file, offset: 8, length: 4, call) }
                        == .invalidArgument
                )
                #expect(backend.keys == ["a"])
            }
        }
    }

    @Test func aStoreThatLosesBytesIsCaught() throws {
        let backend = TestBackend()
        backend.faults.commit = CofferError(.noSpace, "full")
        let storage = makeStorage(backend)
        #expect(code { () throws(CofferError) in try storage.put("a", "x") } == .noSpace)
        #expect(backend.keys.isEmpty && backend.state.withLock { $0.openStreams } == 0)
    }

    @Test func keysAreRefusedBeforeAnyInputOrOutput() throws {
        let storage = makeStorage(TestBackend(limits: StoreLimits(keyLength: 10)))
        for key: Key in ["", "a//b", "/a", "a/", "../x", "a/./b", "a\u{0}b", "12345678901"] {
            #expect(code { () throws(CofferError) in try storage.put(key, "x") } == .invalidKey)
        }
    }

    @Test func generatedKeysKeepTheExtension() throws {
        let key = try Storage.generatedKey(filename: "My Photo.JPG", location: "in/2026").text
        #expect(key.hasPrefix("in/2026/") && key.hasSuffix(".jpg") && key.utf8.count == 8 + 36 + 4)
        #expect(try Storage.generatedKey(filename: nil).text.utf8.count == 36)
        #expect(try Storage.generatedKey(filename: ".profile").text.utf8.count == 36)
        #expect(
            code { () throws(CofferError) in _ = try Storage.generatedKey(filename: "a", location: "..") }
                == .invalidKey
        )
    }
}
