// What repeated measuring gave, and how the parties of one row are measured in turn.
import CofferSystem

/// The median of several rounds, with the least and the most.
struct Figure {
    let median: Double
    let least: Double
    let most: Double

    init(_ values: [Double]) {
        let sorted = values.sorted()
        least = sorted.first ?? 0
        most = sorted.last ?? 0
        median = sorted.median
    }
}

extension [Double] {
    /// The middle of sorted values.
    var median: Double {
        guard !isEmpty else { return 0 }
        return count % 2 == 1 ? self[count / 2] : (self[count / 2 - 1] + self[count / 2]) / 2
    }

    /// The value below which `share` of the sorted values lie.
    func quantile(_ share: Double) -> Double {
        isEmpty ? 0 : self[Swift.min(count - 1, Int(Double(count) * share))]
    }
}

/// One of those that are compared: its name, and one round of it.
struct Party {
    let name: String
    let round: () throws -> Double

    init(_ name: String, _ round: @escaping () throws -> Double) {
        self.name = name
        self.round = round
    }
}

/// Measures all parties in turn, A B C A B C …, so that what the machine does besides meets each of them.
///
/// A first round of each warms up and does not count.
func interleaved(_ rounds: Int, _ parties: [Party]) throws -> [Figure] {
    var values = [[Double]](repeating: [], count: parties.count)
    for round in 0...rounds {
        for (index, party) in parties.enumerated() {
            let value = try party.round()
            if round > 0 { values[index].append(value) }
        }
    }
    return values.map(Figure.init)
}

/// How long `body` takes, in seconds.
func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = MonotonicTime.now
    try body()
    return Double(MonotonicTime.now.nanoseconds - start.nanoseconds) / 1e9
}

/// Why a row cannot be measured, for a person.
struct Trouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
