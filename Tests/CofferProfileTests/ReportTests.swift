// What `config show`, `config check` and the reference print.

import CofferProfile
import Testing

@Suite("Reports")
struct ReportTests {
    private let text = """
        profile: p
        defaults: {backend: local, root: ./d}
        storages:
          files: {on_conflict: rename, part_size: 6MiB}
        profiles:
          p: {}
          q: {storages: {files: {backend: s3}}}
        """
    // The profile q only exists so that a storage on "local" may carry an option of "s3".
    private func configuration() throws -> Configuration { try resolve(text) }

    @Test func configShowAlignsKeyValueAndOrigin() throws {
        #expect(
            try configuration().report(storage: "files") == """
                storage files
                  backend       local       /c/coffer.yaml:2:21 (defaults)
                  url           -           default of the host
                  on_conflict   rename      /c/coffer.yaml:4:24 (storages.files)
                  accept        ALL         default of the host
                  deny          NONE        default of the host
                  max_size      -           default of the host
                  read_only     false       default of the host
                  prefix        ""          default of the host
                  checksum      sha256      default of the host
                  writers       shared      default of the host
                  atomic        required    default of the host
                  conditions    auto        default of the host
                  timeout       30s         default of the host
                  concurrency   -           default of the host
                  max_link_ttl  7d          default of the host
                  root          /c/d/files  /c/coffer.yaml:2:34 (defaults); the storage's name is appended
                  durability    full        default of the plugin
                  shards        0           default of the plugin
                  part_size     6MiB        /c/coffer.yaml:4:43 (storages.files); inactive: backend "local" has no such option

                """
        )
        #expect(try configuration().report(storage: "nope") == nil)
        let whole = try #require(try configuration().report())
        #expect(whole.hasPrefix("profile p (by /c/coffer.yaml:1:10)\ndefault storage files\n\nstorage files\n"))
    }

    @Test func configShowSpeaksJSON() throws {
        let json = try #require(try configuration().jsonReport(storage: "files"))
        #expect(
            json.hasPrefix(
                """
                {
                  "profile": "p",
                  "decided_by": "/c/coffer.yaml:1:10",
                  "default_storage": "files",
                  "storages": [
                    {
                      "name": "files",
                      "backend": "local",
                      "settings": [
                        {
                          "key": "backend",
                          "value": "local",
                          "secret": false,
                          "active": true,
                          "origin": {
                            "layer": "defaults",
                            "file": "/c/coffer.yaml",
                            "line": 2,
                            "column": 21
                          },
                          "note": null
                        },
                        {
                          "key": "url",
                          "value": null,
                """
            )
        )
        #expect(json.hasSuffix("  ]\n}\n"))
    }

    @Test func configCheckSaysOKOrCounts() throws {
        #expect(
            try configuration().checkReport == """
                /c/coffer.yaml:4:32: warning: "part_size" has no effect on the storage "files": backend "local" has no such option
                /c/coffer.yaml: ok, profile p, 1 storage

                """
        )
        do throws(ConfigurationError) {
            _ = try resolve("storages: {a: {backend: memory, size: x}, b: {backend: memory, size: y}}")
            Issue.record("not refused")
        } catch {
            #expect(
                error.checkReport == """
                    /c/coffer.yaml:1:39: error: "size" takes a size such as 5MiB, at least 1KiB, not "x"
                    /c/coffer.yaml:1:70: error: "size" takes a size such as 5MiB, at least 1KiB, not "y"
                    2 errors

                    """
            )
            #expect(
                error.jsonReport.contains(
                    "\"severity\": \"error\",\n      \"file\": \"/c/coffer.yaml\",\n      \"line\": 1,"
                )
            )
        }
    }

    @Test func theReferenceKnowsEveryKey() {
        let page = profileReference()
        for line in [
            "| `on_conflict` | `error`, `replace`, `rename` | `error` | storage, backend, defaults | What a write does",
            "| `backend` | id | – | storage, defaults | The kind of store.",
            "| `max_size` | size | – | storage, backend, defaults | The most bytes",
            "| `extends` | name | – | Another profile",
            "| `queue` | int | set by the host |",
            "| `IMAGES` | jpg, jpe, jpeg, png,",
        ] {
            #expect(page.contains(line))
        }
        #expect(page.hasPrefix("# Profiles\n"))
        #expect(!page.contains("\n\n\n"))
    }

    /// Every YAML example of the page, which an ellipsis would spoil.
    @Test func theExamplesOfTheReferenceAreTrue() throws {
        let blocks = profileReference().split(separator: "```yaml\n").dropFirst().compactMap { part in
            part.split(separator: "```", maxSplits: 1).first.map(String.init)
        }
        #expect(blocks.count == 4)
        let first = try resolve(blocks[0], profile: "production")
        #expect(first.option("root", of: "uploads") == "/srv/coffer/uploads")
        #expect(try resolve(blocks[0]).option("root", of: "uploads") == "/c/data/uploads")
        let base = "storages: {documents: {backend: memory}, pictures: {backend: memory}, archive: {backend: memory}}\n"
        #expect(try resolve(base + blocks[1]).access.count == 2)
        for line in blocks[2].split(separator: "\n") {
            #expect(try resolve(base + line).plugins.map(\.path) == ["/c/build/libmine.so"])
        }
        #expect(
            try resolve(base + blocks[3], profile: "trial").storages.map(\.name) == [
                "documents", "pictures", "scratch",
            ]
        )
    }
}
