// The port over a real plugin in C: what goes in comes out, and what cannot be honoured is refused.
import CofferBackend
import CofferModel
import CofferPluginHost
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

@Suite struct PluginBackendTests {
    @Test func whatIsWrittenIsRead() throws {
        try withTiny { store in
            let info = try store.put("a/b.txt", "hello, world", type: "text/plain")
            #expect(info.key == "a/b.txt" && info.size == 12 && info.etag == "g1")
            #expect(info.metadata.contentType == "text/plain")
            #expect(info.modified == Timestamp(nanoseconds: 1_700_000_000_000_000_000) && info.created == nil)
            #expect(try store.stat(ReadRequest(key: "a/b.txt"), Call()) == info)
            #expect(try store.get("a/b.txt") == "hello, world")
            try store.put("empty", "")
            #expect(try store.get("empty").isEmpty)
            #expect(try store.usage(Call()).first?.value == 2)
            #expect(try store.publicURL(of: "a/b.txt", Call()) == "https://tiny.example/a/b.txt")
        }
    }

    @Test(arguments: [
        (ByteRange.from(7), "world"), (.slice(offset: 0, length: 5), "hello"), (.suffix(5), "world"),
        (.slice(offset: 7, length: 500), "world"), (.suffix(500), "hello, world"),
    ])
    func aRangeGivesItsBytes(range: ByteRange, expected: String) throws {
        try withTiny { store in
            try store.put("k", "hello, world")
            #expect(try store.get("k", range) == expected)
        }
    }

    @Test func aRangePastTheEndIsInvalid() throws {
        try withTiny { store in
            try store.put("k", "hello")
            #expect(failure { try store.get("k", .from(5)) }?.code == .rangeInvalid)
            #expect(failure { try store.get("k", .from(-1)) }?.code == .invalidArgument)
        }
    }

    @Test func anAbsentObjectIsNotFoundAndNothingElse() throws {
        try withTiny { store in
            let error = failure { try store.stat(ReadRequest(key: "k"), Call()) }
            #expect(error?.code == .notFound && error?.key == "k" && error?.message == "no such object")
            #expect(failure { try store.get("k") }?.code == .notFound)
            try store.remove(RemoveRequest(key: "k"), Call())
            #expect(failure { try store.remove(RemoveRequest(key: "k", isStrict: true), Call()) }?.code == .notFound)
        }
    }

    @Test func aReadMayComeAsADescriptor() throws {
        try withTiny { store in
            try store.put("k", "hello, world")
            let request = ReadRequest(key: "k", range: .from(7), wantsDescriptor: true)
            let result = try store.openRead(request, Call())
            guard case .descriptor(let file) = result.body else {
                Issue.record("no descriptor came")
                return
            }
            #expect(result.range == 7..<12 && file.offset == 7 && file.isSeekable && file.isShareable)
            #expect(!file.isImmutable)
            var bytes = [UInt8](repeating: 0, count: 5)
            #expect(pread(file.file.number, &bytes, 5, 7) == 5)
            #expect(String(decoding: bytes, as: UTF8.self) == "world")
        }
    }

    @Test func aWriteMayTakeADescriptor() throws {
        try withTemporaryDirectory { directory in
            try write(Array("0123456789abcdef".utf8), to: "\(directory)/file")
            let file = Descriptor(owning: open("\(directory)/file", O_RDONLY | O_CLOEXEC))
            try withTiny { store in
                let stream = try store.beginWrite(WriteRequest(key: "k", attempt: "a"), Call())
                defer { stream.close() }
                #expect(try stream.ingest(file, offset: 2, length: 12, Call()))
                _ = try stream.commit([], Call())
                #expect(try store.get("k") == "23456789abcd")
                let past = try store.beginWrite(WriteRequest(key: "p", attempt: "a"), Call())
                defer { past.close() }
                #expect(failure { try past.ingest(file, offset: 10, length: 12, Call()) }?.code == .corrupt)
            }
            try withTiny(misbehave: "append") { store in
                let stream = try store.beginWrite(WriteRequest(key: "k", attempt: "a"), Call())
                defer { stream.close() }
                #expect(try !stream.ingest(file, offset: 0, length: 4, Call()))
            }
        }
    }

    @Test func aWriteWithoutCommitLeavesNothing() throws {
        try withTiny { store in
            let stream = try store.beginWrite(WriteRequest(key: "k", attempt: "a"), Call())
            try stream.append([1, 2, 3].span.bytes, Call())
            stream.close()
            stream.close()
            #expect(failure { try store.stat(ReadRequest(key: "k"), Call()) }?.code == .notFound)
            #expect(failure { try stream.commit([], Call()) }?.code == .invalidArgument)
        }
    }

    @Test func conditionsHoldOnWritesAndReads() throws {
        try withTiny { store in
            try store.put("k", "one", Conditions(ifNoneMatch: .any))
            #expect(failure { try store.put("k", "two", Conditions(ifNoneMatch: .any)) }?.code == .alreadyExists)
            let tokens = Conditions(ifMatch: .tokens(["g9", "g1", "g8"]))
            try store.put("k", "two", tokens)
            #expect(failure { try store.put("k", "three", tokens) }?.code == .preconditionFailed)
            #expect(
                failure { try store.put("k", "three", Conditions(ifMatch: .tokens(["*"]))) }?.code
                    == .preconditionFailed,
                "a token that is a star is no star"
            )
            #expect(try store.get("k", .all, Conditions(ifMatch: .any)) == "two")
            #expect(
                failure { try store.get("k", .all, Conditions(ifNoneMatch: .tokens(["x", "g2"]))) }?.code
                    == .notModified
            )
            #expect(try store.get("k", .all, Conditions(ifNoneMatch: .tokens(["x", "y"]))) == "two")
            #expect(
                failure { try store.put("k", "x", Conditions(ifNoneMatch: .tokens(["g2"]))) }?.code == .unsupported
            )
            #expect(
                failure { try store.remove(RemoveRequest(key: "k", ifMatch: .tokens(["g1"])), Call()) }?.code
                    == .preconditionFailed
            )
            try store.remove(RemoveRequest(key: "k", ifMatch: .tokens(["g1", "g2"])), Call())
            #expect(
                failure { try store.put("k", "x", Conditions(ifMatch: .any)) }?.code == .preconditionFailed
            )
        }
    }

    @Test func whatIsNotNativeIsRefusedBeforeThePluginIsAsked() throws {
        let caps = "-DCAPS=(COFFER_CAP_STAT|COFFER_CAP_READ|COFFER_CAP_WRITE|COFFER_CAP_REMOVE|COFFER_CAP_LIST)"
        try withTiny([caps]) { store in
            try store.put("k", "hello")
            let refused = [
                failure { try store.put("k", "x", Conditions(ifNoneMatch: .any)) },
                failure { try store.put("k", "x", Conditions(ifMatch: .tokens(["g1"]))) },
                failure { try store.get("k", .from(1)) },
                failure { try store.get("k", .all, Conditions(ifMatch: .any)) },
                failure { try store.stat(ReadRequest(key: "k", version: "1"), Call()) },
                failure { try store.remove(RemoveRequest(key: "k", ifMatch: .any), Call()) },
                failure { try store.openList(ListQuery(delimiter: "/"), Call()) },
                failure { try store.openList(ListQuery(startAfter: "a"), Call()) },
                failure { try store.copy(CopyRequest(from: "k", to: "l", attempt: "a"), Call()) },
                failure { try store.move(CopyRequest(from: "k", to: "l", attempt: "a"), Call()) },
                failure { try store.removeBatch([], Call()) },
                failure { try store.usage(Call()) },
                failure { try store.publicURL(of: "k", Call()) },
            ]
            #expect(refused.map { $0?.code } == Array(repeating: .unsupported, count: refused.count))
            #expect(refused[0]?.message == "the backend tiny has no create_if_absent")
            #expect(try store.get("k") == "hello")
        }
    }

    @Test func capabilitiesAreNativeOrSayWhyNot() throws {
        try withTiny { store in
            #expect(store.capabilities[.read] == Capabilities.Entry(.native))
            #expect(store.capabilities[.containers].reason == "the backend cannot do it")
            #expect(store.capabilities[.move].reason == "the backend says that it must not be emulated here")
            #expect(store.mustNotEmulate == [.move])
            #expect(store.limits == StoreLimits(objectSize: 1 << 30))
        }
    }

    @Test func manyAreRemovedWithOneAnswerEach() throws {
        try withTiny { store in
            try store.put("a", "1")
            try store.put("b", "2")
            let results = try store.removeBatch(
                [RemoveRequest(key: "a"), RemoveRequest(key: "b", ifMatch: .tokens(["g1"])), RemoveRequest(key: "c")],
                Call()
            )
            #expect(results.map { $0?.code } == [nil, .preconditionFailed, nil])
            #expect(results[1]?.key == "b")
        }
    }

    @Test func aCopyHoldsItsConditions() throws {
        try withTiny { store in
            try store.put("a", "one")
            let info = try store.copy(CopyRequest(from: "a", to: "b", attempt: "x"), Call())
            #expect(info.key == "b" && info.size == 3)
            let again = CopyRequest(from: "a", to: "b", conditions: Conditions(ifNoneMatch: .any), attempt: "x")
            #expect(failure { try store.copy(again, Call()) }?.code == .alreadyExists)
            let stale = CopyRequest(from: "a", sourceIfMatch: .tokens(["g7", "g8"]), to: "c", attempt: "x")
            #expect(failure { try store.copy(stale, Call()) }?.code == .preconditionFailed)
            #expect(
                failure { try store.copy(CopyRequest(from: "no", to: "c", attempt: "x"), Call()) }?.code == .notFound
            )
        }
    }

    @Test func aListingComesInPagesAndGoesOnWhereItStopped() throws {
        try withTiny { store in
            for number in 10..<35 { try store.put(Key("p/\(number)"), "x", type: "text/plain") }
            try store.put("q", "x")
            let stream = try store.openList(ListQuery(prefix: "p/"), Call())
            defer { stream.close() }
            var batch = ListBatch()
            #expect(try stream.next(into: &batch, limit: 10, Call()))
            #expect(batch.count == 10 && stream.resumeToken == "p/19")
            #expect(batch.key(at: 0) == "p/10" && batch.text(batch.records[9].contentType) == "text/plain")
            #expect(batch.text(batch.records[3].etag) == "g4" && batch.records[3].size == 1)
            let second = try store.openList(ListQuery(prefix: "p/", resumeToken: stream.resumeToken), Call())
            defer { second.close() }
            batch.removeAll()
            #expect(try !second.next(into: &batch, limit: 100, Call()))
            #expect(batch.count == 15 && batch.key(at: 0) == "p/20" && second.resumeToken == nil)
            let later = try store.openList(ListQuery(startAfter: "p/33"), Call())
            defer { later.close() }
            batch.removeAll()
            _ = try later.next(into: &batch, limit: 100, Call())
            #expect((0..<batch.count).map { batch.key(at: $0) } == ["p/34", "q"])
        }
    }

    @Test func keysAreBytes() throws {
        try withTiny { store in
            let keys: [Key] = ["\u{e9}", "e\u{301}", "日本", "a b%2F"]
            for key in keys { try store.put(key, key.text) }
            for key in keys { #expect(try store.get(key).utf8.elementsEqual(key.text.utf8)) }
            let stream = try store.openList(ListQuery(), Call())
            defer { stream.close() }
            var batch = ListBatch()
            _ = try stream.next(into: &batch, limit: 100, Call())
            #expect((0..<batch.count).map { batch.key(at: $0) } == keys.sorted())
        }
    }

    @Test func aCancelledCallDoesNotReachThePlugin() throws {
        try withTiny { store in
            let call = Call()
            call.cancellation.cancel()
            #expect(failure { try store.stat(ReadRequest(key: "k"), call) }?.code == .cancelled)
        }
    }
}
