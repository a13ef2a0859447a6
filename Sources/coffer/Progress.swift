import CofferSystem
import Glibc

/// The bar of a long transfer on standard error, where a person sees it.
///
/// Nothing is shown in the first half second, so that short transfers stay silent.
struct Progress: ~Copyable {
    private let label: String
    private let total: Int64?
    private let start = MonotonicTime.now
    private var nextUpdate: MonotonicTime
    private var isShown = false
    private let isWanted = isatty(2) == 1

    init(_ label: String, total: Int64?) {
        self.label = label
        self.total = total
        nextUpdate = MonotonicTime.now.advanced(milliseconds: 500)
    }

    /// Shows that `done` bytes went.
    mutating func update(_ done: Int64) {
        guard isWanted else { return }
        let now = MonotonicTime.now
        guard now >= nextUpdate else { return }
        nextUpdate = now.advanced(milliseconds: 100)
        isShown = true
        let seconds = Double(now.nanoseconds - start.nanoseconds) / 1e9
        Output.writeAll(2, Array("\r\u{1B}[K\(Progress.line(label, done: done, total: total, seconds: seconds))".utf8))
    }

    /// Takes the bar away.
    mutating func clear() {
        guard isShown else { return }
        isShown = false
        Output.writeAll(2, Array("\r\u{1B}[K".utf8))
    }

    /// One state of the bar: how far, how fast, how long still.
    static func line(_ label: String, done: Int64, total: Int64?, seconds: Double) -> String {
        let rate = seconds > 0 ? Double(done) / seconds : 0
        let speed = "\(ByteCount.text(Int64(rate)))/s"
        guard let total, total > 0 else { return "\(label)  \(ByteCount.text(done))  \(speed)" }
        let share = min(1, Double(done) / Double(total))
        let filled = Int(share * 20)
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 20 - filled)
        let left = rate > 0 ? Int(Double(total - done) / rate) : 0
        return "\(label)  [\(bar)] \(Int(share * 100))%  \(ByteCount.text(done)) of \(ByteCount.text(total))"
            + "  \(speed)  ETA \(duration(left))"
    }

    static func duration(_ seconds: Int) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        guard seconds >= 3600 else { return "\(seconds / 60):\(two(seconds % 60))" }
        return "\(seconds / 3600):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }
}

/// Sizes for people.
enum ByteCount {
    /// `count` in the largest unit that leaves a digit before the point: `1.5 MiB`.
    static func text(_ count: Int64) -> String {
        guard count >= 1024 else { return "\(count) B" }
        var value = Double(count)
        var unit = 0
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        while value >= 1024 && unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = Int((value * 10).rounded(.down))
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
