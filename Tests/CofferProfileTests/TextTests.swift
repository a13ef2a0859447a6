// How YAML becomes a tree: anchors, merge keys, scalars, includes, limits.

import CofferProfile
import CofferTestSupport
import Testing

@Suite("The text")
struct TextTests {
    @Test func anEmptyTextIsAConfigurationWithoutStorages() throws {
        for text in ["", "\n", "# nothing\n", "---\n", "{}", "storages: {}", "null", "\u{FEFF}"] {
            let configuration = try resolve(text)
            #expect(configuration.storages.isEmpty)
            #expect(configuration.defaultStorage == nil)
            #expect(configuration.activeProfile == nil)
            #expect(configuration.decidedBy == .nobody)
            #expect(configuration.warnings.map(\.message) == ["no storage is configured"])
        }
    }

    @Test func anchorsAndMergeKeysWork() throws {
        let text = """
            storages:
              a: &base {backend: memory, size: 2MiB, timeout: 1s}
              b: &other {backend: memory, size: 3MiB, prefix: b}
              c: {<<: *base, timeout: 2s}
              d: {timeout: 3s, <<: [*base, *other]}
              e: *other
              f: {backend: memory, "<<": 1}
            """
        #expect(refusal(of: text).map { $0.prefix(32) } == ["7:24: error: unknown key \"<<\" in"])
        let configuration = try resolve(text.replacing(", \"<<\": 1", with: ""))
        let sizes = [2, 3, 2, 2, 3, 64].map { "\($0 << 20)" }
        #expect(configuration.storages.map { $0.options[0].value.unmasked } == sizes)
        #expect(configuration.storages.map(\.settings.timeout) == [1_000, 30_000, 2_000, 3_000, 30_000, 30_000])
        #expect(configuration.storage("d")?.settings.prefix == "b/")
        #expect(configuration.setting("size", of: "c")?.origin.mark?.description == "/c/coffer.yaml:2:36")
    }

    @Test func quotedTextIsNeverNothing() throws {
        let text = """
            storages:
              files: {backend: s3, endpoint: 'https://x/', region: "null", access_key: "~", secret_key: ""}
            """
        let configuration = try resolve(text)
        #expect(configuration.option("region") == "null")
        #expect(configuration.option("access_key") == "~")
        #expect(configuration.option("secret_key") == "")
    }

    @Test(
        "plain words stay the words they are",
        arguments: ["no", "off", "0x1F", "1e3", "12:30", "2026-01-01", ".5", "0o7", "1_0"]
    )
    func plainWord(_ word: String) throws {
        let text = "storages: {files: {backend: s3, endpoint: 'https://x/', region: \(word)}}"
        #expect(try resolve(text).option("region") == word)
    }

    @Test func everyDuplicateKeyIsNamed() {
        let text = """
            storages:
              files: {backend: memory, size: 1MiB, size: 2MiB}
            defaults: {}
            defaults: {}
            """
        #expect(
            refusal(of: text) == [
                "2:40: error: the key \"size\" is written twice, first on line 2",
                "4:1: error: the key \"defaults\" is written twice, first on line 3",
            ]
        )
    }

    @Test func aTextThatIsNotUTF8IsRefusedAtTheByte() {
        let bytes = Array("a: é\nb: x".utf8) + [0xC3, 0x28]
        let text = Result { try ConfigurationText.parse(bytes, path: "/c/coffer.yaml", sources: world()) }
        #expect(throws: ConfigurationError.self) { try text.get() }
        guard case .failure(let error) = text else { return }
        #expect("\(error)" == "/c/coffer.yaml:2:5: error: the text is not UTF-8")
        let wide: [UInt8] = [0xFF, 0xFE, 0x61, 0x00]
        let other = Result { try ConfigurationText.parse(wide, path: "/c/coffer.yaml", sources: world()) }
        guard case .failure(let error) = other else { return }
        #expect("\(error)" == "/c/coffer.yaml:1:1: error: the text is UTF-16; write it as UTF-8")
    }

    @Test func aBillionLaughsAreRefused() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for i in 1...12 {
            text += "a\(i): &a\(i) [\(Array(repeating: "*a\(i - 1)", count: 9).joined(separator: ", "))]\n"
        }
        #expect(
            refusal(of: text) == ["6:15: error: more than 200000 values, aliases counted as often as they are used"]
        )
    }

    @Test func depthIsLimited() {
        let text = "a: " + String(repeating: "[", count: 2_000) + String(repeating: "]", count: 2_000)
        #expect(refusal(of: text) == ["1:68: error: more than 64 levels deep"])
    }

    @Test func sizeIsLimited() {
        let text = "# " + String(repeating: "x", count: 5 << 20)
        #expect(refusal(of: text) == ["1:1: error: more than 4194304 bytes"])
    }

    @Test func includedFilesLieUnderTheIncludingOne() throws {
        let files = [
            "/c/a.yaml": "storages: {one: {backend: memory, size: 1MiB, prefix: a}}\nwatch: true\n",
            "/c/sub/b.yaml": "include: c.yaml\nstorages: {one: {size: 2MiB}, two: {backend: local, root: ./r}}\n",
            "/c/sub/c.yaml": "storages: {three: {backend: memory}}\n",
        ]
        let text = "include: [a.yaml, ./sub/b.yaml]\nstorages: {one: {timeout: 1s}}\n"
        let configuration = try resolve(text, files: files)
        #expect(configuration.storages.map(\.name) == ["one", "three", "two"])
        #expect(configuration.option("size", of: "one") == "\(2 << 20)")
        #expect(configuration.storage("one")?.settings.prefix == "a/")
        #expect(configuration.storage("one")?.settings.timeout == 1_000)
        #expect(configuration.setting("size", of: "one")?.origin.description == "/c/sub/b.yaml:2:24 (storages.one)")
        // A relative path starts where it is written.
        #expect(configuration.option("root", of: "two") == "/c/sub/r")
        #expect(configuration.watch)
        #expect(configuration.files == ["/c/coffer.yaml", "/c/a.yaml", "/c/sub/b.yaml", "/c/sub/c.yaml"])
    }

    @Test func anIncludedFileCannotIncludeItself() {
        let files = ["/c/a.yaml": "include: b.yaml", "/c/b.yaml": "include: [../c/a.yaml]"]
        #expect(
            refusal(of: "include: a.yaml", files: files) == [
                "/c/b.yaml:1:11: error: \"/c/a.yaml\" includes itself: /c/a.yaml → /c/b.yaml → /c/a.yaml"
            ]
        )
    }

    @Test func errorsInAnIncludedFileNameIt() {
        let files = ["/c/a.yaml": "\n\nstorages: {files: {backend: memory, siez: 1}}"]
        #expect(
            refusal(of: "include: a.yaml", files: files) == [
                "/c/a.yaml:3:37: error: unknown key \"siez\" in storages.files, expected \(storageKeys) or size; "
                    + "did you mean \"size\"?"
            ]
        )
    }

    @Test func realFilesAreRead() throws {
        try withTemporaryDirectory { directory in
            let sources = ConfigurationSources(variable: { _ in nil })
            let missing = Result { try ConfigurationText.read("\(directory)/x.yaml", sources: sources) }
            guard case .failure(let error) = missing else { return #expect(Bool(false), "a file that is not there") }
            #expect("\(error)" == "error: the file \"\(directory)/x.yaml\" cannot be read: no such file")
            let folder = Result { try ConfigurationText.read(directory, sources: sources) }
            guard case .failure(let error) = folder else { return #expect(Bool(false), "a folder is no file") }
            #expect("\(error)" == "error: the file \"\(directory)\" cannot be read: not a regular file")
        }
    }
}
