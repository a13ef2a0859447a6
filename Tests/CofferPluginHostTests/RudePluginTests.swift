// Plugins that break the rules: an error that names the rule, and a host that lives on.
import CofferBackend
import CofferModel
import CofferPluginHost
import CofferTestSupport
import Testing

@Suite struct RudePluginTests {
    @Test(arguments: [
        ("none", "the plugin gave no entry for k"),
        ("twice", "the plugin gave two entries for one object"),
        ("tiny", "the plugin gave an entry of no size"),
        ("size", "the plugin gave an entry that breaks the rules: the size is -5"),
        ("text", "the plugin gave an entry that breaks the rules: the etag is not UTF-8"),
        ("kind", "the plugin gave an entry that breaks the rules: the entry is of kind 77, not an object"),
        ("props", "the plugin gave an entry that breaks the rules: the array of properties has 9 elements"),
    ])
    func anEntryThatMakesNoSenseFailsTheCall(word: String, message: String) throws {
        try withTiny(misbehave: word) { store in
            let written = failure { try store.put("k", "hello") }
            #expect(written?.code == .pluginFailed && written?.message == message)
            #expect(written?.isMaybeApplied == true, "the plugin may have published before it spoke")
            let read = failure { try store.stat(ReadRequest(key: "k"), Call()) }
            #expect(read?.code == .pluginFailed && read?.message == message && read?.isMaybeApplied == false)
            #expect(failure { try store.get("k") }?.message == message)
        }
    }

    @Test(arguments: [
        ("got", "read gave 8 bytes into 7"),
        ("numbers", "read_open gave impossible numbers"),
        ("neither", "read_open gave neither a stream nor a descriptor"),
        ("range", "the plugin answers with the bytes 1..<11 of 10, which are not those that were asked for"),
        ("descriptor", "the plugin gave a descriptor that nobody asked for"),
        ("both", ""),
    ])
    func aReadThatMakesNoSenseFails(word: String, message: String) throws {
        try withTiny(misbehave: word) { store in
            try store.put("k", "0123456789")
            guard word != "both" else {
                let request = ReadRequest(key: "k", wantsDescriptor: true)
                #expect(
                    failure { try store.openRead(request, Call()) }?.message
                        == "read_open gave a stream and a descriptor"
                )
                return
            }
            let error = failure { try store.get("k") }
            #expect(error?.code == .pluginFailed && error?.message == message)
        }
    }

    @Test func aReadThatEndsTooSoonIsCorrupt() throws {
        try withTiny(misbehave: "short") { store in
            try store.put("k", "0123456789")
            let error = failure { try store.get("k") }
            #expect(error?.code == .corrupt)
            #expect(error?.message == "the store ended 5 bytes before the object did")
        }
    }

    @Test(arguments: [
        ("key", "the plugin listed a key that is not UTF-8"), ("empty", "the plugin listed a key of 0 bytes"),
        ("limit", "the plugin listed more entries than it was asked for"),
    ])
    func aListingThatMakesNoSenseFails(word: String, message: String) throws {
        try withTiny(misbehave: word) { store in
            for number in 0..<5 { try store.put(Key("k\(number)"), "x") }
            let stream = try store.openList(ListQuery(), Call())
            defer { stream.close() }
            var batch = ListBatch()
            let error = failure { try stream.next(into: &batch, limit: 3, Call()) }
            #expect(error?.code == .pluginFailed && error?.message == message)
            #expect(batch.count == 0 && batch.bytes.isEmpty, "nothing of it stays")
        }
    }

    @Test func otherRubbishIsNamedToo() throws {
        try withTiny(misbehave: "status") { store in
            let error = failure { try store.stat(ReadRequest(key: "k"), Call()) }
            #expect(error?.code == .pluginFailed)
            #expect(error?.message == "plugin failed: k (the plugin answered the unknown status 4711)")
        }
        try withTiny(misbehave: "stream") { store in
            #expect(failure { try store.put("k", "x") }?.message == "write_begin gave no stream")
        }
        try withTiny(misbehave: "usage") { store in
            #expect(failure { try store.usage(Call()) }?.code == nil, "minus nothing is nothing")
            try store.put("k", "x")
            #expect(
                failure { try store.usage(Call()) }?.message == "the plugin gave a usage that is no number: objects"
            )
        }
        try withTiny(misbehave: "batch") { store in
            let error = failure { try store.removeBatch([RemoveRequest(key: "k")], Call()) }
            #expect(error?.code == .pluginFailed)
        }
        try withTiny(misbehave: "long") { store in
            let error = failure { try store.stat(ReadRequest(key: "k"), Call()) }
            #expect(error?.code == .backendError)
        }
    }

    @Test func theWordsOfAPluginHideSecretsAndStayOnOneLine() throws {
        try withTinyRegistry { registry in
            let options = [("misbehave", "secret"), ("password", "hunter2")]
            let store = try registry.open("tiny", storageName: "s", options: options)
            defer { store.close() }
            let error = failure { try store.stat(ReadRequest(key: "k"), Call()) }
            #expect(error?.code == .unauthenticated)
            #expect(error?.message == "login with ******** failed ")
            #expect(error?.isRetryable == true && error?.isMaybeApplied == true && error?.retryAfter == 250)
            let refused = failure {
                try registry.open("tiny", storageName: "s", options: [("misbehave", "refuse"), ("password", "x1y2")])
            }
            #expect(refused?.code == .configInvalid && refused?.storage == "s")
            #expect(refused?.message == "password: ******** is not liked")
        }
    }

    @Test(arguments: [
        ("promise", "open promises containers, which the plugin does not declare"),
        ("nothing", "open gave no instance"),
    ])
    func anOpeningThatLiesIsRefused(word: String, message: String) throws {
        try withTinyRegistry { registry in
            let error = failure { try registry.open("tiny", storageName: "s", options: [("misbehave", word)]) }
            #expect(error?.code == .pluginFailed && error?.message == message)
        }
    }
}
