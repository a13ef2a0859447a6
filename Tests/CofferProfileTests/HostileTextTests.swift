// Texts that nobody meant: whatever comes in, the room answers, and soon.

import CofferModel
import CofferProfile
import Testing

/// A small generator whose run can be repeated (xorshift).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

@Suite("Hostile texts")
struct HostileTextTests {
    private static let pieces = [
        "storages:", "profiles:", "null", "~", "<<: *a", "&a ", "*a", "${env:A}", "${file:/x}", "${", "}", "$$", "[",
        "]",
        "{", "}", "- ", ": ", "\n", "\n  ", "\t", "'", "\"", "extends: p", "include: x.yaml", "!!str ", "? ", "| \n",
        "> \n",
        "%YAML 1.1\n", "---\n", "...\n", "#", "backend: s3", "99999999999999999999PiB", "1e999s", "\u{0}", "\u{FEFF}",
        "é",
        "\u{1F600}", "defaults: {root: ./x}", "accept: {all_except: []}", "access: [{uid: 1}]", "plugins: [x]",
        "limits: {queue: 1}", "default_storage: a", "-", "/", "..", "https://", "//",
    ]

    /// What the room makes of `bytes`: it may refuse, with a reason, and may not do anything else.
    private func feed(_ bytes: [UInt8]) {
        do throws(ConfigurationError) {
            let sources = world(["A": "1"], files: ["/c/x.yaml": "storages: {x: {backend: memory}}", "/x": "y"])
            let text = try ConfigurationText.parse(bytes, path: "/c/coffer.yaml", sources: sources)
            let configuration = try text.resolve(backends: backends)
            _ = try text.checkAll(backends: backends)
            _ = configuration.report()
            _ = configuration.jsonReport()
        } catch {
            #expect(!error.errors.isEmpty)
            #expect(!error.description.isEmpty && !error.summary.message.isEmpty)
        }
    }

    @Test("a mutated sample is answered", arguments: [1, 2] as [UInt64])
    func mutations(_ seed: UInt64) throws {
        let samples = try ["coffer", "switch", "team", "local"].map {
            Array(try repositoryFile("examples/profiles/\($0).yaml").utf8)
        }
        var random = SeededGenerator(seed: seed)
        let clock = ContinuousClock()
        let end = clock.now + .milliseconds(400)
        var rounds = 0
        repeat {
            var bytes = samples[Int.random(in: 0..<samples.count, using: &random)]
            for _ in 0..<Int.random(in: 1...6, using: &random) { mutate(&bytes, samples, &random) }
            feed(bytes)
            rounds += 1
        } while clock.now < end
        #expect(rounds > 10)
    }

    private func mutate(_ bytes: inout [UInt8], _ samples: [[UInt8]], _ random: inout SeededGenerator) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        let end = min(bytes.count, place + Int.random(in: 0...20, using: &random))
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes.removeSubrange(place..<end)
        case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 2: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
        case 3: if place < bytes.count { bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
        case 4:
            let other = samples[Int.random(in: 0..<samples.count, using: &random)]
            let start = Int.random(in: 0...other.count, using: &random)
            bytes.insert(contentsOf: other[start..<min(other.count, start + 80)], at: place)
        default:
            let piece = Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &random)]
            bytes.replaceSubrange(place..<end, with: piece.utf8)
        }
    }

    @Test(
        "long runs of one thing are answered soon",
        arguments: [
            "[", "{", "- ", "? ", "a: &a ", "*a ", "${", "\"", "'", "| ", "!", "&", "%", "\t", "#\n", "a:\n ",
            "\u{FEFF}", ",",
        ]
    )
    func runs(_ piece: String) {
        let text = String(repeating: piece, count: 20_000)
        let start = ContinuousClock().now
        feed(Array(text.utf8))
        feed(Array("storages: {files: {backend: s3, region: \"\(text)\"}}".utf8))
        #expect(ContinuousClock().now - start < .seconds(20))
    }

    @Test func manyProfilesThatExtendEachOtherEnd() {
        var text = "storages: {a: {backend: memory}}\nprofiles:\n  p0: {extends: p255}\n"
        for i in 1..<256 { text += "  p\(i): {extends: p\(i - 1), storages: {s\(i): {backend: memory}}}\n" }
        let errors = refusal(of: text)
        #expect(
            errors == [
                "4:17: error: the profile \"p0\" extends itself: p0 → p255 → p254 → p253 → … → p2 → p1 → p0"
            ]
        )
        #expect(refusal(of: text.replacing("extends: p255", with: ""), profile: "p255").isEmpty)
    }
}
