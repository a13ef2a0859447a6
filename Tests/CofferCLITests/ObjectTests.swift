import CofferTestSupport
import Testing

@Suite("The commands do what they say", .timeLimit(.minutes(10)))
struct ObjectTests {
    private static let configuration = """
        storages:
          files: { backend: memory, url: https://files.example/ }
          cache: { backend: memory }
        profiles: { calm: {}, busy: { extends: calm } }
        profile: calm
        """

    private func check(_ transcripts: Transcript...) throws {
        try withHost(Self.configuration) { host in
            for transcript in transcripts { try transcript.check(in: host.folder, socket: host.socket) }
        }
    }

    @Test func whatIsPutComesBack() throws {
        try check(
            Transcript("printf hello > a.txt; coffer put a.txt files:x/", 0, "a.txt -> files:x/a.txt (5 B)"),
            Transcript("printf one | coffer put - new.bin", 0, "- -> files:new.bin (3 B)"),
            Transcript("coffer cat x/a.txt", 0, "hello"),
            Transcript("coffer cat --range 1-2 x/a.txt new.bin", 0, "elne"),
            Transcript(
                "coffer get x/a.txt back && cmp a.txt back && ls -A .coffer-* 2>/dev/null",
                2,
                "files:x/a.txt -> back (5 B)"
            ),
            Transcript("coffer get x/a.txt --if-absent back", 4, "coffer: back: back: file exists (already_exists)"),
            Transcript("coffer ls", 0, "new.bin\nx/"),
            Transcript("coffer ls -R files:", 0, "new.bin\nx/a.txt"),
            Transcript("coffer ls -l x/", 0, "             5  …Z  x/a.txt"),
            Transcript("coffer ls --json x/", 0, #"{"storage":"files","backend":"memory","key":"x/a.txt","size":5,…}"#),
            Transcript("coffer url x/a.txt", 0, "https://files.example/x/a.txt")
        )
    }

    @Test func aTakenKeyFollowsTheRule() throws {
        try check(
            Transcript("printf 1 > f; coffer put f k", 0, "f -> files:k (1 B)"),
            Transcript("coffer put --if-absent f k", 4, "coffer: files:k: … (already_exists)"),
            Transcript("printf 22 > f; coffer put --replace f k", 0, "f -> files:k (2 B)"),
            Transcript("coffer put --rename f k", 0, "f -> files:k… (2 B)")
        )
    }

    @Test func treesGoThereAndBack() throws {
        try check(
            Transcript(
                "mkdir -p t/sub; printf a > t/a; printf b > t/sub/b; coffer put t files:in/",
                2,
                "coffer: put: t is a directory; -r stores it\ntry: coffer put --help"
            ),
            Transcript("coffer put -r t files:in/", 0, "t/a -> files:in/t/a (1 B)\nt/sub/b -> files:in/t/sub/b (1 B)"),
            Transcript(
                "coffer get -r in/t out && diff -r t out",
                0,
                "files:in/t/a -> out/a (1 B)\nfiles:in/t/sub/b -> out/sub/b (1 B)"
            ),
            Transcript("coffer rm -rn in/t", 0, "would delete files:in/t/a\nwould delete files:in/t/sub/b"),
            Transcript("coffer rm -r in/t", 0, "deleted 2 objects below files:in/t"),
            Transcript("coffer ls -R")
        )
    }

    @Test func objectsMoveBetweenStorages() throws {
        try check(
            Transcript("printf x | coffer put - a", 0, "- -> files:a (1 B)"),
            Transcript("coffer cp a cache:", 0, "files:a -> cache:a"),
            Transcript("coffer mv cache:a b", 0, "cache:a -> files:b"),
            Transcript("coffer cat cache:a", 3, "coffer: cache:a: … (not_found)"),
            Transcript("coffer dup b", 0, "files:b -> files:…"),
            Transcript("coffer rm a b missing"),
            Transcript("coffer cat b none:x", 3, "coffer: files:b: … (not_found)\ncoffer: none:x: … (not_found)")
        )
    }

    @Test func theFirstLinesAreTheFirstLines() throws {
        try check(
            Transcript("seq 20 | coffer put - n", 0, "- -> files:n (51 B)"),
            Transcript("coffer head -n 2 n", 0, "1\n2"),
            Transcript("coffer head n | tail -n 1", 0, "10"),
            Transcript("coffer head -c 3 n", 0, "1\n2"),
            Transcript("coffer put /dev/null e && coffer head -c 3 e && coffer head e", 0, "/dev/null -> files:e (0 B)")
        )
    }

    @Test func theHostTellsOfItself() throws {
        try check(
            Transcript("coffer health", 0, "ok\n  files  memory  open\n  cache  memory  open"),
            Transcript("coffer version", 0, "coffer …\ncofferd … (api v1, abi …) at …"),
            Transcript("coffer profile show", 0, "calm"),
            Transcript("coffer profile use busy", 0, "busy is active (generation 2)"),
            Transcript("coffer profile list", 0, "   calm\n*  busy…decided by …"),
            Transcript("coffer profile use nope", 3, "coffer: nope: … (not_found)"),
            Transcript("coffer storages nope", 3, "coffer: nope: … (not_found)"),
            Transcript(
                "coffer storages | head -n 2",
                0,
                "   NAME   BACKEND  STATE  URL\n*  files  memory   open   https://files.example/"
            ),
            Transcript("coffer plugin list | head -n 1", 0, "ID…PATH"),
            Transcript("coffer completion objects fi", 0, "files:"),
            Transcript("coffer completion profiles b", 0, "busy"),
            Transcript("coffer config check --config coffer.yaml | tail -n 1", 0, "…")
        )
    }

    @Test func anInterruptedPutLeavesNothing() throws {
        // The pipe is smaller than what goes through: when `head` is done, the transfer has begun.
        let interrupted =
            "mkfifo gate; coffer put - slow < gate & exec 3> gate; "
            + "head -c 1000000 /dev/zero >&3; kill -TERM $!; wait $!"
        try check(Transcript(interrupted, 143), Transcript("coffer ls"))
    }
}
