// Which layer wins, for every key; what profiles, `extends` and `null` do.

import CofferProfile
import Testing

@Suite("Precedence")
struct PrecedenceTests {
    /// The layers of a text, the strongest first.
    private static let layers = [
        "profiles.p.storages.files", "storages.files", "profiles.p.backends.s3", "backends.s3",
        "profiles.p.defaults", "defaults",
    ]

    /// A document whose layers from `first` on set `key`, each to a word of its own.
    private func document(_ key: String, words: [String], from first: Int) -> String {
        func set(_ index: Int) -> String { index >= first ? "\(key): \(words[index])" : "" }
        func join(_ parts: String...) -> String { parts.filter { !$0.isEmpty }.joined(separator: ", ") }
        return """
            profile: p
            defaults: {\(join("backend: s3", "endpoint: 'https://x/'", set(5)))}
            backends: {s3: {\(set(3))}}
            storages: {files: {\(set(1))}}
            profiles:
              p:
                defaults: {\(set(4))}
                backends: {s3: {\(set(2))}}
                storages: {files: {\(set(0))}}
            """
    }

    @Test("a stronger layer wins for an option of the plugin", arguments: 0...6)
    func option(_ first: Int) throws {
        let words = (0..<6).map { "r\($0)" }
        let configuration = try resolve(document("region", words: words, from: first))
        #expect(configuration.option("region") == (first < 6 ? "r\(first)" : "us-east-1"))
        let layer = first < 6 ? Self.layers[first] : "default of the plugin"
        #expect(configuration.setting("region")?.origin.layerName == layer)
    }

    @Test("a stronger layer wins for a key of the host", arguments: 0...6)
    func hostKey(_ first: Int) throws {
        let words = (1...6).map { "\($0)s" }
        let configuration = try resolve(document("timeout", words: words, from: first))
        #expect(configuration.storage("files")?.settings.timeout == (first < 6 ? Int64(first + 1) * 1000 : 30_000))
        let layer = first < 6 ? Self.layers[first] : "default of the host"
        #expect(configuration.setting("timeout")?.origin.layerName == layer)
    }

    @Test func extendsChainsAndTheNearestProfileWins() throws {
        let text = """
            storages: {files: {backend: memory, size: 1MiB, timeout: 1s}}
            profiles:
              a: {storages: {files: {size: 2MiB, timeout: 2s, prefix: a}}}
              b: {extends: a, storages: {files: {size: 3MiB}}}
              c: {extends: b, storages: {files: {timeout: 4s}}}
            """
        let configuration = try resolve(text, profile: "c")
        #expect(configuration.option("size") == "\(3 << 20)")
        #expect(configuration.storage("files")?.settings.timeout == 4_000)
        #expect(configuration.storage("files")?.settings.prefix == "a/")
        #expect(configuration.setting("size")?.origin.layerName == "profiles.b.storages.files")
    }

    @Test func nullTakesAwayWhatTheSamePlaceSays() throws {
        let text = """
            defaults: {backend: memory, on_conflict: replace}
            storages: {files: {on_conflict: rename, url: 'https://a/'}, more: {}}
            profiles:
              p: {storages: {files: {on_conflict: null, url: ~}, more: {on_conflict: null}}}
            """
        let configuration = try resolve(text, profile: "p")
        #expect(configuration.value("on_conflict") == "replace")
        #expect(configuration.storage("files")?.settings.url == nil)
        // Where the place says nothing, what it would inherit goes.
        #expect(configuration.value("on_conflict", of: "more") == "error")
        #expect(
            configuration.setting("on_conflict", of: "more")?.note == "inherits nothing: null at /c/coffer.yaml:4:74"
        )
    }

    @Test func aProfileMayAddAndTakeAwayStorages() throws {
        let text = """
            defaults: {backend: memory}
            storages: {a: {}, b: , c: {}}
            profiles: {p: {storages: {b: null, d: {size: 2MiB}}}}
            """
        #expect(try resolve(text).storages.map(\.name) == ["a", "b", "c"])
        #expect(try resolve(text, profile: "p").storages.map(\.name) == ["a", "c", "d"])
        #expect(
            refusal(of: text.replacing("b: null", with: "x: null"), profile: "p") == [
                "3:27: error: no storage \"x\" to take away; "
                    + "write x: {} for a storage without settings of its own"
            ]
        )
    }

    @Test func inheritedParentsGetTheNameWithOneSlash() throws {
        for (parent, url) in [
            ("https://h", "https://h/files/"), ("https://h/", "https://h/files/"),
            ("https://h/a//", "https://h/a/files/"),
        ] {
            let text = "{defaults: {backend: local, root: /r//, url: '\(parent)'}, storages: {files: {}}}"
            let configuration = try resolve(text)
            #expect(configuration.storage("files")?.settings.url == url)
            #expect(configuration.option("root") == "/r/files")
            #expect(configuration.setting("root")?.note == "the storage's name is appended")
        }
        let own = try resolve("storages: {files: {backend: local, root: /r, url: 'https://h/x'}}")
        #expect(own.storage("files")?.settings.url == "https://h/x")
        #expect(own.option("root") == "/r")
        #expect(own.setting("root")?.note == nil)
        let query = "{defaults: {backend: memory, url: 'https://h/?a'}, storages: {files: {}}}"
        #expect(
            refusal(of: query) == [
                "1:35: error: \"url\" is inherited, so the storage's name is appended, and a query or fragment leaves "
                    + "no place for it; set \"url\" on the storage itself"
            ]
        )
    }

    @Test func theContainerIsTheNameUnlessSomethingSaysOtherwise() throws {
        let text = "storages: {files: {backend: s3, endpoint: 'https://x/'}}"
        let configuration = try resolve(text)
        #expect(configuration.option("container") == "files")
        #expect(configuration.setting("container")?.origin.description == "name of the storage")
        #expect(try resolve(text.replacing("/'", with: "/', container: c")).option("container") == "c")
    }

    @Test func anOldNameIsTakenWithAWarning() throws {
        let text = "storages: {files: {backend: s3, endpoint: 'https://x/', bucket: old}}"
        let configuration = try resolve(text)
        #expect(configuration.option("container") == "old")
        #expect(
            configuration.warnings.map(\.description) == [
                "/c/coffer.yaml:1:57: warning: \"bucket\" is the old name of \"container\"; write \"container\""
            ]
        )
        #expect(
            refusal(of: text.replacing("old}", with: "old, container: new}")).last
                == "1:57: error: \"bucket\" and \"container\" are the same option, and both are set; the other is on line 1"
        )
    }

    @Test func optionsReachOnlyBackendsThatDeclareThem() throws {
        let text = """
            defaults: {root: /r, size: 1MiB, durability: relaxed}
            storages: {a: {backend: local}, b: {backend: memory}}
            """
        let configuration = try resolve(text)
        #expect(configuration.storage("a")?.options.map(\.name) == ["root", "durability", "shards"])
        #expect(configuration.storage("b")?.options.map(\.name) == ["size"])
        #expect(configuration.option("durability", of: "a") == "relaxed")
        #expect(configuration.warnings.isEmpty)
    }

    @Test func anOpenBackendTakesWhatItDoesNotDeclare() throws {
        let text = """
            backends: {odd: {colour: "no"}}
            storages: {files: {backend: odd, token: t, list: [a, 1], map: {k: v}, n: 007}}
            """
        let configuration = try resolve(text)
        #expect(
            configuration.storage("files")?.options.map { "\($0.name)=\($0.value.unmasked)" }
                == ["token=t", #"list=["a","1"]"#, #"map={"k":"v"}"#, "n=007", "colour=no"]
        )
    }

    @Test func aStarAmongTheOptionsOpensABackend() throws {
        let star = BackendSchema(id: "star", options: [OptionSchema("*", .string), OptionSchema("timeout", .string)])
        let text = "storages: {files: {backend: star, any: thing, timeout: 1s}}"
        let configuration = try ConfigurationText.parse(Array(text.utf8), path: "/c/coffer.yaml", sources: world())
            .resolve(backends: [star])
        #expect(configuration.option("any") == "thing")
        #expect(configuration.option("timeout") == nil)
        #expect(configuration.storage("files")?.settings.timeout == 1_000)
        #expect(
            configuration.warnings.map(\.description) == [
                "warning: the option \"timeout\" of backend \"star\" is a key of the host, and the plugin does not get it"
            ]
        )
    }

    @Test func aWrongDefaultOfAPluginIsNamed() throws {
        let bad = BackendSchema(id: "bad", options: [OptionSchema("size", .size, default: "much")])
        let text = "storages: {files: {backend: bad}}"
        #expect(throws: ConfigurationError.self) {
            try ConfigurationText.parse(Array(text.utf8), path: "/c/coffer.yaml", sources: world()).resolve(backends: [
                bad
            ])
        }
    }

    @Test func aPluginThatCannotTellItsOptionsRefusesNoConfiguration() throws {
        let broken = BackendSchema(id: "local", options: [], isOpen: true)
        let text = "{defaults: {backend: local, root: /r}, storages: {files: {shards: 4}}}"
        let configuration = try ConfigurationText.parse(Array(text.utf8), path: "/c/coffer.yaml", sources: world())
            .resolve(backends: [broken])
        #expect(configuration.storages.map(\.name) == ["files"])
        #expect(configuration.option("shards") == "4")
    }
}
