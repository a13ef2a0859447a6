import CofferConformance
import Glibc

/// Runs each case in a process of its own, so that a plugin that crashes fails one case and not the tool.
struct Worker {
    let path: String
    let arguments: [String]

    mutating func run(_ item: ConformanceCase) throws -> Report {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Refusal(reason: "\(path): no pipe could be made (error \(errno))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        let words = ["coffer-plugin-check", "check", path, "--in-process", "--json", "--case", item.name] + arguments
        var list: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        list.append(nil)
        defer { for word in list { free(word) } }
        var child = pid_t()
        let failed = posix_spawn(&child, "/proc/self/exe", &actions, nil, list, environ)
        close(ends[1])
        guard failed == 0 else { throw Refusal(reason: "\(path): no process could be made (error \(failed))") }
        let output = readAll(ends[0])
        var status: Int32 = 0
        while waitpid(child, &status, 0) == -1 && errno == EINTR {}
        if let report = Report(item, json: output) { return report }
        let signal = status & 0x7F
        let end = signal != 0 ? "the process died of signal \(signal)" : "the process ended with \(status >> 8 & 0xFF)"
        var report = Report(item, .passed)
        report.result = "failed"
        report.expected = "the plugin to survive"
        report.got = end
        report.calls = [
            "coffer-plugin-check check \(path) --in-process --case \(item.name) \(arguments.joined(separator: " "))"
        ]
        return report
    }

    private func readAll(_ descriptor: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return all }
            all += buffer[..<count]
        }
    }
}
