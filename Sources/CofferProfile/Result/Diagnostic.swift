// What is wrong with a configuration, and where.

package import CofferModel

/// A place in a configuration file.
package struct SourceMark: Sendable, Hashable, CustomStringConvertible {
    /// The file's absolute path.
    package let file: String
    /// The line, from 1.
    package let line: Int
    /// The column in characters, from 1.
    package let column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `file:line:column`.
    package var description: String { "\(file):\(line):\(column)" }
}

/// One finding about a configuration; it never holds a secret.
package struct Diagnostic: Sendable, Hashable, CustomStringConvertible {
    /// How bad it is.
    package enum Severity: String, Sendable, Hashable {
        /// The configuration is refused.
        case error
        /// It is taken, but something in it does not do what its writer may think.
        case warning
    }

    package let severity: Severity
    /// Where; nil if the cause is no text, such as a name from the command line.
    package let mark: SourceMark?
    /// What is wrong: lower case, names the thing, no full stop.
    package let message: String
    /// What to do about it.
    package let hint: String?

    package init(_ severity: Severity, _ message: String, at mark: SourceMark?, hint: String? = nil) {
        self.severity = severity
        self.mark = mark
        self.message = message
        self.hint = hint
    }

    /// The file's absolute path, where there is one.
    package var file: String? { mark?.file }
    /// The line, from 1, where there is one.
    package var line: Int? { mark?.line }
    /// The column, from 1, where there is one.
    package var column: Int? { mark?.column }

    /// `file:line:column: error: message; hint`.
    package var description: String {
        let place = mark.map { "\($0): " } ?? ""
        return "\(place)\(severity.rawValue): \(message)\(hint.map { "; \($0)" } ?? "")"
    }
}

/// A configuration that is refused, with everything that was found wrong in it.
package struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was found, errors and warnings, in the order of files and lines; at least one error.
    package let diagnostics: [Diagnostic]

    package init(diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }

    /// What refuses it.
    package var errors: [Diagnostic] { diagnostics.filter { $0.severity == .error } }

    /// One line for each finding.
    package var description: String { diagnostics.map(\.description).joined(separator: "\n") }

    /// The same in the house's error type: the first error in full, and how many more there are.
    package var summary: CofferError {
        let errors = self.errors
        guard let first = errors.first else { return CofferError(.configInvalid, "the configuration is refused") }
        let text = "\(first.mark.map { "\($0): " } ?? "")\(first.message)\(first.hint.map { "; \($0)" } ?? "")"
        let rest = errors.count > 1 ? " (and \(errors.count - 1) more)" : ""
        return CofferError(.configInvalid, text + rest)
    }
}

/// Findings while a configuration is read, each one once.
final class Findings {
    /// More than this many are not kept: nobody reads them.
    static let limit = 100

    private var seen: Set<Diagnostic> = []
    private(set) var all: [Diagnostic] = []
    private(set) var hasErrors = false
    private var refused: Set<SourceMark> = []

    func error(_ message: String, at mark: SourceMark?, hint: String? = nil) {
        hasErrors = true
        add(Diagnostic(.error, message, at: mark, hint: hint))
    }

    func warn(_ message: String, at mark: SourceMark?, hint: String? = nil) {
        add(Diagnostic(.warning, message, at: mark, hint: hint))
    }

    func add(_ finding: Diagnostic) {
        if finding.severity == .error {
            hasErrors = true
            if let mark = finding.mark { refused.insert(mark) }
        }
        // An error past the limit still counts in `hasErrors`; the list then holds errors already.
        guard all.count < Self.limit || (finding.severity == .error && !all.contains { $0.severity == .error }),
            seen.insert(finding).inserted
        else { return }
        all.append(finding)
    }

    /// Whether an error was found at exactly this place.
    func hasError(at mark: SourceMark) -> Bool { refused.contains(mark) }

    /// The findings by file, then line and column; what has no place comes first.
    var sorted: [Diagnostic] {
        var order: [String: Int] = [:]
        for finding in all {
            if let file = finding.file, order[file] == nil { order[file] = order.count }
        }
        let keyed = all.enumerated().map { index, finding in
            (finding.file.flatMap { order[$0] } ?? -1, finding.line ?? 0, finding.column ?? 0, index)
        }
        return keyed.sorted(by: <).map { all[$0.3] }
    }

    /// Ends here if anything found so far is an error.
    func check() throws(ConfigurationError) {
        if hasErrors { throw ConfigurationError(diagnostics: sorted) }
    }
}
