// Measures a build against floors and peers: `coffer-bench BUILD SCRATCH [NAME=VALUE ...]`, as Scripts/bench calls it.
import Glibc

let words = Array(CommandLine.arguments.dropFirst())

/// Writes to standard error, so that the table alone is on standard output.
func say(_ text: String) {
    var text = text
    text.withUTF8 { _ = write(2, $0.baseAddress, $0.count) }
}

let rows: [Row] = [
    .getMemory, .getLocal, .connections, .neighbours, .stream, .descriptor, .ingest, .durable, .rclone, .libraries,
    .listMemory, .listLocal, .memory, .command, .start, .profileSwitch, .pluginCall,
]

/// Measures the rows that were asked for, and says in the end how it went.
func measureAll(_ settings: [String: String]) -> [RowResult] {
    let wanted = (settings["row"] ?? "").split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init)
    for name in wanted where !rows.contains(where: { $0.name == name }) {
        say("bench: there is no row \(name); there are \(rows.map(\.name).joined(separator: ", "))\n")
        exit(2)
    }
    let bench = Bench(build: words[0], scratch: words[1], settings: settings)
    defer { bench.stop() }
    var results: [RowResult] = []
    for row in rows where wanted.isEmpty || wanted.contains(row.name) {
        say("bench: \(row.name)\n")
        do {
            results.append(RowResult(row: row, lines: try row.measure(bench), skipped: nil))
        } catch {
            results.append(RowResult(row: row, lines: [], skipped: "\(error)"))
        }
    }
    return results
}

do {
    switch words.first {
    case "ping-pong" where words.count == 2: try PingPong.serve(words[1])
    case "run-often" where words.count > 2: try Row.runOften(Int(words[1]) ?? 1, Array(words.dropFirst(2)))
    case _ where words.count >= 2:
        var settings: [String: String] = [:]
        for word in words.dropFirst(2) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2 { settings[parts[0]] = parts[1] }
        }
        let results = measureAll(settings)
        print(settings["markdown"] == "yes" ? Report.markdown(results) : Report.plain(results), terminator: "")
    default:
        say("bench: say BUILD SCRATCH [NAME=VALUE ...], or call Scripts/bench\n")
        exit(2)
    }
} catch {
    say("bench: \(error)\n")
    exit(1)
}
