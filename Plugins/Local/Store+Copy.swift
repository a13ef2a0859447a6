// Copies and moves inside a root.

import CLocal
import CofferPluginSDK
import Glibc

extension Store {
    /// Copies an object, or gives it other metadata, by a new file that shares the bytes where the file system can.
    func copy(_ request: CopyRequest, from: Place, to: Place, call: Call) throws(BackendError) -> Entry {
        let isInPlace = request.from == request.to
        if isInPlace && request.replacement == nil {
            throw BackendError(.invalidArgument, "a copy to itself must replace the metadata: \(request.from)")
        }
        let source = try existing(request, from)
        let draft = try Draft(in: self, attempt: request.attempt)
        defer { draft.discard() }
        let transfer = Transfer(fileSystem: fileSystem)
        let done = try transfer.copy(source.file.number, 0, source.facts.size, to: draft, call: call)
        let after = try explaining("cannot look at \(from.words)") { () throws(Refusal) in try source.file.facts() }
        guard done == source.facts.size, after.size == source.facts.size, after.mtime_ns == source.facts.mtime_ns else {
            throw BackendError(.changed, "changed while it was copied: \(request.from)", isRetryable: true)
        }
        var record = source.record ?? Record(generation: 0)
        record.generation = nextGeneration()
        record.isStub = false
        if !source.isUnchanged { record.digests = Checksums() }
        var modified = record.hasGivenTime ? source.facts.mtime_ns : nil
        if let replacement = request.replacement {
            record.properties = replacement.properties
            record.metadata = replacement.metadata
            modified = replacement.modified
        }
        record.hasGivenTime = modified != nil
        try draft.seal(record, modified: modified, keys: [to.key])
        guard isInPlace else { return try publish(draft, at: to, conditions: request.conditions, call: call) }
        return try publish(draft, at: to, conditions: request.conditions, call: call) { token throws(BackendError) in
            // Another version came meanwhile: new metadata on old bytes would undo it.
            guard token == source.token else {
                throw BackendError(.changed, "changed while it was copied: \(request.from)", isRetryable: true)
            }
        }
    }

    /// Moves an object by one rename.
    func move(_ request: CopyRequest, from: Place, to: Place, call: Call) throws(BackendError) -> Entry {
        guard request.replacement == nil else { throw .unsupported("a move that replaces the metadata") }
        guard request.from != request.to else {
            throw BackendError(.invalidArgument, "a move to itself: \(request.from)")
        }
        var directory: Descriptor?
        let entry = try reserve().locks.locking([from.key, to.key], call: call) { () throws(BackendError) in
            let source = try existing(request, from)
            let target = try open(to)
            try request.conditions.checkWrite(request.to, existing: target?.token)
            if let name = source.sidecar, let record = source.record {
                try describe(source, record, at: [from.key, to.key], as: name)
            }
            directory = try rename(from, to, isSameFile: target?.facts.inode == source.facts.inode)
            withExtendedLifetime(target) {
                if let old = target?.sidecar, old != source.sidecar { sidecars.remove(old) }
            }
            return try explaining("cannot look at \(to.words)") { () throws(Refusal) in
                try Snapshot(
                    source.file,
                    try source.file.facts(),
                    sidecars: sidecars,
                    hashing: settings.isHashing
                ).entry(request.to)
            }
        }
        // The new name first: between the two there may be both, never neither.
        if let directory { try settle(directory, at: to.parent, to) }
        try settleSurvivor(of: tree.prune(from.parent), from)
        return entry
    }

    private func existing(_ request: CopyRequest, _ from: Place) throws(BackendError) -> Snapshot {
        guard let source = try open(from) else { throw .notFound(request.from) }
        try Conditions(ifMatch: request.sourceIfMatch).checkWrite(request.from, existing: source.token)
        return source
    }

    private func describe(
        _ source: Snapshot,
        _ record: Record,
        at keys: [[UInt8]],
        as name: [UInt8]
    ) throws(BackendError) {
        let reserve = try reserve()
        let sidecar = Sidecar(session: reserve.session, facts: source.facts, keys: keys, record: record)
        try explaining("cannot keep the metadata") { () throws(Refusal) in
            try sidecars.write(sidecar, as: name, reserve: reserve, durable: settings.isDurable)
        }
    }

    private func rename(_ from: Place, _ to: Place, isSameFile: Bool) throws(BackendError) -> Descriptor {
        do throws(Refusal) {
            let source = try tree.openDirectory(from.parent)
            for _ in 0..<1000 {
                let target = try makeParent(of: to)
                // Two names of one file: a rename would do nothing and say that all is well.
                let result =
                    isSameFile
                    ? withName(from.name) { local_unlinkat(source.number, $0, 0) }
                    : withName(from.name) { old in
                        withName(to.name) { local_renameat(source.number, old, target.number, $0, 0) }
                    }
                if result == 0 { return target }
                guard result == -ENOENT else { throw Refusal(number: -result) }
                var facts = local_facts.none
                guard withName(from.name, { local_facts_at(source.number, $0, &facts) }) == 0 else {
                    throw Refusal(number: ENOENT)
                }
            }
            throw Refusal(number: EAGAIN)
        } catch {
            switch error.number {
            case EISDIR, ENOTEMPTY:
                throw BackendError(.alreadyExists, "other keys lie below it: \(to.words)", native: error.number)
            case ENOTDIR:
                throw BackendError(.alreadyExists, "part of its path is an object: \(to.words)", native: error.number)
            default: throw error.error("cannot move \(from.words)")
            }
        }
    }
}
