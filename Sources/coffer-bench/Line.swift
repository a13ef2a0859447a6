// The lines of the table: what was measured, what it is compared with, and whether that is good enough.

/// What a figure must be.
enum Target {
    /// Ours divided by the other's.
    case ratioAtMost(Double), ratioAtLeast(Double)
    /// Ours alone.
    case atMost(Double), atLeast(Double)
    /// Shown for its own sake.
    case none
}

/// One line of the table.
struct Line {
    var what: String
    var unit: String
    var ours: Figure
    var other: (name: String, figure: Figure)?
    var target: Target

    init(
        _ what: String,
        _ unit: String,
        _ ours: Figure,
        against other: (name: String, figure: Figure)? = nil,
        _ target: Target = .none
    ) {
        self.what = what
        self.unit = unit
        self.ours = ours
        self.other = other
        self.target = target
    }

    var ratio: Double? { other.map { $0.figure.median == 0 ? 0 : ours.median / $0.figure.median } }

    /// Whether the target is reached; nil where there is none.
    var isReached: Bool? {
        switch target {
        case .ratioAtMost(let limit): ratio.map { $0 <= limit }
        case .ratioAtLeast(let limit): ratio.map { $0 >= limit }
        case .atMost(let limit): ours.median <= limit
        case .atLeast(let limit): ours.median >= limit
        case .none: nil
        }
    }

    /// What stands in the columns of the table.
    var cells: [String] {
        let verdict = isReached.map { $0 ? "reached" : "missed" } ?? "–"
        return [
            what, ours.text + " " + unit, other.map { "\($0.name): \($0.figure.text)" } ?? "–",
            ratio.map { Line.number($0) + "x" } ?? "–", targetText, verdict,
        ]
    }

    private var targetText: String {
        switch target {
        case .ratioAtMost(let limit): "≤ \(Line.number(limit))x"
        case .ratioAtLeast(let limit): "≥ \(Line.number(limit))x"
        case .atMost(let limit): "≤ \(Line.number(limit)) \(unit)"
        case .atLeast(let limit): "≥ \(Line.number(limit)) \(unit)"
        case .none: "–"
        }
    }

    /// A number with three digits that matter.
    static func number(_ value: Double) -> String {
        let size = abs(value)
        if size >= 1e6 { return fixed(value / 1e6, 2) + "M" }
        if size >= 1e4 { return fixed(value / 1e3, 1) + "k" }
        return fixed(value, size >= 100 ? 0 : size >= 10 ? 1 : 2)
    }

    private static func fixed(_ value: Double, _ decimals: Int) -> String {
        let scale = [1.0, 10, 100][decimals]
        let units = Int((value * scale).rounded())
        let whole = units / Int(scale)
        guard decimals > 0 else { return String(whole) }
        let rest = String(abs(units % Int(scale)))
        let sign = units < 0 && whole == 0 ? "-" : ""
        return "\(sign)\(whole)." + String(repeating: "0", count: decimals - rest.count) + rest
    }
}

extension Figure {
    /// The median, with the least and the most in brackets.
    var text: String {
        least == most ? Line.number(median) : "\(Line.number(median)) [\(Line.number(least))–\(Line.number(most))]"
    }
}

/// A group of lines that are measured together, chosen by its name.
struct Row: Sendable {
    let name: String
    /// Where client and server ran.
    let placement: String
    let measure: @Sendable (Bench) throws -> [Line]

    init(_ name: String, _ placement: String, _ measure: @escaping @Sendable (Bench) throws -> [Line]) {
        self.name = name
        self.placement = placement
        self.measure = measure
    }
}

/// What came of a row.
struct RowResult {
    let row: Row
    let lines: [Line]
    /// Why it could not be measured.
    let skipped: String?
}

/// The table of all rows.
enum Report {
    private static let titles = ["row", "measured", "ours", "other", "ratio", "target", "verdict"]

    /// As text for a terminal.
    static func plain(_ results: [RowResult]) -> String {
        let table = [titles] + cells(results)
        let widths = titles.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
        return table.map { row in
            zip(row, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
                .joined(separator: "  ")
        }.joined(separator: "\n") + "\n"
    }

    /// As a table of Markdown, with a line about each row's placement.
    static func markdown(_ results: [RowResult]) -> String {
        var lines = ["| " + titles.joined(separator: " | ") + " |", "|" + titles.map { _ in " --- |" }.joined()]
        for row in cells(results) { lines.append("| " + row.joined(separator: " | ") + " |") }
        lines += ["", "Where it ran:", ""]
        lines += results.map { "- `\($0.row.name)`: \($0.row.placement)" }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func cells(_ results: [RowResult]) -> [[String]] {
        results.flatMap { result -> [[String]] in
            if let skipped = result.skipped {
                let reason = skipped.split(separator: "\n").first.map { String($0.prefix(100)) } ?? ""
                return [[result.row.name, "not measured: \(reason)", "", "", "", "", "skipped"]]
            }
            return result.lines.map { [result.row.name] + $0.cells }
        }
    }
}
