// Values that fit: every type in its normal form, references, secrets.

import CofferModel
import CofferProfile
import Testing

@Suite("Values")
struct ValueTests {
    private func option(_ key: String, _ text: String, variables: [String: String] = [:]) throws -> String? {
        let value = key == "endpoint" ? "" : "endpoint: 'https://x/', "
        let yaml = "storages: {files: {backend: s3, \(value)\(key): \(text)}}"
        return try resolve(yaml, variables: variables, files: ["/c/s": "from file\n", "/f": "5MiB\r\n"]).option(key)
    }

    static let sizes: [(text: String, bytes: String)] = [
        ("5MiB", "5242880"), ("6MB", "6000000"), ("1.5GiB", "1610612736"), ("5 MiB", "5242880"),
        ("6291456", "6291456"), ("6000kB", "6000000"), ("0.25tib", "274877906944"), ("'8MiB'", "8388608"),
        ("8388608B", "8388608"), ("7PiB", "7881299347898368"),
    ]

    @Test("a size becomes bytes", arguments: sizes)
    func size(_ text: String, _ bytes: String) throws {
        #expect(try option("part_size", text) == bytes)
    }

    static let durations: [(text: String, milliseconds: String)] = [
        ("30s", "30000"), ("250ms", "250"), ("5m", "300000"), ("2h", "7200000"), ("1d", "86400000"),
        ("1.5s", "1500"), ("1h30m", "5400000"), ("0", "0"), ("5 min", "300000"),
    ]

    @Test("a duration becomes milliseconds", arguments: durations)
    func duration(_ text: String, _ milliseconds: String) throws {
        #expect(try option("retry_for", text) == milliseconds)
    }

    @Test(
        "a bool becomes true or false",
        arguments: [
            ("true", "true"), ("YES", "true"), ("on", "true"), ("False", "false"), ("'no'", "false"), ("off", "false"),
        ]
    )
    func bool(_ text: String, _ normal: String) throws {
        #expect(try option("path_style", text) == normal)
    }

    @Test func listsAndMapsBecomeJSON() throws {
        #expect(try option("regions", "[a, 'b\"c', 1]") == #"["a","b\"c","1"]"#)
        #expect(try option("regions", "one") == #"["one"]"#)
        #expect(try option("regions", "[]") == "[]")
        #expect(try option("headers", "{A: b, C: 'd\\e'}") == #"{"A":"b","C":"d\\e"}"#)
        #expect(try option("regions", "['${env:R}x']", variables: ["R": "r"]) == #"["rx"]"#)
    }

    @Test(
        "a path becomes absolute",
        arguments: [
            ("./data", "/c/data"), ("data/", "/c/data"), ("/a/../b/./c//d", "/b/c/d"), ("../x", "/x"),
            ("~/d", "/home/u/d"),
            ("'${env:HOME}/d'", "/home/u/d"), ("'${env:NO:-./n}'", "/c/n"), ("..", "/"),
        ]
    )
    func path(_ text: String, _ absolute: String) throws {
        let yaml = "storages: {files: {backend: local, root: \(text)}}"
        #expect(try resolve(yaml, variables: ["HOME": "/home/u"]).option("root") == absolute)
    }

    @Test(
        "references are put in",
        arguments: [
            ("'${env:A}'", "value"), ("'x${env:A}y${env:A}'", "xvalueyvalue"), ("'${env:NO:-d}'", "d"),
            ("'${env:NO:-}'", ""),
            ("'${env:EMPTY:-d}'", "d"), ("'${env:EMPTY}'", ""), ("'$${env:A}'", "${env:A}"),
            ("'$$$${env:A}'", "$${env:A}"),
            ("'$$${env:A}'", "$value"), ("'a$b'", "a$b"), ("'$'", "$"), ("'${env:NO:-${env:A}}'", "value"),
            ("'${file:s}'", "from file"), ("'${file:/c/s}!'", "from file!"), ("'${file:${env:P}}'", "from file"),
            ("'${env:NO:-a:-b}'", "a:-b"),
        ]
    )
    func reference(_ text: String, _ value: String) throws {
        let variables = ["A": "value", "EMPTY": "", "P": "/c/s"]
        #expect(try option("region", text, variables: variables) == value)
    }

    @Test func whatAReferenceGivesIsNoReferenceAgain() throws {
        #expect(try option("region", "'${env:A}'", variables: ["A": "${env:B} $$"]) == "${env:B} $$")
    }

    @Test func aReferenceMayGiveAnyType() throws {
        #expect(try option("part_size", "'${file:/f}'") == "\(5 << 20)")
        #expect(try option("path_style", "'${env:P}'", variables: ["P": "yes"]) == "true")
    }

    @Test func fileTypesAreRead() throws {
        func rule(_ text: String) throws -> FileTypeRule? {
            try resolve("storages: {files: {backend: memory, accept: \(text)}}").storage("files")?.settings.accept
        }
        #expect(try rule("images") == FileTypeRule([.set(.images)]))
        #expect(
            try rule("[Images, .PDF, tgz, image/*, text/CSV]")
                == FileTypeRule([
                    .set(.images), .fileExtension("pdf"), .fileExtension("tgz"), .family("image"), .type("text/csv"),
                ])
        )
        #expect(
            try rule("{all_except: [EXECUTABLES, sh]}")
                == FileTypeRule([.set(.executables), .fileExtension("sh")], isAllExcept: true)
        )
        #expect(try rule("{all_except: scripts}")?.text == "{all_except: SCRIPTS}")
        #expect(try rule("NONE") == FileTypeRule.none)
        #expect(try resolve("storages: {files: {backend: memory}}").storage("files")?.settings.accept == .all)
        #expect(FileTypeRule([.set(.executables), .fileExtension("sh")]).extensions == ["so", "exe", "dll", "sh"])
    }

    @Test func everyKeyOfTheHostIsTyped() throws {
        let text = """
            storages:
              files:
                backend: memory
                url: https://h/x
                on_conflict: rename
                deny: exe
                max_size: 1GiB
                read_only: yes
                prefix: a/b
                checksum: crc32c
                writers: exclusive
                atomic: best_effort
                conditions: required
                timeout: 10s
                concurrency: 8
            """
        var expected = StorageSettings()
        expected.url = "https://h/x"
        expected.onConflict = .rename
        expected.deny = FileTypeRule([.fileExtension("exe")])
        expected.maxSize = 1 << 30
        expected.isReadOnly = true
        expected.prefix = "a/b/"
        expected.checksum = .crc32c
        expected.writers = .exclusive
        expected.atomic = .bestEffort
        expected.conditions = .required
        expected.timeout = 10_000
        expected.concurrency = 8
        #expect(try resolve(text).storage("files")?.settings == expected)
        #expect(try resolve("storages: {files: {backend: memory}}").storage("files")?.settings == StorageSettings())
    }
}

@Suite("Secrets")
struct SecretTests {
    private let text = """
        backends: {s3: {secret_key: '${file:/s}', access_key: plain-hush}}
        storages: {files: {backend: s3, endpoint: 'https://user:hush@x/'}}
        """

    @Test func secretsAreNeverShown() throws {
        let configuration = try resolve(text, files: ["/s": "hush-hush\n"])
        #expect(configuration.option("secret_key") == "hush-hush")
        #expect(configuration.option("access_key") == "plain-hush")
        var dumped = ""
        dump(configuration, to: &dumped)
        let report = try #require(configuration.report())
        let json = try #require(configuration.jsonReport())
        for shown in [dumped, "\(configuration)", String(reflecting: configuration), report, json] {
            #expect(!shown.contains("hush"))
        }
        #expect(configuration.value("endpoint") == "https://user:********@x/")
    }

    @Test func aWrongSecretIsNotShownEither() {
        let schema = BackendSchema(
            id: "strict",
            options: [
                OptionSchema("pin", .int, isSecret: true),
                OptionSchema("mode", .enum, isSecret: true, choices: ["a", "b"]),
            ]
        )
        let yaml = "storages: {files: {backend: strict, pin: hush, mode: '${env:M}'}}"
        let found = Result {
            try ConfigurationText.parse(Array(yaml.utf8), path: "/c/coffer.yaml", sources: world(["M": "hush"]))
                .resolve(backends: [schema])
        }
        guard case .failure(let error as ConfigurationError) = found else { return #expect(Bool(false), "not refused") }
        #expect(
            "\(error)" == """
                /c/coffer.yaml:1:42: error: "pin" takes a whole number
                /c/coffer.yaml:1:54: error: "mode" takes a or b
                """
        )
        #expect(
            error.summary
                == CofferError(.configInvalid, "/c/coffer.yaml:1:42: \"pin\" takes a whole number (and 1 more)")
        )
    }

    @Test func aLiveSecretIsReadAfresh() throws {
        let configuration = try resolve(text, files: ["/s": "old\n"])
        let live = try #require(configuration.storage("files")?.options.first { $0.name == "secret_key" }?.live)
        #expect(try live.read(from: world(files: ["/s": "new\n"])) == "new")
        #expect("\(live)" == "live value of secret_key")
        #expect(throws: CofferError(.configInvalid, "the file \"/s\" cannot be read: no such file")) {
            try live.read(from: world())
        }
        // What is written out needs no second look.
        #expect(configuration.storage("files")?.options.first { $0.name == "access_key" }?.live == nil)
    }

    @Test func eachVariableAndFileIsReadOnce() throws {
        let text = "defaults: {backend: s3, secret_key: '${file:/s}', endpoint: 'https://x/'}\nstorages: {a: {}, b: {}}"
        let configuration = try resolve(text, files: ["/s": "hush"])
        #expect(configuration.referencedFiles == ["/s"])
    }
}
