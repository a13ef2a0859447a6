import CofferTestSupport
import Testing

@Suite("A command line that is wrong says how it is right")
struct UsageTests {
    static let transcripts: [Transcript] = [
        Transcript("coffer", 2, "coffer: which command?\ntry: coffer --help"),
        Transcript("coffer stst", 2, "coffer: unknown command: stst; did you mean stat?\ntry: coffer --help"),
        Transcript("coffer frobnicate", 2, "coffer: unknown command: frobnicate\ntry: coffer --help"),
        Transcript("coffer --frob", 2, "coffer: unknown option: --frob\ntry: coffer --help"),
        Transcript("coffer stat", 2, "coffer: stat takes KEY…\ntry: coffer stat --help"),
        Transcript(
            "coffer stat --jsn x",
            2,
            "coffer: stat: unknown option --jsn; did you mean --json?\ntry: coffer stat --help"
        ),
        Transcript("coffer ls -lZ", 2, "coffer: ls: unknown option -Z\ntry: coffer ls --help"),
        Transcript("coffer ls --long=x", 2, "coffer: ls: --long takes no value\ntry: coffer ls --help"),
        Transcript("coffer put a b --type", 2, "coffer: put: --type wants a value\ntry: coffer put --help"),
        Transcript("coffer cp a", 2, "coffer: cp takes SRC… DST\ntry: coffer cp --help"),
        Transcript("coffer profile", 2, "coffer: profile: which of list, use, show?\ntry: coffer --help"),
        Transcript(
            "coffer profile lst",
            2,
            "coffer: unknown command: profile lst; did you mean profile list?\ntry: coffer --help"
        ),
        Transcript(
            "coffer cp f:a f:b f:c",
            2,
            "coffer: cp: several sources need a DST that ends with a slash\ntry: coffer cp --help"
        ),
        Transcript(
            "coffer cp --replace --rename f:a f:b",
            2,
            "coffer: cp: --replace and --rename exclude each other\ntry: coffer cp --help"
        ),
        Transcript("coffer head -n x f:a", 2, "coffer: head: --lines wants a number, not x\ntry: coffer head --help"),
        Transcript(
            "coffer rm -r f:",
            2,
            "coffer: rm: f: is the whole storage; --force deletes everything in it\ntry: coffer rm --help"
        ),
        Transcript(
            "coffer completion csh",
            2,
            "coffer: completion: csh is none of bash, zsh, fish\ntry: coffer completion --help"
        ),
        Transcript("coffer --version", 0, "coffer …"),
        Transcript(
            "coffer url --help",
            0,
            """
            show the public URLs of objects
            usage: coffer url KEY…
              --socket PATH  talk to the host at this socket
              --json         print JSON for machines
              -h, --help     show this help
            """
        ),
        Transcript("coffer help profile use | head -n 2", 0, "make a profile the active one\n"),
        Transcript("coffer completion bash > c && bash -n c"),
        Transcript(
            "coffer stat files:x",
            8,
            "coffer: files:x: no host at …: there is no such socket; start cofferd, or name its socket with --socket or COFFER_SOCKET (unavailable)"
        ),
        Transcript("coffer --json --socket none health", 8, "coffer: health: no host at none: … (unavailable)"),
    ]

    @Test(arguments: transcripts)
    func transcript(_ transcript: Transcript) throws {
        try withTemporaryDirectory { folder in try transcript.check(in: folder, socket: folder + "/none.sock") }
    }
}
