import Glibc

/// What the host says to the person who started it, beside its log.
enum Terminal {
    /// Writes a line to standard error.
    static func complain(_ message: String) {
        let line = "cofferd: \(message)\n"
        // Nobody could be told if it failed.
        _ = write(STDERR_FILENO, line, line.utf8.count)
    }

    /// Writes lines to standard error as they are.
    static func complain(lines: String) {
        let text = lines.hasSuffix("\n") ? lines : lines + "\n"
        _ = write(STDERR_FILENO, text, text.utf8.count)
    }
}
