import CofferModel
import CofferSystem
import Glibc

/// The host's log: lines on standard error, with the priority that systemd's journal reads from their start.
///
/// No secret may get here: whoever makes a message sees to that.
struct Log: Sendable {
    /// How loud a line is; the raw value is syslog's.
    enum Level: Int, Sendable {
        case error = 3
        case warning = 4
        case info = 6
        case debug = 7
    }

    /// The quietest level that is still written.
    var threshold = Level.info
    /// Whether the journal reads this: it wants `<6>` and brings its own time.
    private let isJournal = getenv("JOURNAL_STREAM") != nil

    func error(_ message: String) { write(.error, message) }
    func warning(_ message: String) { write(.warning, message) }
    func info(_ message: String) { write(.info, message) }

    func write(_ level: Level, _ message: String) {
        guard level.rawValue <= threshold.rawValue else { return }
        let line: String
        if isJournal {
            line = "<\(level.rawValue)>cofferd: \(message)\n"
        } else {
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            let time = Timestamp(nanoseconds: Int64(now.tv_sec) * 1_000_000_000)
            line = "\(time) cofferd: \(level == .info ? "" : "\(level): ")\(message)\n"
        }
        // One write, so that lines of several threads do not mix. Nobody could be told if it failed.
        _ = Glibc.write(STDERR_FILENO, line, line.utf8.count)
    }
}
