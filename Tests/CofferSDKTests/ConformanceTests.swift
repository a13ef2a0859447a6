// The suite sees what it is there to see: the template passes, and each broken template fails where it is broken.

import CofferConformance
import CofferLoader
import CofferTestSupport
import Glibc
import Synchronization
import Testing

/// `broken.c`, compiled once for all the tests of this file.
private enum Broken {
    private static let library = compiled([])
    private static let withoutUploads = compiled(["-DNO_UPLOADS"])

    private static func compiled(_ flags: [String]) -> PluginLibrary? {
        // The file may go once it is loaded.
        try? withTemporaryDirectory { folder in
            try compilePlugin("broken.c", to: "\(folder)/broken.so", flags)
            return try PluginLibrary.load("\(folder)/broken.so")
        }
    }

    static func factory(_ fault: String) throws -> SubjectFactory {
        let library = fault == "upload-without-extension" ? withoutUploads : library
        let settings = [("break", fault), ("place", "{tmp}"), ("pass", "hush")]
        var factory = try SubjectFactory(library: try #require(library), settings: settings)
        // Tests run side by side, so that only a leak, which must fail, is counted.
        factory.sharesProcess = !fault.contains("leak")
        return factory
    }
}

/// The cases that a plugin fails, of those that are given.
private func failures(of factory: SubjectFactory, in cases: [ConformanceCase]) -> [Int: Failure] {
    var failed: [Int: Failure] = [:]
    for item in cases {
        if case .failed(let failure) = ConformanceSuite.run(item, on: factory, scale: .quick) {
            failed[item.number] = failure
        }
    }
    return failed
}

@Suite("The conformance suite")
struct ConformanceTests {
    /// Cases whose outcome is a matter of luck once something is broken: they race threads.
    private static let races: Set = [70, 71, 74, 91]
    /// Cases that count what the process holds: other tests add to it.
    private static let counting: Set = [37, 38, 56, 90, 113, 114]
    /// Cases that take their time, and so are run only where they must fail.
    private static let slow: Set = [5, 37, 39, 56, 58]

    @Test func namesAndNumbersAreUnique() {
        let all = ConformanceSuite.all
        #expect(all.count >= 92)
        #expect(Set(all.map(\.number)).count == all.count)
        #expect(Set(all.map(\.name)).count == all.count)
    }

    @Test func theTemplateKeepsEveryPromiseAndTakesUploads() throws {
        #expect(failures(of: try Broken.factory("none"), in: ConformanceSuite.all).isEmpty)
    }

    /// Each fault with exactly the cases that must notice it; those that race threads may notice it too.
    @Test(arguments: faults)
    func aBrokenPromiseIsNoticed(_ fault: String, _ expected: Set<Int>) throws {
        // Beside those that must fail, an eighth of the others, another for each fault. Not all of them: a plugin that
        // breaks one rule may well crash where a case rightly trusts it to keep another.
        let eighth = fault.utf8.reduce(0) { $0 + Int($1) } % 8
        let cases = ConformanceSuite.all.enumerated().filter { index, item in
            expected.contains(item.number)
                || !Self.slow.contains(item.number) && index % 8 == eighth
        }
        let failed = failures(of: try Broken.factory(fault), in: cases.map(\.element))
        // Threads that do everything at once may stumble over any fault.
        let threads: Set = expected.contains(115) ? [] : [115]
        let lucky =
            fault.contains("leak")
            ? Self.races.union(Self.counting).subtracting(expected) : Self.races.union(threads)
        #expect(Set(failed.keys).subtracting(lucky) == expected.subtracting(lucky), "\(failed)")
    }

    @Test func aFailureSaysWhatCameInsteadAndHow() throws {
        let item = try #require(ConformanceSuite.all.first { $0.number == 6 })
        guard
            case .failed(let failure) = ConformanceSuite.run(item, on: try Broken.factory("tail-stays"), scale: .quick)
        else {
            Issue.record("a tail that stays is not noticed")
            return
        }
        #expect(failure.expected == "size: 5")
        #expect(failure.got == "10000")
        #expect(failure.line > 0)
        #expect(failure.howToReproduce.contains { $0.hasPrefix("write_begin") })
    }

    @Test func aSkippedCaseSaysThatTheRefusalWasProven() throws {
        let item = try #require(ConformanceSuite.all.first { $0.number == 93 })
        guard case .skipped(let reason) = ConformanceSuite.run(item, on: try Broken.factory("none"), scale: .quick)
        else {
            Issue.record("a capability that is none is not skipped")
            return
        }
        #expect(reason == "remove_batch is declared none: the function is absent")
    }

    private static let faults: [(String, Set<Int>)] = [
        // Looking, reading, ranges.
        ("not-found-is-retryable", [1]),
        ("empty-has-no-size", [3, 4, 35]),
        ("size-is-lost", [5]),
        ("commit-tells-another-time", [7]),
        ("reads-touch", [7, 8]),
        ("ignores-ranges", [30, 31, 32, 33, 35, 36]),
        ("range-size-is-the-whole", [30, 32, 33]),
        ("past-the-end-is-not-found", [30, 31, 32, 33, 35]),
        ("suffix-is-a-length", [32]),
        ("huge-offsets-wrap", [33]),
        ("empty-range-is-io", [30, 35]),
        ("parts-start-late", [36]),
        ("no-cut-at-the-end", [33, 36]),
        ("long-reads-end-early", [37]),
        ("early-close-leaks", [38]),
        ("reads-what-is-there-now", [39]),
        ("encoded-size", [43]),
        ("ignores-read-conditions", [75]),
        // Keys.
        ("plus-is-a-blank", [12, 81, 82, 83]),
        ("trims-blanks", [12, 13]),
        ("tab-is-a-blank", [13, 14]),
        ("ends-at-nul", [14]),
        ("bad-utf8-is-replaced", [16]),
        ("composes-accents", [17]),
        ("one-letter-case", [18, 20, 21, 27, 80]),
        ("emoji-are-replaced", [16, 19]),
        ("decodes-percent", [20]),
        ("resolves-dots", [21]),
        ("backslash-is-a-slash", [21, 27, 28]),
        ("collapses-slashes", [23]),
        ("empty-key-is-a-name", [25]),
        ("cuts-long-keys", [26]),
        // Writing and removing.
        ("remove-is-strict", [2]),
        ("nothing-is-no-object", [3, 4, 35, 78, 79, 81, 88, 89, 90, 91]),
        ("tail-stays", [6]),
        ("remove-does-nothing", [9, 73, 92]),
        ("tokens-tell-the-size", [7, 10, 71, 74, 75, 76]),
        ("close-publishes", [44, 46, 47]),
        ("short-body-is-taken", [45]),
        ("long-body-is-taken", [46]),
        ("seen-before-commit", [44, 45, 47, 48, 70, 71]),
        ("cancelled-but-published", [49, 74]),
        ("first-writer-wins", [50]),
        ("clean-up-by-name", [45, 51]),
        ("writes-leak-descriptors", [56]),
        ("unsized-pieces-lose-a-byte", [58]),
        ("create-only-at-begin", [70, 73]),
        ("if-match-may-create", [72]),
        ("conditions-only-at-begin", [73, 74]),
        ("remove-takes-any-token", [76, 77]),
        ("ignores-write-conditions", [11, 70, 71, 72, 73, 74, 77]),
        ("loses-large-metadata", [97]),
        // Listing.
        ("prefix-is-a-pattern", [28]),
        ("pages-skip-one", [78, 80, 81]),
        ("pages-go-by-position", [79, 80, 81, 82]),
        ("prefix-comes-again", [80, 81]),
        ("start-is-included", [82]),
        ("ignores-tokens", [83]),
        ("prefix-needs-a-slash", [84]),
        ("pages-are-too-long", [78, 80, 81, 82, 85, 88]),
        ("absent-prefix-is-not-found", [9, 44, 45, 46, 47, 63, 69, 82, 84, 86, 87]),
        ("removals-end-a-listing", [79, 88, 91]),
        ("goes-on-when-stopped", [89]),
        ("prefix-loses-its-slash", [92]),
        // Uploads in parts.
        ("parts-in-order-of-arrival", [59]),
        ("first-part-stays", [60]),
        ("takes-any-part-tag", [60, 61]),
        ("takes-missing-parts", [61]),
        ("sorts-parts", [61]),
        ("completes-with-nothing", [61]),
        ("complete-once", [62]),
        ("complete-publishes-again", [62]),
        ("abort-is-forgetful", [62, 63]),
        ("abort-lets-parts-through", [63]),
        ("one-upload-a-key", [64]),
        ("pending-is-an-object", [62, 63, 69]),
        ("uploads-are-not-listed", [69]),
        ("uploads-of-every-key", [69]),
        ("ignores-upload-time", [69]),
        ("complete-ignores-conditions", [73]),
        ("parts-lose-metadata", [97]),
        // The contract.
        ("any-size-is-announced", [110]),
        ("reads-nonsense", [110, 111]),
        ("long-messages-overflow", [110]),
        ("open-writes-past-the-end", [111]),
        ("newer-hosts-are-refused", [111]),
        ("open-leaks-a-descriptor", [113, 114]),
        ("open-takes-anything", [114]),
        ("missing-option-is-io", [114]),
        ("handles-know-their-thread", [115]),
        ("message-names-nothing", [114]),
        ("message-tells-the-secret", [114]),
        // Declared but absent.
        ("upload-without-extension", [58, 59, 60, 61, 62, 63, 64, 69, 73, 97, 117]),
        ("more-than-the-descriptor", [117]),
        // Declared native but wrong.
        ("boasts-of-checksums", [54, 55]),
        ("boasts-of-mtime", [100]),
        // Declared none but working: what is not declared must be refused.
        ("ignores-checksums", [54, 55, 117]),
        ("drops-odd-properties", [100, 117]),
        ("reads-any-version-asked", [117]),
        ("hides-range", [30, 31, 32, 33, 35, 36, 117]),
        ("sends-unproven-unasked", [11, 71, 72, 74, 77, 117]),
        ("unproven-and-native", [117]),
        ("unproven-checksums", [117]),
        ("unproven-beyond-the-descriptor", [117]),
        ("hides-create", [70, 73, 77, 117]),
        ("hides-if-match", [11, 71, 72, 74, 77, 117]),
        ("hides-conditional-remove", [76, 77, 117]),
        ("hides-delimiter", [80, 81, 117]),
        ("hides-metadata", [97, 117]),
        ("hides-uploads", [59, 60, 61, 62, 63, 64, 69, 117]),
    ]
}
