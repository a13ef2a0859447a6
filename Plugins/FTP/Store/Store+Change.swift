// Removing and moving objects.

import CofferPluginSDK
import Glibc

extension Store {
    /// How many removals leave together.
    private static let batch = 32

    /// Removes an object.
    func remove(_ request: RemoveRequest, _ patience: Patience) throws(BackendError) {
        let name = try names.name(of: request.key.bytes)
        let isRemoved = try meaning { () throws(Fault) in
            try pool.repeating(patience) { control throws(Fault) in
                let path = path(name)
                let reply = try control.ask(try command("DELE", path), patience)
                guard try isGone(reply, path, control, patience) else { return false }
                try prune(path, control, patience)
                return true
            }
        }
        if !isRemoved && request.isStrict { throw .notFound(request.key) }
    }

    /// What an answer to DELE means: removed, or nothing was there.
    private func isGone(
        _ reply: Reply,
        _ path: [UInt8],
        _ control: Control,
        _ patience: Patience
    ) throws(Fault) -> Bool {
        if reply.isDone { return true }
        // Servers answer alike to what is not there and to what may not be removed.
        if try Looking(control).look(path, patience)?.kind == .file {
            var error = reply.error("cannot remove \(words(path))")
            if reply.code == 550 { error.code = .permission }
            throw .failed(error)
        }
        return false
    }

    /// Removes many objects; `results` hears of each.
    func removeBatch(_ requests: [RemoveRequest], _ results: BatchResults, _ patience: Patience) throws(BackendError) {
        var start = 0
        while start < requests.count {
            let items = start..<min(requests.count, start + Self.batch)
            start = items.upperBound
            var wanted: [(index: Int, name: [UInt8])] = []
            for index in items {
                do throws(BackendError) {
                    wanted.append((index, try names.name(of: requests[index].key.bytes)))
                } catch {
                    try results.report(index, error)
                }
            }
            let outcomes = try meaning { () throws(Fault) in
                try pool.repeating(patience) { control throws(Fault) in
                    try removeTogether(wanted.map { path($0.name) }, control, patience)
                }
            }
            for (item, outcome) in zip(wanted, outcomes) { try results.report(item.index, outcome) }
        }
    }

    private func removeTogether(
        _ paths: [[UInt8]],
        _ control: Control,
        _ patience: Patience
    ) throws(Fault) -> [BackendError?] {
        for path in paths { control.send(try command("DELE", path)) }
        var replies: [Reply] = []
        for _ in paths { replies.append(try control.answer(patience)) }
        var outcomes: [BackendError?] = []
        var pruned: Set<[UInt8]> = []
        for (path, reply) in zip(paths, replies) {
            do throws(Fault) {
                let parent = path.lastIndex(of: UInt8(ascii: "/")).map { Array(path[..<$0]) } ?? []
                if try isGone(reply, path, control, patience), pruned.insert(parent).inserted {
                    try prune(path, control, patience)
                }
                outcomes.append(nil)
            } catch {
                guard case .failed(let reason) = error, !control.isBroken else { throw error }
                outcomes.append(reason)
            }
        }
        return outcomes
    }

    /// Moves an object, in one step.
    func move(_ request: CopyRequest, _ patience: Patience) throws(BackendError) -> Entry {
        let from = try names.name(of: request.from.bytes)
        let to = try names.name(of: request.to.bytes)
        guard request.from != request.to else {
            throw BackendError(.invalidArgument, "source and target are the same object")
        }
        let (facts, unclear) = try meaning { () throws(Fault) in
            // Looked at on a connection that lives, so that the rename is not the first to find that it does not.
            try pool.repeating(patience) { control throws(Fault) -> (Facts, String?) in
                guard let facts = try Looking(control).look(path(from), patience), facts.kind == .file else {
                    throw .failed(.notFound(request.from))
                }
                do throws(Fault) {
                    try makeDirectories(
                        Self.directories(to: path(to), below: server.base.count),
                        control,
                        patience
                    )
                    try rename(path(from), path(to), to, control, patience)
                    try? prune(path(from), control, patience)
                    return (facts, nil)
                } catch {
                    guard case .lost(let reason) = error else { throw error }
                    return (facts, reason)
                }
            }
        }
        if let unclear {
            try meaning { () throws(Fault) in try settle(facts, unclear, path(from), as: to, patience) }
        }
        return entry(request.to, facts)
    }
}
