import CofferConformance
import CofferJSON

/// How one case ended, for a person and for a program.
struct Report {
    let item: ConformanceCase
    /// `passed`, `failed` or `skipped`.
    var result: String
    var reason = ""
    var expected = ""
    var got = ""
    var calls: [String] = []
    var line = 0

    init(_ item: ConformanceCase, _ outcome: Outcome) {
        self.item = item
        switch outcome {
        case .passed: result = "passed"
        case .skipped(let reason):
            result = "skipped"
            self.reason = reason
        case .failed(let failure):
            result = "failed"
            expected = failure.expected
            got = failure.got
            calls = failure.howToReproduce
            line = failure.line
        }
    }

    /// What a process said of a case; nil for something else.
    init?(_ item: ConformanceCase, json: [UInt8]) {
        // A line that is no JSON is not a report, and its caller says so.
        guard let value = try? JSONValue(parsing: json), let result = value["result"]?.stringValue else { return nil }
        self.item = item
        self.result = result
        reason = value["reason"]?.stringValue ?? ""
        expected = value["expected"]?.stringValue ?? ""
        got = value["got"]?.stringValue ?? ""
        calls = value["calls"]?.arrayValue?.compactMap(\.stringValue) ?? []
        line = Int(value["line"]?.integerValue ?? 0)
    }

    var text: String {
        switch result {
        case "passed": return "passed   \(item)"
        case "skipped": return "skipped  \(item): \(reason)"
        default:
            let lines = [
                "failed   \(item)", "         promise:  \(item.sentence)", "         expected: \(expected)",
                "         got:      \(got)", "         line:     \(line)",
            ]
            let steps = calls.isEmpty ? [] : ["         calls:    " + calls.joined(separator: "\n                   ")]
            return (lines + steps).joined(separator: "\n")
        }
    }

    var json: String {
        var members: [(String, JSONValue)] = [
            ("number", .integer(Int64(item.number))), ("name", .string(item.name)),
            ("grade", .string(item.grade.label)), ("result", .string(result)),
        ]
        if result == "skipped" { members.append(("reason", .string(reason))) }
        if result == "failed" {
            members += [
                ("expected", .string(expected)), ("got", .string(got)), ("line", .integer(Int64(line))),
                ("calls", .array(calls.map(JSONValue.string))),
            ]
        }
        return JSONValue.object(JSONObject(members.map { JSONObject.Member(name: $0.0, value: $0.1) })).description
    }
}
