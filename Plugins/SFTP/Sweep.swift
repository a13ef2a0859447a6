// Removing what writers left that were killed, by their names, never by an object's.

import CofferPluginSDK
import Glibc
import SFTPWire

extension Store {
    /// Asks for the removal of what dead instances left; what fails is tried again by a later sweep.
    func sweep(on connection: Connection, _ call: Call) throws(BackendError) {
        let folder = connection.server.root + [UInt8(ascii: "/")] + Self.unpublished
        let opened = try connection.handle(try connection.request(PacketType.openDirectory, folder), call)
        guard let handle = opened.value else { return }  // Nothing was ever written here.
        defer { connection.close(handle) }
        let now = UInt64(max(0, time(nil)))
        var dead: [[UInt8]] = []
        while let names = try connection.names(try connection.request(PacketType.readDirectory, handle), call).value {
            for name in names where name.attributes.isPlainFile {
                guard let end = name.name.firstIndex(of: UInt8(ascii: "~")) else { continue }
                let age = now - min(now, UInt64(name.attributes.modified ?? .max))
                let isAlive = Session.isAlive(Array(name.name[..<end])) ?? (age < settings.leftoverAge)
                if !isAlive { dead.append(Array(name.name)) }
            }
        }
        for name in dead { removeUnpublished(unpublishedPath(name, on: connection), on: connection) }
        if !dead.isEmpty { host.log(.info, "removed \(dead.count) unfinished files of writers that are gone") }
    }
}
