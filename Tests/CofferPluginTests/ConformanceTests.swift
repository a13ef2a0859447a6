// Our own plugins keep every promise that the suite knows, or declare that they cannot.

import CofferConformance
import CofferLoader
import Glibc
import Testing

@Suite("Our plugins and the conformance suite")
struct ConformanceTests {
    private static let scale: Scale =
        getenv("COFFER_SCALE").map { String(cString: $0) == "full" } ?? false ? .full : .quick

    /// A plugin, opened in a certain way.
    struct Plugin: Sendable, CustomTestStringConvertible {
        let id: String
        var settings: [(String, String)] = []
        var testDescription: String { ([id] + settings.map { "\($0)=\($1)" }).joined(separator: " ") }
    }

    private static let plugins = [
        Plugin(id: "local", settings: [("root", "{tmp}")]),
        Plugin(id: "memory"),
        Plugin(id: "memory", settings: [("size", "4MiB")]),
        Plugin(id: "fault"),
        Plugin(id: "fault", settings: [("grades", #"["checksum","user_metadata","if_match","list_delimiter"]"#)]),
    ]

    @Test(arguments: plugins)
    func everyPromiseIsKept(_ plugin: Plugin) throws {
        var factory = try SubjectFactory(library: try MemoryPlugins.library(plugin.id), settings: plugin.settings)
        factory.sharesProcess = true  // The lane of the examples counts, with a process for each case.
        for item in ConformanceSuite.all {
            // All tests run side by side, sometimes under a sanitizer: only what hangs for good is a failure.
            let outcome = ConformanceSuite.run(item, on: factory, scale: Self.scale, patience: 10)
            if case .failed(let failure) = outcome {
                Issue.record("\(item): \(failure)")
            }
        }
    }
}
