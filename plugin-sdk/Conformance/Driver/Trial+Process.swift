import Glibc

// What the whole process holds. Where it runs more than this trial, the counts say nothing of the plugin, and are 0.

extension Trial {
    /// Descriptors that this process holds.
    func openDescriptors() -> Int { factory.sharesProcess ? 0 : namesInDirectory("/proc/self/fd").count }

    /// Threads that this process runs.
    func runningThreads() -> Int { factory.sharesProcess ? 0 : namesInDirectory("/proc/self/task").count }

    /// Resident memory in bytes.
    func residentBytes() -> Int {
        guard !factory.sharesProcess, let file = fopen("/proc/self/statm", "re") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, 128, file) != nil else { return 0 }
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let words = text.split(separator: " ")
        return words.count > 1 ? (Int(words[1]) ?? 0) * Int(getpagesize()) : 0
    }
}
