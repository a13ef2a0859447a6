/// The latest calls that were made, for whoever has to reproduce a failure.
final class Steps: Sendable {
    private let lines = Guarded<[String]>([])

    func note(_ line: String) {
        lines.withLock {
            if $0.count == 12 { $0.removeFirst() }
            $0.append(line)
        }
    }

    var latest: [String] { lines.withLock { $0 } }
}
