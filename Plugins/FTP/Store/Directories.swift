// What directories on the server hold, for the listing.

import CofferListing
import CofferPluginSDK

/// The tree of a storage, read over whatever connection is there.
final class Directories: DirectoryTree {
    private let store: Store

    /// The tree of a store.
    init(_ store: Store) { self.store = store }

    func readDirectory(
        _ path: [UInt8],
        call: Call,
        _ body: (DirectoryItem) throws(BackendError) -> Void
    ) throws(BackendError) {
        var name: [UInt8] = []
        if !path.isEmpty {
            // No object lies below a path that no key may have.
            guard let found = try? store.names.name(of: Array(path.dropLast())) else { return }
            name = found
        }
        let patience = store.patience(call)
        // Whoever has heard enough leaves the connection usable.
        var refusal: BackendError?
        try meaning { () throws(Fault) in
            try store.pool.repeating(patience) { control throws(Fault) in
                let directory = name.isEmpty ? store.server.base : store.path(name)
                try DirectoryReader(control).forEach(in: directory, patience) { facts, name in
                    guard let item = item(name, facts, atRoot: path.isEmpty) else { return true }
                    do throws(BackendError) { try body(item) } catch { refusal = error }
                    return refusal == nil
                }
            }
        }
        if let refusal { throw refusal }
    }

    private func item(_ name: ArraySlice<UInt8>, _ facts: Facts, atRoot: Bool) -> DirectoryItem? {
        guard facts.kind != .other, let segment = store.names.segment(of: name),
            !(atRoot && store.names.isReserved(segment[...]))
        else { return nil }
        return DirectoryItem(
            segment[...],
            isDirectory: facts.kind == .directory,
            size: facts.size,
            modified: facts.modified,
            etag: store.hasTokens ? Facts.tag(facts.token) : .empty
        )
    }

    /// Asks for the times of what LIST told: its own are too coarse, and in a zone that nobody knows.
    func complete(_ objects: inout [ListedObject], call: Call) throws(BackendError) {
        guard !store.server.hasMLSD, store.server.look == .sizeAndTime else { return }
        let patience = store.patience(call)
        let wanted = objects.indices.compactMap { index in
            (try? store.names.name(of: objects[index].key)).map { (index, store.path($0)) }
        }
        let times = try meaning { () throws(Fault) in
            try store.pool.repeating(patience) { control throws(Fault) in
                for (_, path) in wanted { control.send(try store.command("MDTM", path)) }
                var times: [Int64] = []
                for _ in wanted {
                    let reply = try control.answer(patience)
                    let time = reply.code == 213 ? Timestamp.parse(Looking.word(reply)) : nil
                    times.append(time ?? Entry.unknownTime)
                }
                return times
            }
        }
        for ((index, _), time) in zip(wanted, times) { objects[index].modified = time }
    }
}
