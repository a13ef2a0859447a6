import CofferSystem
import Glibc

/// Ctrl-C during a transfer: what is half-written here goes, and the process ends with 130.
///
/// What is half-written at the host goes by itself: the connection breaks, and the host drops the write.
enum Interruption {
    /// The temporary file that exists now; empty if none does.
    private static let temporary = Locked("")

    /// Takes SIGINT and SIGTERM from now on, on a thread of its own; called before any other thread starts.
    static func watch() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let watched = signals
        do {
            _ = try Thread.start(named: "signals") { wait(for: watched) }
        } catch {
            // Without the thread the signals keep their usual effect; only a temporary file may stay.
            pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        }
    }

    /// Names the temporary file that must not survive; empty for none.
    static func protect(_ path: String) { temporary.withLock { $0 = path } }

    private static func wait(for signals: sigset_t) {
        var signals = signals
        var number: Int32 = 0
        sigwait(&signals, &number)
        let path = temporary.withLock { $0 }
        if !path.isEmpty { unlink(path) }
        if isatty(2) == 1 { Output.writeAll(2, Array("\n".utf8)) }
        _exit(128 + number)
    }
}
