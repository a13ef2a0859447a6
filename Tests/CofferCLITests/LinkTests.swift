import CofferTestSupport
import Testing

@Suite("Links and containers by command")
struct LinkTests {
    private func check(_ transcripts: Transcript...) throws {
        try withTemporaryDirectory { folder in
            try compilePlugin("tiny.c", to: "\(folder)/tiny.so", ["-DLINKS"])
            let configuration = """
                plugins:
                  tiny: \(folder)/tiny.so
                  memory: \(HostProcess.buildFolder)/libcoffer-memory.so
                storages:
                  files: { backend: tiny, create: true, container: bucket, on_conflict: replace }
                  plain: { backend: memory }

                """
            try withHost(configuration) { host in
                for transcript in transcripts { try transcript.check(in: host.folder, socket: host.socket) }
            }
        }
    }

    @Test func aLinkIsPrintedAlone() throws {
        try check(
            Transcript("coffer link a/b.txt", 0, "https://tiny.example/a/b.txt?method=GET&expires=…&signature=5ec2e7"),
            Transcript("coffer link --delete files:a", 0, "https://tiny.example/a?method=DELETE&…"),
            Transcript(
                "coffer link --filename x.txt -t text/plain a",
                0,
                "https://tiny.example/a?method=GET&…&filename=x.txt&type=text/plain"
            ),
            Transcript(
                "coffer link --upload --size 3 --expires 5m --json a b | cut -d, -f2-4",
                0,
                """
                "method":"PUT","required_headers":{"Content-Type":"application/octet-stream","Content-Length":"3"}
                "method":"PUT","required_headers":{"Content-Type":"application/octet-stream","Content-Length":"3"}
                """
            )
        )
    }

    @Test func aLinkThatMayNotBeSaysWhy() throws {
        try check(
            Transcript(
                "coffer link --expires 8d a",
                2,
                "coffer: files:a: expires_in must be 1 to 604800 seconds, which is max_link_ttl, not 691200 (invalid_argument)"
            ),
            Transcript("coffer link --expires 0s a", 2, "coffer: files:a: … not 0 (invalid_argument)"),
            Transcript(
                "coffer link --expires soon a",
                2,
                "coffer: link: --expires wants a time such as 90s, 15m, 1h or 7d, not soon\ntry: coffer link --help"
            ),
            Transcript(
                "coffer link --upload --delete a",
                2,
                "coffer: link: --upload and --delete exclude each other\ntry: coffer link --help"
            ),
            Transcript(
                "coffer link plain:a",
                1,
                "coffer: plain:a: storage plain makes no links: the store cannot (unsupported)"
            ),
            Transcript("coffer link --size big a", 2, "coffer: link: --size wants…\ntry: coffer link --help")
        )
    }

    @Test func containersComeAndGo() throws {
        try check(
            Transcript("coffer containers list", 0, "bucket  2023-11-14T22:13:20Z"),
            Transcript("coffer containers create files:logs", 0, "made files:logs"),
            Transcript(
                "coffer containers create logs",
                4,
                "coffer: files:logs: there is such a container (already_exists)"
            ),
            Transcript(
                "coffer containers list --json files",
                0,
                #"{"containers":[{"name":"bucket","created":"2023-11-14T22:13:20Z"},{"name":"logs","created":…}]}"#
            ),
            Transcript("coffer containers remove logs", 0, "removed files:logs"),
            Transcript("coffer containers remove logs", 3, "coffer: files:logs: no such container (not_found)"),
            Transcript(
                "echo x | coffer put - a; coffer containers remove bucket",
                1,
                "- -> files:a (2 B)\ncoffer: files:bucket: the container holds objects (not_empty)"
            ),
            Transcript(
                "coffer containers list plain",
                1,
                "coffer: plain: storage plain has no containers: the store cannot (unsupported)"
            ),
            Transcript("coffer containers", 2, "coffer: containers: which of list, create, remove?\ntry: coffer --help")
        )
    }

    @Test func whatAProbeFoundIsShown() throws {
        try check(
            Transcript(
                "coffer storages plain --probe | tail -5",
                0,
                """
                what the last probe found:
                  create_if_absent  kept  a second create was refused
                  if_match          kept  a write over another version was refused
                  remove_if_match   kept  a removal of another version was refused
                  copy_condition    kept  a copy against its condition was refused
                """
            )
        )
    }
}
