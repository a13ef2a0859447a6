import CCofferPlugin
import CofferLoader
import CofferTestSupport
import Testing

@Suite struct ManifestTests {
    private let small = """
        {"manifest_version": 1, "id": "acme", "version": "2.1.0", "abi": "1.0", "license": "Apache-2.0",
         "library": {"\(Manifest.architecture)": "libacme.so"}, "isolation": "process", "capabilities": ["read"],
         "options": [{"name": "root", "type": "path", "required": true}]}
        """

    private func parsed(_ text: String) throws(LoadError) -> Manifest {
        try Manifest(parsing: Array(text.utf8), path: "m.json")
    }

    private func refusal(_ text: String) -> String? {
        do throws(LoadError) {
            _ = try parsed(text)
            return nil
        } catch {
            #expect(error.reason == .manifest)
            return error.description
        }
    }

    @Test func aManifestSaysWhatAPluginIs() throws {
        let manifest = try parsed(small)
        #expect(manifest.description.id == "acme")
        #expect(manifest.isolation == .process)
        #expect(manifest.description.capabilities.words == ["read"])
        #expect(manifest.description.options.first?.isRequired == true)
        #expect(try manifest.library(forManifestAt: "/opt/acme.backend.json") == "/opt/libacme.so")
        #expect(try parsed(String(decoding: manifest.json, as: UTF8.self)) == manifest)
    }

    @Test(arguments: [
        ("\"abi\"", "\"abj\"", "m.json: abi is missing"),
        ("\"license\"", "\"licence\"", "m.json: licence is not a member of a manifest"),
        ("\"manifest_version\": 1", "\"manifest_version\": 2", "m.json: its manifest_version is 2, not 1"),
        ("\"acme\"", "\"Acme\"", "m.json: its id \"Acme\" is not [a-z][a-z0-9-]{0,31}"),
        ("[\"read\"]", "[\"fly\"]", "m.json: it names an unknown capability"),
        ("\"path\"", "\"paths\"", "m.json: options[0].type is \"paths\", which is unknown"),
        ("true", "1", "m.json: options[0].required is an integer, not true or false"),
        ("\"process\"", "\"thread\"", "m.json: its isolation is \"thread\", not in_process or process"),
    ])
    func whatIsWrongIsNamed(what: String, with: String, message: String) {
        #expect(refusal(small.replacingFirst(what, with: with)) == message)
    }

    @Test func aTextThatIsNoJSONIsNamedByItsPlace() {
        #expect(refusal("{\n x")?.hasPrefix("m.json:2:2: ") == true)
    }

    @Test func theManifestOfALibraryIsWhatTheLibrarySays() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/tiny.so"
            try compilePlugin("tiny.c", to: path, ["-DID=\"tiny-inspected\""])
            let manifest = try Manifest.inspecting(path)
            #expect(manifest.libraries == [Manifest.architecture: "tiny.so"])
            #expect(manifest.digest?.utf8.count == 64)
            let options = manifest.description.options
            #expect(options.map(\.name) == ["misbehave", "password", "mode", "buffer"])
            #expect(options[1].isSecret && options[1].isLive)
            #expect(options[2].choices == ["soft", "hard"])
            #expect(options[3].maximum == 1 << 30 && options[3].deprecatedAlias == "buffer_size")
            let again = try Manifest(parsing: manifest.json, path: "m.json")
            #expect(again == manifest)
            #expect(try PluginLibrary.load(path, manifest: again).description == manifest.description)
        }
    }

    @Test func aLibraryThatSaysSomethingElseThanItsManifestIsRefused() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/tiny.so"
            try compilePlugin("tiny.c", to: path, ["-DID=\"tiny-differing\""])
            let honest = try Manifest.inspecting(path)
            func detail(_ change: (inout Manifest) -> Void) -> String? {
                var manifest = honest
                change(&manifest)
                do throws(LoadError) {
                    _ = try PluginLibrary.load(path, manifest: manifest)
                    return nil
                } catch {
                    return error.detail
                }
            }
            #expect(detail { _ in } == nil)
            #expect(
                detail { $0.description.version = "9" } == "the version is 1.2.3, the manifest says 9"
            )
            #expect(
                detail { $0.description.options.removeFirst() }
                    == "the option misbehave is missing in the manifest"
            )
            #expect(
                detail { $0.description.options[1].isSecret = false }
                    == "the option password is declared otherwise in the manifest"
            )
            #expect(
                detail { $0.description.options.append(PluginOption("more", .int)) }
                    == "the manifest has the option more, the library does not"
            )
            #expect(
                detail { $0.description.capabilities.insert(CapabilityBits(rawValue: COFFER_CAP_MOVE)) }
                    == "the manifest differs in the capabilities move"
            )
            #expect(
                detail { $0.digests = [Manifest.architecture: "00"] } == "its SHA-256 is not the one in the manifest"
            )
        }
    }

    @Test(arguments: [
        (PluginOption.Kind.size, "8MiB", "8388608"), (.size, "10", "10"), (.size, "1kB", "1000"),
        (.duration, "30s", "30000"), (.duration, "250", "250"), (.bool, "true", "true"), (.int, "-3", "-3"),
        (.url, "https://a.example/", "https://a.example/"), (.list, "[\"a\"]", "[\"a\"]"),
        (.map, "{\"a\":\"b\"}", "{\"a\":\"b\"}"), (.path, "/srv", "/srv"),
    ])
    func aValueIsBroughtIntoTheFormOfTheABI(kind: PluginOption.Kind, text: String, expected: String) throws {
        #expect(try PluginOption("x", kind).normalized(text) == expected)
    }

    @Test(arguments: [
        (PluginOption.Kind.size, "8 apples"), (.size, "99999999999TiB"), (.duration, "-1s"), (.bool, "yes"),
        (.int, "1.5"), (.url, "a.example"), (.list, "a"), (.map, "[1]"), (.path, "srv"), (.choice, "x"),
    ])
    func aValueThatDoesNotFitIsRefused(kind: PluginOption.Kind, text: String) {
        #expect(throws: PluginOption.Misfit.self) { try PluginOption("x", kind).normalized(text) }
    }

    @Test func aSecretIsNotInTheReason() {
        var option = PluginOption("pin", .int)
        option.isSecret = true
        do throws(PluginOption.Misfit) {
            _ = try option.normalized("hunter2")
            Issue.record("a text went for a number")
        } catch {
            #expect(error.reason == "pin is not a whole number")
        }
    }
}

extension String {
    /// This text with the first `part` replaced.
    fileprivate func replacingFirst(_ part: String, with other: String) -> String {
        var rest = self[...]
        var before = ""
        while let first = rest.first {
            if rest.hasPrefix(part) { return before + other + rest.dropFirst(part.count) }
            before.append(first)
            rest.removeFirst()
        }
        return before
    }
}
