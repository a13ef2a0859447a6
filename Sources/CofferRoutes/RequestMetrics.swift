import CofferSystem
import Synchronization

/// Counts requests by storage and operation, for `GET /metrics`.
///
/// A request costs one look-up and three atomic additions.
package final class RequestMetrics: Sendable {
    private let series = Locked<[Label: Series]>([:])

    package init() {}

    /// Counts one finished request.
    package func count(storage: String, operation: String, status: Int, nanoseconds: Int64) {
        let label = Label(storage: storage, operation: operation)
        let series = series.withLock { all in
            if let known = all[label] { return known }
            let new = Series()
            all[label] = new
            return new
        }
        series.count(status: status, nanoseconds: nanoseconds)
    }

    /// Everything counted so far, in the Prometheus text format (version 0.0.4).
    package func text() -> String {
        let all = series.withLock { $0 }.sorted { $0.key < $1.key }
        var text = "# HELP coffer_requests_total Requests answered, by storage, operation and class of status.\n"
        text += "# TYPE coffer_requests_total counter\n"
        for (label, series) in all {
            for (index, name) in Series.classes.enumerated() {
                let count = series.statuses[index].value
                if count > 0 { text += "coffer_requests_total{\(label),status=\"\(name)\"} \(count)\n" }
            }
        }
        text += "# HELP coffer_request_seconds Time from a request's head to the start of its answer.\n"
        text += "# TYPE coffer_request_seconds histogram\n"
        for (label, series) in all {
            var total = 0
            for (index, bound) in Series.bounds.enumerated() {
                total += series.buckets[index].value
                text += "coffer_request_seconds_bucket{\(label),le=\"\(bound.text)\"} \(total)\n"
            }
            total += series.buckets[Series.bounds.count].value
            text += "coffer_request_seconds_bucket{\(label),le=\"+Inf\"} \(total)\n"
            let sum = Double(series.nanoseconds.load(ordering: .relaxed)) / 1e9
            text += "coffer_request_seconds_sum{\(label)} \(sum)\n"
            text += "coffer_request_seconds_count{\(label)} \(total)\n"
        }
        return text
    }
}

/// What one series is about.
private struct Label: Hashable, Comparable, CustomStringConvertible {
    var storage: String
    var operation: String

    static func < (left: Label, right: Label) -> Bool {
        (left.storage, left.operation) < (right.storage, right.operation)
    }

    // A storage's name is made of letters, digits, - and _: nothing to escape.
    var description: String { "storage=\"\(storage)\",operation=\"\(operation)\"" }
}

/// The counters of one storage and operation.
private final class Series: Sendable {
    static let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"]
    static let bounds: [(nanoseconds: Int64, text: String)] = [
        (100_000, "0.0001"), (1_000_000, "0.001"), (10_000_000, "0.01"), (100_000_000, "0.1"), (1_000_000_000, "1"),
        (10_000_000_000, "10"),
    ]

    let statuses = Series.classes.map { _ in Counter() }
    let buckets = (0...Series.bounds.count).map { _ in Counter() }
    let nanoseconds = Atomic<Int64>(0)

    func count(status: Int, nanoseconds: Int64) {
        statuses[min(max(status / 100 - 1, 0), 4)].increment()
        let bucket = Series.bounds.firstIndex { nanoseconds <= $0.nanoseconds } ?? Series.bounds.count
        buckets[bucket].increment()
        self.nanoseconds.add(nanoseconds, ordering: .relaxed)
    }
}

/// A number that only grows.
private final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }

    func increment() { count.add(1, ordering: .relaxed) }
}
