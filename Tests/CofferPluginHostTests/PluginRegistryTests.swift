// How plugins are found, listed and loaded.
import CofferBackend
import CofferModel
import CofferPluginHost
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

/// A manifest for the library `library` of the plugin `id`, as small as it may be and true of `bad.c`.
private func manifest(_ id: String, _ library: String, version: String = "1", extra: String = "") -> [UInt8] {
    #if arch(x86_64)
    let machine = "x86_64-linux-gnu"
    #else
    let machine = "aarch64-linux-gnu"
    #endif
    return Array(
        """
        {"manifest_version": 1, "id": "\(id)", "version": "\(version)", "abi": "1.0", "license": "0BSD",
         "description": "Does nothing.", "library": {"\(machine)": "\(library)"},
         "options": [{"name": "first", "type": "string"}, {"name": "number", "type": "int", "default": "1"}]\(extra)}
        """.utf8
    )
}

private func states(_ registry: PluginRegistry) -> [String] {
    registry.list().map {
        switch $0.state {
        case .found: "\($0.id) found"
        case .loaded: "\($0.id) loaded"
        case .failed(let reason): "\($0.id) failed: \(reason)"
        }
    }
}

@Suite struct PluginRegistryTests {
    @Test func aPluginIsListedWithoutRunningItAndLoadedByItsFirstStorage() throws {
        try withTemporaryDirectory { directory in
            try compilePlugin("bad.c", to: "\(directory)/libone.so", ["-DID=\"one\""])
            try write(manifest("one", "libone.so"), to: "\(directory)/one.backend.json")
            let registry = PluginRegistry(folders: ["/nowhere", directory])
            #expect(states(registry) == ["one found"])
            let listing = try #require(registry.list().first)
            #expect(listing.path == "\(directory)/libone.so" && listing.version == "1" && listing.license == "0BSD")
            #expect(listing.description == "Does nothing." && listing.options.map(\.name) == ["first", "number"])
            #expect(try registry.schema(of: "one").last?.type == "int")
            #expect(states(registry) == ["one found"], "a schema runs nothing")
            try registry.open("one", storageName: "s", options: [("number", "7")]).close()
            #expect(states(registry) == ["one loaded"])
            registry.shutDown()
        }
    }

    @Test func theFirstOfAnIDWinsAndTheOthersAreListed() throws {
        try withTemporaryDirectory { directory in
            for name in ["a", "b"] {
                mkdir("\(directory)/\(name)", 0o755)
                try compilePlugin("bad.c", to: "\(directory)/\(name)/x.so", ["-DID=\"same\""])
                try write(manifest("same", "x.so"), to: "\(directory)/\(name)/same.backend.json")
            }
            let registry = PluginRegistry(folders: ["\(directory)/a", "\(directory)/b", "\(directory)/a"])
            let second = "\(directory)/b/same.backend.json"
            #expect(
                states(registry)
                    == [
                        "same found",
                        "same failed: \(second): the id same is taken by \(directory)/a/same.backend.json",
                    ]
            )
            try registry.open("same", storageName: "s", options: []).close()
            #expect(registry.list().first?.state == .loaded)
        }
    }

    @Test func aBrokenManifestIsAnErrorOfItsOwn() throws {
        try withTemporaryDirectory { directory in
            try compilePlugin("bad.c", to: "\(directory)/good.so", ["-DID=\"good\""])
            try write(manifest("good", "good.so"), to: "\(directory)/good.backend.json")
            try write(Array("{".utf8), to: "\(directory)/broken.backend.json")
            try write(manifest("absent", "absent.so"), to: "\(directory)/absent.backend.json")
            try write(manifest("other", "good.so"), to: "\(directory)/other.backend.json")
            let registry = PluginRegistry(folders: [directory])
            #expect(registry.ids == ["absent", "broken", "good", "other"])
            #expect(states(registry)[1].hasPrefix("broken failed: \(directory)/broken.backend.json:1:"))
            let broken = failure { try registry.schema(of: "broken") }
            #expect(broken?.code == .pluginFailed)
            let absent = failure { try registry.open("absent", storageName: "s", options: []) }
            #expect(absent?.message == "\(directory)/absent.so: there is no such file" && absent?.storage == "s")
            let other = failure { try registry.open("other", storageName: "s", options: []) }
            #expect(other?.message == "\(directory)/good.so: the id is good, the manifest says other")
            try registry.open("good", storageName: "s", options: []).close()
            #expect(states(registry)[0] == "absent failed: \(directory)/absent.so: there is no such file")
        }
    }

    @Test func aPluginThatWasPutRightServes() throws {
        try withTemporaryDirectory { directory in
            try write(manifest("late", "late.so"), to: "\(directory)/late.backend.json")
            let registry = PluginRegistry(folders: [directory])
            #expect(failure { try registry.open("late", storageName: "s", options: []) }?.code == .pluginFailed)
            try compilePlugin("bad.c", to: "\(directory)/late.so", ["-DID=\"late\""])
            try registry.open("late", storageName: "s", options: []).close()
            #expect(states(registry) == ["late loaded"])
        }
    }

    @Test func aDeclaredLibraryNeedsNoManifest() throws {
        try withTemporaryDirectory { directory in
            try compilePlugin("bad.c", to: "\(directory)/x.so", ["-DID=\"declared\""])
            try write(manifest("declared", "x.so"), to: "\(directory)/declared.backend.json")
            let unnamed = PluginRegistry(folders: [directory], declared: [DeclaredPlugin(path: "\(directory)/x.so")])
            #expect(states(unnamed).first == "declared loaded")
            #expect(unnamed.list().count == 2, "the manifest lost to the entry and is listed")
            let named = PluginRegistry(
                folders: [],
                declared: [DeclaredPlugin(id: "declared", path: "\(directory)/x.so")]
            )
            #expect(states(named) == ["declared found"])
            #expect(try named.schema(of: "declared").map(\.name) == ["first", "number"])
            let wrong = PluginRegistry(folders: [], declared: [DeclaredPlugin(id: "wrong", path: "\(directory)/x.so")])
            #expect(
                failure { try wrong.open("wrong", storageName: "s", options: []) }?.message
                    == "\(directory)/x.so: its id is declared, it was declared as wrong"
            )
            let byManifest = PluginRegistry(
                folders: [],
                declared: [
                    DeclaredPlugin(
                        path: "\(directory)/declared.backend.json",
                        sha256: String(repeating: "0", count: 64)
                    )
                ]
            )
            #expect(states(byManifest) == ["declared found"])
            #expect(
                failure { try byManifest.open("declared", storageName: "s", options: []) }?.message
                    == "\(directory)/x.so: its SHA-256 is not the one in the configuration"
            )
            let missing = PluginRegistry(folders: [], declared: [DeclaredPlugin(path: "\(directory)/no.so")])
            #expect(states(missing) == ["no.so failed: \(directory)/no.so: there is no such file"])
        }
    }

    @Test func anUnknownIDNamesWhatIsKnownAndWhereItLooked() {
        let registry = PluginRegistry(folders: ["/nowhere"])
        let error = failure { try registry.open("s4", storageName: "s", options: []) }
        #expect(error?.code == .pluginFailed)
        #expect(error?.message == "there is no plugin s4; known: none; looked at: /nowhere")
    }

    @Test(arguments: [
        ([("nonsense", "1")], "there is no option nonsense"),
        ([("mode", "medium")], "mode is \"medium\", which is not one of soft, hard"),
        ([("buffer", "1")], "buffer is less than 1024"),
        ([("buffer", "1MiB"), ("buffer_size", "2MiB")], "the option buffer is given twice"),
    ])
    func anOptionThatDoesNotFitIsNamed(options: [(String, String)], message: String) throws {
        try withTinyRegistry { registry in
            let error = failure { try registry.open("tiny", storageName: "s", options: options) }
            #expect(error?.code == .configInvalid && error?.message == message)
        }
    }

    @Test func aPluginThatWaitsWakesWhenItsCallIsCancelled() throws {
        let call = Call()
        let events = PluginEvents(log: { line in if line.message == "waiting" { call.cancellation.cancel() } })
        try withTiny(misbehave: "wait", events: events) { store in
            #expect(failure { try store.health(call) }?.code == .cancelled)
        }
    }

    @Test func aPluginSpeaksToTheHostAndIsHeard() throws {
        let lines = Locked<[PluginEvents.Line]>([])
        let metrics = Locked<[PluginEvents.Metric]>([])
        let password = Locked("first")
        let events = PluginEvents(
            log: { line in lines.withLock { $0.append(line) } },
            metric: { metric in metrics.withLock { $0.append(metric) } }
        )
        try withTinyRegistry(events: events) { registry in
            let store = try registry.open(
                "tiny",
                storageName: "photos",
                options: [("password", "start")],
                liveOption: { name in name == "password" ? password.withLock { $0 } : nil }
            )
            defer { store.close() }
            let call = Call(stepTimeout: 1_000_000_000, trace: "00-abc")
            let health = try store.health(call)
            #expect(health.map(\.name) == ["state", "trace", "deadline", "cancel_fd"])
            #expect(health.map(\.value) == ["fine", "00-abc", "yes", "yes"])
            password.withLock { $0 = "second" }
            _ = try store.health(Call())
            let heard = lines.withLock { $0 }
            #expect(heard.map(\.message) == ["opened", "********", "nobody", "********", "nobody"])
            #expect(heard.map(\.storage) == ["photos", "photos", nil, "photos", nil])
            #expect(heard[1].level == .warning && heard[1].plugin.hasSuffix("/libtiny.so"))
            let number = try #require(metrics.withLock { $0.first })
            #expect(number.kind == .counter && number.name == "checks" && number.value == 1)
            #expect(number.labels.map(\.name) == ["kind"] && number.storage == "photos")
        }
    }
}
