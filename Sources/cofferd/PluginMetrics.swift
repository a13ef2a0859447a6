import CofferPluginHost
import CofferSystem

/// The numbers that plugins tell, for `GET /metrics`.
///
/// Each is called `coffer_plugin_NAME` and labelled with its storage; characters that Prometheus does not take in a name
/// become `_`. A name has one kind: that of the first number that came under it.
final class PluginMetrics: Sendable {
    private struct Series: Hashable {
        var name: String
        var labels: String
    }

    private struct State {
        var kinds: [String: PluginEvents.Metric.Kind] = [:]
        /// The value, and of timings how many there were.
        var values: [Series: (sum: Double, count: Int)] = [:]
    }

    /// Plugins make names and labels: they must not fill the host's memory.
    private static let limit = 4096

    private let state = Locked(State())

    /// Takes a number: counters and timings add up, a gauge is what it was last.
    func take(_ metric: PluginEvents.Metric) {
        let name = "coffer_plugin_" + Self.word(metric.name)
        var labels = metric.storage.map { ["storage=\"\(Self.escaped($0))\""] } ?? []
        for label in metric.labels {
            let name = Self.word(label.name)
            labels.append("\(name == "storage" ? "label_storage" : name)=\"\(Self.escaped(label.value))\"")
        }
        let series = Series(name: name, labels: labels.isEmpty ? "" : labels.joined(separator: ","))
        state.withLock { state in
            let kind = state.kinds[name] ?? metric.kind
            guard kind == metric.kind else { return }
            guard let old = state.values[series] else {
                guard state.values.count < Self.limit else { return }
                state.kinds[name] = kind
                state.values[series] = (metric.value, 1)
                return
            }
            state.values[series] = kind == .gauge ? (metric.value, 1) : (old.sum + metric.value, old.count + 1)
        }
    }

    /// Everything in the Prometheus text format (version 0.0.4).
    func text() -> String {
        let state = state.withLock { $0 }
        var text = ""
        for (name, kind) in state.kinds.sorted(by: { $0.key < $1.key }) {
            text += "# TYPE \(name) \(kind == .counter ? "counter" : kind == .gauge ? "gauge" : "summary")\n"
            let values = state.values.filter { $0.key.name == name }.sorted { $0.key.labels < $1.key.labels }
            for (series, value) in values {
                let labels = series.labels.isEmpty ? "" : "{\(series.labels)}"
                if kind == .timing {
                    text += "\(name)_sum\(labels) \(value.sum)\n\(name)_count\(labels) \(value.count)\n"
                } else {
                    text += "\(name)\(labels) \(value.sum)\n"
                }
            }
        }
        return text
    }

    private static func word(_ text: String) -> String {
        let characters = text.utf8.prefix(128).map { byte -> Character in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                Character(UnicodeScalar(byte))
            default: "_"
            }
        }
        return String(characters)
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.prefix(256) {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.append(character)
            }
        }
        return result
    }
}
