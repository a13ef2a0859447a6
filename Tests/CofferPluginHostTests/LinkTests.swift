// Links and containers over a real plugin in C: what goes in comes out, and nonsense goes no further.
import CofferBackend
import CofferModel
import CofferPluginHost
import CofferSystem
import CofferTestSupport
import Testing

@Suite struct LinkTests {
    @Test func aLinkCarriesAllThatItIsBoundTo() throws {
        try withTiny(["-DLINKS"]) { store in
            let before = WallClock.nanoseconds
            let read = try store.presign(
                PresignRequest(
                    method: .get,
                    key: "a/é.txt",
                    lifetime: 60,
                    contentType: "text/html",
                    filename: "b.html"
                ),
                Call()
            )
            let seconds = read.expiresAt.seconds
            #expect((before / 1_000_000_000 + 60...WallClock.nanoseconds / 1_000_000_000 + 60).contains(seconds))
            #expect(read.requiredHeaders.isEmpty)
            #expect(
                read.url
                    == "https://tiny.example/a/%C3%A9.txt?method=GET&expires=\(seconds)&signature=5ec2e7&filename=b.html&type=text/html"
            )
        }
    }

    @Test func anUploadSaysWhatToSend() throws {
        try withTiny(["-DLINKS"]) { store in
            let request = PresignRequest(method: .put, key: "a", lifetime: 60, contentType: "image/png", size: 5)
            let link = try store.presign(request, Call())
            #expect(link.url.hasPrefix("https://tiny.example/a?method=PUT&expires=\(link.expiresAt.seconds)"))
            #expect(link.requiredHeaders.map(\.name) == ["Content-Type", "Content-Length"])
            #expect(link.requiredHeaders.map(\.value) == ["image/png", "5"])
        }
    }

    @Test(arguments: [
        ("none", "the plugin gave a link without a URL"),
        ("expiry", "the plugin gave a link without its expiry"),
        ("url", "the plugin gave a link with two URLs, or one that is none"),
        ("time", "the plugin gave a link with an expiry that is no time"),
        ("header", "the plugin gave a link with a header that is none"),
    ])
    func aLinkThatMakesNoSenseFailsAndIsNotTold(word: String, message: String) throws {
        try withTiny(["-DLINKS"], misbehave: word) { store in
            let error = failure { try store.presign(PresignRequest(method: .get, key: "a", lifetime: 60), Call()) }
            #expect(error?.code == .pluginFailed && error?.message == message)
        }
    }

    @Test func aSecretInTheReasonIsMasked() throws {
        try withTiny(["-DLINKS"], misbehave: "leak") { store in
            let error = failure { try store.presign(PresignRequest(method: .get, key: "a", lifetime: 60), Call()) }
            #expect(error?.code == .unauthenticated && error?.message.contains("open sesame") == false)
        }
    }

    @Test func aPluginWithoutLinksIsNotAsked() throws {
        try withTiny { store in
            let error = failure { try store.presign(PresignRequest(method: .get, key: "a", lifetime: 60), Call()) }
            #expect(error?.code == .unsupported && error?.message == "the backend tiny has no presign")
            #expect(failure { try store.listContainers(Call()) }?.message == "the backend tiny has no containers")
        }
    }

    @Test func containersComeAndGo() throws {
        try withTiny(["-DLINKS"]) { store in
            try store.makeContainer("one", Call())
            try store.makeContainer("two", Call())
            #expect(failure { try store.makeContainer("one", Call()) }?.code == .alreadyExists)
            #expect(try store.listContainers(Call()).map(\.name) == ["two", "one"])
            #expect(try store.listContainers(Call()).first?.created?.seconds == 1_700_000_000)
            try store.removeContainer("one", Call())
            #expect(failure { try store.removeContainer("one", Call()) }?.code == .notFound)
        }
    }

    @Test(arguments: [
        ("kind", "the plugin gave, among its containers, an entry of kind 1"),
        ("empty", "the plugin gave, among its containers, a name that is empty, too long or not UTF-8"),
    ])
    func aListOfContainersThatMakesNoSenseFails(word: String, message: String) throws {
        try withTiny(["-DLINKS"], misbehave: word) { store in
            try store.makeContainer("one", Call())
            let error = failure { try store.listContainers(Call()) }
            #expect(error?.code == .pluginFailed && error?.message == message)
        }
    }

    @Test func aPluginThatTakesOneCallAtATimeSaysSo() throws {
        try withTiny(["-DTHREADS=COFFER_THREADS_SERIAL_INSTANCE"]) { store in #expect(store.isSerial) }
        try withTiny(["-DTHREADS=COFFER_THREADS_SERIAL_PLUGIN"]) { store in #expect(store.isSerial) }
        try withTiny { store in #expect(!store.isSerial) }
    }
}
