// Putting a finished file at its key, and taking one away.

import CofferPluginSDK
import SFTPWire

extension Store {
    /// How often something that others undo meanwhile is tried.
    private static let tries = 50

    /// Refuses a write to a place where it cannot be published.
    func check(_ sight: Sight, at place: Place, isCreateOnly: Bool) throws(BackendError) {
        switch sight {
        case .nothing: return
        case .file:
            if isCreateOnly { throw BackendError(.alreadyExists, "already exists: \(place.words)") }
        case .directory: throw BackendError(.alreadyExists, "other keys lie below it: \(place.words)")
        case .blocked: throw BackendError(.alreadyExists, "part of its path is an object: \(place.words)")
        }
    }

    /// Gives a finished file its key; true when nothing of the unpublished one is left.
    func publish(
        _ path: [UInt8],
        at place: Place,
        _ seen: Sight,
        isCreateOnly: Bool,
        on connection: Connection,
        _ call: Call
    ) throws(BackendError) -> Bool {
        let target = place.path(below: connection.server.root)
        var made = try makeParents(of: place, seen, on: connection, call)
        for _ in 0..<Self.tries {
            var opened: [Reply] = []
            let status = try install(path, target, isCreateOnly: isCreateOnly, on: connection, call) {
                () throws(BackendError) in opened = try openDirectories(of: place, made: made, on: connection)
            }
            if status.isOK {
                // A second name is left where the first was linked.
                if isCreateOnly { removeUnpublished(path, on: connection) }
                try settle(opened, place, on: connection, call)
                return true
            }
            for reply in opened { connection.abandon(reply) }
            // The server gives no reason: what stands there now is one.
            let sight = try connection.look(at: place, call)
            try check(sight, at: place, isCreateOnly: isCreateOnly)
            guard case .nothing(let directories) = sight else {
                throw explained(status, "cannot publish \(place.words)", on: connection, call)
            }
            guard status.code == Status.noSuchFile || directories < place.ancestors(below: []).count else {
                throw explained(status, "cannot publish \(place.words)", on: connection, call)
            }
            made = min(made, try makeParents(of: place, sight, on: connection, call))
        }
        throw BackendError(.unavailable, "others keep removing the folder of \(place.words)", isRetryable: true)
    }

    /// Changes the name; `meanwhile` may send what need not wait for it.
    private func install(
        _ path: [UInt8],
        _ target: [UInt8],
        isCreateOnly: Bool,
        on connection: Connection,
        _ call: Call,
        meanwhile: () throws(BackendError) -> Void
    ) throws(BackendError) -> Status {
        let change: Reply
        if isCreateOnly {
            change = try connection.request(extension: ExtensionName.hardLink, path, target)
        } else if connection.server.hasPosixRename {
            change = try connection.request(extension: ExtensionName.posixRename, path, target)
        } else {
            // Version 3 alone replaces nothing: for a moment there is no object.
            let removal = try connection.status(try connection.request(PacketType.remove, target), call)
            guard removal.isOK || removal.code == Status.noSuchFile else { return removal }
            change = try connection.submit { id in
                var packet = Packet(PacketType.rename, id: id)
                packet.string(path)
                packet.string(target)
                return packet
            }
        }
        do throws(BackendError) {
            try meanwhile()
            return try connection.status(change, call)
        } catch {
            // Without an answer nobody knows whether it was done, so it must not be done again.
            var error = error
            error.isMaybeApplied = true
            error.isRetryable = false
            throw error
        }
    }

    /// Makes the directories of a place; answers how many there were.
    private func makeParents(
        of place: Place,
        _ seen: Sight,
        on connection: Connection,
        _ call: Call
    ) throws(BackendError) -> Int {
        let paths = place.ancestors(below: connection.server.root)
        guard case .nothing(let directories) = seen, directories < paths.count else { return paths.count }
        for path in paths[directories...] {
            let status = try connection.status(try connection.makeDirectory(path, mode: settings.directoryMode), call)
            // What another writer made meanwhile fails as well; what is really wrong shows when the file is renamed.
            if status.code == Status.permissionDenied { throw status.error("cannot make a folder for \(place.words)") }
        }
        return directories
    }

    /// Opens the directory of a place, and each one above that holds a new one, to sync them.
    private func openDirectories(
        of place: Place,
        made: Int,
        on connection: Connection
    ) throws(BackendError) -> [Reply] {
        guard settings.isDurable, settings.isOpenSSH else { return [] }
        var opened: [Reply] = []
        for path in directories(of: place, on: connection)[made...] { opened.append(try connection.open(path, .read)) }
        return opened
    }

    /// The root and the directories of a place.
    private func directories(of place: Place, on connection: Connection) -> [[UInt8]] {
        let root = connection.server.root
        return [root.isEmpty ? [UInt8(ascii: "/")] : root] + place.ancestors(below: root)
    }

    /// Syncs directories.
    private func settle(
        _ opened: [Reply],
        _ place: Place,
        on connection: Connection,
        _ call: Call
    ) throws(BackendError) {
        var synced: [Reply] = []
        for reply in opened {
            // A directory that is gone again holds nothing to sync.
            guard let handle = try connection.handle(reply, call).value else { continue }
            synced.append(try connection.request(extension: ExtensionName.sync, handle))
            connection.close(handle)
        }
        for reply in synced {
            let status = try connection.status(reply, call)
            guard status.isOK else {
                var error = status.error("cannot sync the folder of \(place.words)")
                error.isMaybeApplied = true
                throw error
            }
        }
    }

    /// Removes an unpublished file; on a broken connection it is left to a later sweep.
    func removeUnpublished(_ path: [UInt8], on connection: Connection) {
        guard let reply = try? connection.request(PacketType.remove, path) else { return }
        connection.abandon(reply)
    }

    /// Removes the object at a place, if the request allows it.
    func remove(_ request: RemoveRequest, at place: Place, on connection: Connection, _ call: Call) throws(BackendError)
    {
        guard case .file = try connection.look(at: place, call) else {
            _ = try request.check(existing: nil)
            return
        }
        let path = place.path(below: connection.server.root)
        let status = try connection.status(try connection.request(PacketType.remove, path), call)
        guard status.isOK || status.code == Status.noSuchFile else {
            throw explained(status, "cannot remove \(place.words)", on: connection, call)
        }
        try prune(place, on: connection, call)
    }

    /// Removes the directories of a place as long as they are empty, and syncs the one that stays.
    func prune(_ place: Place, on connection: Connection, _ call: Call) throws(BackendError) {
        let paths = place.ancestors(below: connection.server.root)
        // A directory that is not empty is not removed, and then neither is any above it.
        var replies: [Reply] = []
        for path in paths.reversed() { replies.append(try connection.request(PacketType.removeDirectory, path)) }
        var removed = 0
        for reply in replies where try connection.status(reply, call).isOK { removed += 1 }
        guard settings.isDurable, settings.isOpenSSH else { return }
        let survivor = directories(of: place, on: connection)[paths.count - removed]
        try settle([try connection.open(survivor, .read)], place, on: connection, call)
    }
}
