// The conformance suite on a storage of a host: what the host emulates keeps the promises of what a store does itself.
import CofferConformance
import CofferLoader
import CofferTestSupport
import CofferThroughHost
import Testing

@Suite("The suite through the host")
struct ThroughHostTests {
    private static let cofferd = "\(HostProcess.buildFolder)/cofferd"

    private func subject(_ plugin: String, _ settings: [(String, String)]) throws -> SubjectFactory {
        let library = try PluginLibrary.load("\(HostProcess.buildFolder)/libcoffer-\(plugin).so")
        return try ThroughHost.subject(library, settings: settings, program: Self.cofferd)
    }

    /// Ranges, conditions, listings, copies, moves, batches; the whole suite runs with the installed SDK.
    private static let asked: Set<Int> = [30, 32, 36, 70, 71, 72, 75, 76, 77, 80, 82, 84, 93, 94, 95, 96]

    @Test func whatTheHostEmulatesKeepsItsPromises() throws {
        let words = leftOut.split(separator: ",").map { word in String(word.drop { $0 == " " }) }
        let grades = "[" + words.map { "\"\($0)\"" }.joined(separator: ",") + "]"
        let subject = try subject("fault", [("grades", grades)])
        let emulated = try subject.health().first { $0.name == ThroughHost.emulatedFact }?.value ?? ""
        for word in words { #expect(emulated.contains(word), "\(word) is not emulated: \(emulated)") }
        for item in ConformanceSuite.all where Self.asked.contains(item.number) {
            let outcome = ConformanceSuite.run(item, on: subject, scale: .quick)
            guard case .passed = outcome else {
                Issue.record("\(item): \(outcome)")
                continue
            }
        }
    }

    @Test(arguments: [
        ("tail-stays", 6), ("decodes-percent", 20), ("conditions-only-at-begin", 73), ("prefix-comes-again", 80),
    ])
    func aBrokenPluginIsNoticedThroughTheHost(_ fault: String, _ number: Int) throws {
        try withTemporaryDirectory { folder in
            try compilePlugin("broken.c", to: "\(folder)/broken.so")
            let library = try PluginLibrary.load("\(folder)/broken.so")
            let settings = [("break", fault), ("place", "{tmp}"), ("pass", "hush")]
            let subject = try ThroughHost.subject(library, settings: settings, program: Self.cofferd)
            let item = try #require(ConformanceSuite.all.first { $0.number == number })
            guard case .failed(let failure) = ConformanceSuite.run(item, on: subject, scale: .quick) else {
                Issue.record("\(fault) is not noticed")
                return
            }
            #expect(!failure.howToReproduce.isEmpty)
        }
    }

    @Test func aHostThatDoesNotStartSaysWhy() throws {
        let wrong = try subject("memory", [("size", "much")])
        let failure = #expect(throws: Failure.self) { try wrong.health() }
        #expect(failure?.got.contains("size") == true, "\(String(describing: failure))")
        let library = try PluginLibrary.load("\(HostProcess.buildFolder)/libcoffer-memory.so")
        let none = try ThroughHost.subject(library, settings: [], program: "/nonexistent/cofferd")
        #expect(throws: Failure.self) { try none.health() }
    }
}
