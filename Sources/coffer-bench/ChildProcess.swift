// Programs that are started to be measured, and where they run.
import CLinux
import Glibc

/// A program that runs beside us; it is killed with this object.
final class ChildProcess {
    let process: pid_t
    private var isOver = false

    /// Starts a program; both its outputs go to the file `output`.
    init(_ words: [String], environment: [String: String] = [:], output: String = "/dev/null") throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(
            &actions,
            2,
            output + (output == "/dev/null" ? "" : ".err"),
            O_WRONLY | O_CREAT | O_TRUNC,
            0o600
        )
        let inherited = ["PATH": getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"]
        let variables = inherited.merging(environment) { $1 }
        let arguments = words.map { strdup($0) } + [nil]
        let settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (arguments + settings).forEach { free($0) } }
        var process: pid_t = 0
        let number = posix_spawnp(&process, words[0], &actions, nil, arguments, settings)
        guard number == 0 else { throw Trouble("\(words[0]) cannot be started: \(String(cString: strerror(number)))") }
        self.process = process
    }

    deinit { stop(SIGKILL) }

    /// Ends it, and waits until it is gone.
    func stop(_ signal: Int32 = SIGTERM) {
        guard !isOver else { return }
        kill(process, signal)
        _ = wait()
    }

    /// Waits for its end; its status and what it used.
    @discardableResult
    func wait() -> (status: Int32, usage: rusage) {
        var status: Int32 = 0
        var usage = rusage()
        while wait4(process, &status, 0, &usage) < 0 && errno == EINTR {}
        isOver = true
        return (status, usage)
    }

    /// Whether it still runs.
    var isRunning: Bool { !isOver && waitid(P_PID, id_t(process), nil, WEXITED | WNOHANG | WNOWAIT) == 0 && alive }

    private var alive: Bool { kill(process, 0) == 0 }

    /// A field of `/proc/PID/status` in KiB, like `VmRSS`; 0 where there is none.
    func kilobytes(_ field: String) -> Double {
        for line in (wholeText("/proc/\(process)/status") ?? "").split(separator: "\n")
        where line.hasPrefix(field + ":") {
            return line.split(separator: " ").compactMap { Double(String($0)) }.first ?? 0
        }
        return 0
    }

    /// Makes `VmHWM` start again from what is resident now.
    func forgetPeak() {
        guard let file = fopen("/proc/\(process)/clear_refs", "w") else { return }
        fputs("5", file)
        fclose(file)
    }
}

/// Where threads may run.
enum Cores {
    static let count = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    /// Keeps all threads of `process`, 0 for the calling one, on one core; nil lets them run anywhere again.
    static func place(_ process: pid_t, on core: Int?) {
        let processor = Int32(core ?? -1)
        guard process != 0, let directory = opendir("/proc/\(process)/task") else {
            _ = coffer_place_thread(0, processor)
            return
        }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            // A thread that has ended meanwhile needs no place.
            if let thread = pid_t(name) { _ = coffer_place_thread(thread, processor) }
        }
    }

    /// Runs `body` with ourselves and `processes` on the same core.
    static func together<R>(_ processes: [pid_t], _ body: () throws -> R) rethrows -> R {
        let core = count - 1
        for process in [0] + processes { place(process, on: core) }
        defer { for process in [0] + processes { place(process, on: nil) } }
        return try body()
    }
}

/// The text of a file; nil if it cannot be read.
func wholeText(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&buffer, 1, buffer.count, file)
        if count == 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes += buffer[..<count]
    }
}

/// Runs a program to its end.
///
/// - Throws: ``Trouble`` if it ends with anything but success.
func runToEnd(_ words: [String], output: String = "/dev/null") throws {
    let (status, _) = try ChildProcess(words, output: output).wait()
    guard status == 0 else { throw Trouble("\(words.joined(separator: " ")) ended with status \(status)") }
}
