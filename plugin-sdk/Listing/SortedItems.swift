// What one directory holds, in byte order, in memory that is bounded whatever it holds.

import CofferPluginSDK

/// What one directory holds: gathered, then taken in order, once.
struct SortedItems {
    private var batch = ItemBatch()
    private var next = 0
    private var runs: [ItemRun] = []

    /// What it takes in memory.
    var weight: Int { batch.weight + runs.count * (33 << 10) }

    /// Adds an item; once `limit` is passed, what was gathered moves to a file.
    mutating func add(_ item: DirectoryItem, limit: Int) throws(BackendError) {
        batch.add(item)
        guard weight > limit else { return }
        batch.sort()
        runs.append(try ItemRun(batch))
        batch = ItemBatch()
    }

    /// Ends the gathering.
    mutating func finish() throws(BackendError) {
        batch.sort()
        for run in runs { try run.advance() }
    }

    /// The next item, or nil at the end.
    mutating func take() throws(BackendError) -> SortedItem? {
        // Few runs, so the least is found by looking at each.
        var least: ItemRun?
        for run in runs {
            guard let item = run.current else { continue }
            if let known = least?.current,
                !item.name.withUnsafeBytes({ left in
                    known.name.withUnsafeBytes { precedes(left, $0) }
                })
            {
                continue
            }
            least = run
        }
        let fromBatch = next < batch.count ? batch.withRecord(next) { SortedItem($0) } : nil
        if let least, let item = least.current {
            let isBatchFirst =
                fromBatch.map { mine in
                    mine.name.withUnsafeBytes { left in item.name.withUnsafeBytes { precedes(left, $0) } }
                } ?? false
            if !isBatchFirst {
                try least.advance()
                return item
            }
        }
        if fromBatch != nil { next += 1 }
        return fromBatch
    }
}
