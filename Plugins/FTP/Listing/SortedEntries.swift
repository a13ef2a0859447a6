// The entries of one directory in byte order, in memory that is bounded whatever the directory holds.

import CofferPluginSDK

/// The entries of one directory: gathered, then taken in order, once.
///
/// What is more than the limit is sorted and moved to a file, run by run; taking merges the runs with what stayed.
struct SortedEntries {
    private var batch = EntryBatch()
    private var runs: [EntryRun] = []
    private var file: RunFile?
    private let limit: Int
    private var next = 0
    private var last: [UInt8] = []

    /// Nothing was gathered; up to `limit` bytes stay in memory.
    init(limit: Int) { self.limit = limit }

    /// What it takes in memory.
    var weight: Int { batch.weight + runs.count * EntryRun.weight }

    /// Adds an entry.
    mutating func add(_ name: some Collection<UInt8>, _ facts: Facts) throws(BackendError) {
        batch.add(name, isDirectory: facts.kind == .directory, facts.size, facts.modified, facts.token)
        guard batch.weight > limit else { return }
        batch.sort()
        if file == nil { file = try RunFile() }
        guard let file else { return }
        runs.append(try EntryRun(batch, in: file))
        batch = EntryBatch()
    }

    /// Ends the gathering.
    mutating func finish() { batch.sort() }

    /// The next entry; nil at the end.
    mutating func take() throws(BackendError) -> DirectoryEntry? {
        while let entry = try takeLeast() {
            // The same name in two runs: a server that lists a directory while it changes.
            if entry.name == last { continue }
            last = entry.name
            return entry
        }
        return nil
    }

    private mutating func takeLeast() throws(BackendError) -> DirectoryEntry? {
        // Few runs, so the least is found by looking at each.
        var best: (entry: DirectoryEntry, run: Int?)? = next < batch.count ? (batch.entry(next), nil) : nil
        for index in runs.indices {
            guard let entry = runs[index].current else { continue }
            if let known = best, !entry.name.lexicographicallyPrecedes(known.entry.name) { continue }
            best = (entry, index)
        }
        guard let best else { return nil }
        if let run = best.run { try runs[run].advance() } else { next += 1 }
        return best.entry
    }
}
