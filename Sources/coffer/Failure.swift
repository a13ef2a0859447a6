import CofferAPI
import CofferModel

/// Why a command failed, and about what.
enum Failure: Error {
    /// The words were wrong; `command` is where help can be found.
    case usage(String, command: String?)
    /// An operation on `subject` failed.
    case operation(subject: String, CofferError)
    /// Several things failed, each told already; the status is the first one's.
    case reported(Int32)

    /// What the process exits with.
    var status: Int32 {
        switch self {
        case .usage: 2
        case .operation(_, let error): error.code.exitCode
        case .reported(let status): status
        }
    }

    /// What stands on standard error: `coffer: what: why (code)`.
    var lines: [String] {
        switch self {
        case .usage(let message, let command):
            ["coffer: \(message)", "try: coffer \(command.map { "\($0) " } ?? "")--help"]
        case .operation(let subject, let error):
            [Failure.line(subject, error)]
        case .reported:
            []
        }
    }

    static func line(_ subject: String, _ error: CofferError) -> String {
        // A whole storage ends in a colon already.
        "coffer: \(subject)\(subject.hasSuffix(":") ? "" : ":") \(error.message) (\(error.code.rawValue))"
    }
}

/// Runs `body` and names `subject` in what it throws.
func about<Value>(_ subject: String, _ body: () throws(CofferError) -> Value) throws(Failure) -> Value {
    do { return try body() } catch { throw .operation(subject: subject, error) }
}
