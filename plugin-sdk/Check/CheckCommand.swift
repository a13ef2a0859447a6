import CofferConformance
import CofferLoader
import CofferThroughHost
import Glibc

/// `check`: runs the suite on a plugin.
struct CheckCommand {
    private let arguments: Arguments
    private let scale: Scale

    init(_ words: [String]) throws {
        arguments = try Arguments(
            words,
            valued: ["--set", "--case", "--scale", "--cofferd"],
            plain: ["--json", "--list", "--in-process", "--through-host"]
        )
        guard let scale = Scale(rawValue: arguments.last("--scale") ?? "quick") else {
            throw Arguments.Misuse(reason: "--scale takes quick or full")
        }
        self.scale = scale
    }

    func run() throws -> Int32 {
        let cases = try chosen()
        if arguments.has("--list") {
            for item in cases { print("\(item)\t\(item.grade.label)\t\(item.sentence)") }
            return 0
        }
        let path = try arguments.onlyWord("FILE.so")
        var tally = Tally()
        var emulated: String?
        if arguments.has("--in-process") {
            let factory = try self.factory(path)
            for item in cases {
                let report = report(item) { Report(item, ConformanceSuite.run(item, on: factory, scale: scale)) }
                tally.count(report)
                print(arguments.has("--json") ? report.json : report.text)
            }
        } else {
            // The options and the file are judged here once, so that a mistake is one message and not ninety.
            let factory = try self.factory(path)
            if isThroughHost { emulated = try opened(factory) }
            var worker = Worker(path: path, arguments: try passedOn + ["--scale", scale.rawValue])
            for item in cases {
                let report = try report(item) { try worker.run(item) }
                tally.count(report)
                print(arguments.has("--json") ? report.json : report.text)
            }
        }
        if !arguments.has("--json") {
            print(tally.text)
            if let emulated { print("emulated by the host: \(emulated.isEmpty ? "nothing" : emulated)") }
        }
        return tally.failed == 0 ? 0 : 1
    }

    private var isThroughHost: Bool { arguments.has("--through-host") }

    /// What a case's own process gets of the command line.
    private var passedOn: [String] {
        get throws {
            let settings = arguments.all("--set").flatMap { ["--set", $0] }
            return settings + (isThroughHost ? ["--through-host", "--cofferd", try HostProgram.find(arguments)] : [])
        }
    }

    /// A case's report, unless the case says nothing through a host.
    private func report(_ item: ConformanceCase, _ run: () throws -> Report) rethrows -> Report {
        guard isThroughHost, let reason = ThroughHost.skipped[item.number] else { return try run() }
        return Report(item, .skipped(reason))
    }

    /// Opens the storage once, and answers what the host adds to the plugin.
    private func opened(_ factory: SubjectFactory) throws -> String {
        do {
            return try factory.health().first { $0.name == ThroughHost.emulatedFact }?.value ?? ""
        } catch {
            throw Refusal(reason: error.got)
        }
    }

    private func chosen() throws -> [ConformanceCase] {
        let names = arguments.all("--case")
        if names.isEmpty { return ConformanceSuite.all }
        return try names.map { name in
            guard let item = ConformanceSuite.all.first(where: { $0.name == name || String($0.number) == name }) else {
                throw Arguments.Misuse(reason: "there is no case \(name): --list shows them")
            }
            return item
        }
    }

    private func factory(_ path: String) throws -> SubjectFactory {
        let library = try PluginLibrary.load(path)
        var settings: [(name: String, value: String)] = []
        for word in arguments.all("--set") {
            guard let equals = word.firstIndex(of: "=") else {
                throw Arguments.Misuse(reason: "--set takes KEY=VALUE, not \(word)")
            }
            settings.append((String(word[..<equals]), String(word[word.index(after: equals)...])))
        }
        // `{tmp}` stands for an absolute path, and nothing else of it is judged here.
        let judged = settings.map { ($0.name, $0.value.hasPrefix("{tmp}") ? "/tmp" : $0.value) }
        do {
            _ = try library.description.completed(judged)
        } catch {
            throw WrongOption(reason: "\(path): \(error.message)")
        }
        let pairs = settings.map { ($0.name, $0.value) }
        guard isThroughHost else { return try SubjectFactory(library: library, settings: pairs) }
        return try ThroughHost.subject(library, settings: pairs, program: try HostProgram.find(arguments))
    }
}

/// How many cases ended how.
struct Tally {
    private(set) var passed = 0
    private(set) var failed = 0
    private(set) var skipped = 0

    mutating func count(_ report: Report) {
        switch report.result {
        case "passed": passed += 1
        case "skipped": skipped += 1
        default: failed += 1
        }
    }

    var text: String {
        "\n\(passed) passed, \(failed) failed, \(skipped) skipped: "
            + (failed == 0 ? "the plugin keeps its promises" : "the plugin breaks \(failed) of its promises")
    }
}
