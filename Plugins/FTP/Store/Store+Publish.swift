// How what was uploaded gets its name, in one step where the server has one.

import CofferPluginSDK
import Glibc

extension Store {
    /// How a rename ended.
    private enum Renaming {
        case done
        /// There is nothing at the old name.
        case noSource(Reply)
        case refused(Reply)
    }

    /// Somebody who removes empty directories may undo what was made for a rename.
    private static let mostRenames = 8

    /// How a publication ended.
    enum Publication {
        case done(Facts)
        /// The connection broke while the name was given: `settle` finds out.
        case unclear(Facts, String)
    }

    /// Gives the file at `temporary` the name of a key.
    func publish(
        _ temporary: [UInt8],
        as name: [UInt8],
        size: Int64,
        modified: Int64?,
        _ control: Control,
        _ patience: Patience
    ) throws(Fault) -> Publication {
        let target = path(name)
        let parents = Self.directories(to: target, below: server.base.count)
        let made = try makeDirectories(parents, control, patience)
        do throws(Fault) {
            if let modified { try set(modified, temporary, control, patience) }
            guard var facts = try Looking(control).look(temporary, patience) else {
                throw .failed(BackendError(.io, "what was uploaded is gone: \(words(name))", isRetryable: true))
            }
            guard facts.size == size else {
                throw .failed(BackendError(.io, "the server kept \(facts.size) of \(size) bytes: \(words(name))"))
            }
            facts = try makeUnmistakable(facts, temporary, target, control, patience)
            do throws(Fault) {
                try rename(temporary, target, name, control, patience)
            } catch {
                guard case .lost(let reason) = error else { throw error }
                return .unclear(facts, reason)
            }
            for parent in parents { server.remember(parent) }
            return .done(facts)
        } catch {
            // Directories that were made for nothing are removed again; if that fails too, they are empty and seen by nobody.
            if !made.isEmpty, !control.isBroken { try? prune(target, control, patience) }
            throw error
        }
    }

    /// Finds out, on another connection, whether a file got its name, and gives it that name if not.
    func settle(
        _ facts: Facts,
        _ reason: String,
        _ temporary: [UInt8],
        as name: [UInt8],
        _ patience: Patience
    ) throws(Fault) {
        let unclear = BackendError(
            .unavailable,
            "the connection broke while \(words(name)) was published: \(reason)",
            isRetryable: true,
            isMaybeApplied: true
        )
        do throws(Fault) {
            try pool.repeating(patience) { control throws(Fault) in
                if try Looking(control).look(temporary, patience) != nil {
                    try rename(temporary, path(name), name, control, patience)
                }
            }
        } catch {
            throw .failed(unclear)
        }
    }

    // MARK: Steps

    /// Sets the time of a file, to the second.
    private func set(_ time: Int64, _ path: [UInt8], _ control: Control, _ patience: Patience) throws(Fault) {
        guard let text = Timestamp.text(of: time) else {
            throw .failed(BackendError(.invalidArgument, "a time before the year 1 or after 9999 cannot be set"))
        }
        let reply = try control.ask(try command("MFMT", text + [0x20] + path), patience)
        server.known.withLock { $0.changesTimes = reply.isDone }
        guard reply.isDone else { throw .failed(reply.error("the server does not set the time (MFMT)")) }
    }

    /// Sets the time of a file forward until its token is no recent one of that path.
    private func makeUnmistakable(
        _ facts: Facts,
        _ temporary: [UInt8],
        _ target: [UInt8],
        _ control: Control,
        _ patience: Patience
    ) throws(Fault) -> Facts {
        var facts = facts
        var ahead: UInt64 = 0
        while hasTokens, facts.token != 0, !recent.take(facts.token, for: target, ahead: ahead), ahead < 1000 {
            ahead += 1
            do throws(Fault) {
                try set(facts.modified &+ 1_000_000_000, temporary, control, patience)
            } catch {
                if case .lost = error { throw error }
                // A server that does not set times gets no more tokens, from now on.
                break
            }
            guard let changed = try Looking(control).look(temporary, patience) else { break }
            facts = changed
        }
        return facts
    }

    /// Renames, and makes room where the server must have it made.
    func rename(
        _ from: [UInt8],
        _ target: [UInt8],
        _ name: [UInt8],
        _ control: Control,
        _ patience: Patience
    ) throws(Fault) {
        let parents = Self.directories(to: target, below: server.base.count)
        var missing: [[UInt8]] = []
        for attempt in 0..<Self.mostRenames {
            switch try tryRename(from, target, making: missing, control, patience) {
            case .done: return
            case .noSource(let reply): throw .failed(reply.error("cannot rename to \(words(name))"))
            case .refused(let reply):
                // Somebody may have removed a directory that was known to be there: they are made together with the rename.
                for parent in parents { server.forget(parent) }
                missing = rootDirectories + parents
                guard attempt > 0 else { continue }
                guard attempt < Self.mostRenames - 1, try makeRoom(reply, target, parents, name, control, patience)
                else {
                    throw .failed(reply.error("cannot publish \(words(name))"))
                }
            }
        }
    }

    private func tryRename(
        _ from: [UInt8],
        _ target: [UInt8],
        making missing: [[UInt8]],
        _ control: Control,
        _ patience: Patience
    ) throws(Fault) -> Renaming {
        for path in missing { control.send(try command("MKD", path)) }
        control.send(try command("RNFR", from))
        control.send(try command("RNTO", target))
        // One that is there already is refused, as is one that cannot be made: the rename tells.
        for _ in missing { _ = try control.answer(patience) }
        let source = try control.answer(patience)
        let reply = try control.answer(patience)
        guard source.code == 350 else { return .noSource(source) }
        return reply.isDone ? .done : .refused(reply)
    }

    /// Does what can be done about a refused rename whose directories are there; whether to try again.
    private func makeRoom(
        _ reply: Reply,
        _ target: [UInt8],
        _ parents: [[UInt8]],
        _ name: [UInt8],
        _ control: Control,
        _ patience: Patience
    ) throws(Fault) -> Bool {
        if try Looking(control).isDirectory(target, patience) {
            // An empty one is nobody's.
            if try control.ask(try command("RMD", target), patience).isDone { return true }
            throw .failed(BackendError(.alreadyExists, "other keys lie below it: \(words(name))"))
        }
        if try Looking(control).look(target, patience) != nil {
            guard !settings.isAtomic else {
                throw .failed(
                    BackendError(
                        .permission,
                        "the server does not replace \(words(name)) by a rename, though option atomic_rename says so: "
                            + "it answered \(reply.code) \(reply.words)"
                    )
                )
            }
            return try control.ask(try command("DELE", target), patience).isDone
        }
        for parent in parents where try Looking(control).look(parent, patience)?.kind == .file {
            throw .failed(BackendError(.alreadyExists, "part of its path is an object: \(words(name))"))
        }
        // Nothing is in the way: somebody removed the directories once more, unless the server says that it will not.
        return !reply.saysForbidden
    }
}
