// What directories on the server hold, for the listing.

import CofferListing
import CofferPluginSDK
import SFTPWire

/// The tree of a storage, read over whatever connection is there.
final class Directories: DirectoryTree {
    /// How many requests for names are on their way at once: OpenSSH answers each with a hundred names.
    private static let ahead = 4

    private let store: Store

    init(_ store: Store) { self.store = store }

    func readDirectory(
        _ path: [UInt8],
        call: Call,
        _ body: (DirectoryItem) throws(BackendError) -> Void
    ) throws(BackendError) {
        // A prefix that no key can have leads nowhere.
        let place: Place?
        if path.isEmpty {
            place = nil
        } else {
            guard let found = try? Place(ByteString(Array(path.dropLast()))) else { return }
            place = found
        }
        // What is handed over cannot be taken back: only the opening is tried twice.
        let opened = try store.repeating(call) { connection throws(BackendError) in
            try open(place, on: connection, call)
        }
        guard let (connection, handle) = opened else { return }
        var replies: [Reply] = []
        defer {
            for reply in replies { connection.abandon(reply) }
            connection.close(handle)
        }
        while true {
            while replies.count < Self.ahead {
                replies.append(try connection.request(PacketType.readDirectory, handle))
            }
            let answer = try connection.names(replies.removeFirst(), call)
            guard let names = answer.value else {
                if answer.status.code == Status.endOfFile { return }
                throw answer.status.error("cannot list \(String(decoding: path, as: UTF8.self))")
            }
            for name in names {
                guard let item = item(name, atRoot: path.isEmpty) else { continue }
                try body(item)
            }
        }
    }

    private func open(
        _ place: Place?,
        on connection: Connection,
        _ call: Call
    ) throws(BackendError) -> (Connection, [UInt8])? {
        var path = connection.server.root
        if let place {
            do throws(BackendError) {
                guard case .directory = try connection.look(at: place, call) else { return nil }
            } catch {
                // What lies behind a link is no key of ours.
                if error.code == .permission { return nil }
                throw error
            }
            path = place.path(below: path)
        } else if path.isEmpty {
            path = [UInt8(ascii: "/")]
        }
        let answer = try connection.handle(try connection.request(PacketType.openDirectory, path), call)
        if let handle = answer.value { return (connection, handle) }
        if answer.status.code == Status.noSuchFile { return nil }
        throw answer.status.error("cannot list \(place?.words ?? "the root")")
    }

    /// A key, or what leads to one; links, pipes and our own folder are neither.
    private func item(_ name: NamedAttributes, atRoot: Bool) -> DirectoryItem? {
        let attributes = name.attributes
        guard attributes.isDirectory || attributes.isPlainFile, !name.name.isEmpty, name.name.count <= 255,
            !(name.name.count <= 2 && name.name.allSatisfy { $0 == UInt8(ascii: ".") }),
            !(atRoot && name.name.elementsEqual(Place.reserved)),
            name.name.allSatisfy({ $0 < 0x80 }) || String(validating: name.name, as: UTF8.self) != nil
        else { return nil }
        return DirectoryItem(
            name.name,
            isDirectory: attributes.isDirectory,
            size: attributes.size.map { Int64(clamping: $0) } ?? -1,
            modified: attributes.modified.map { Int64($0) * 1_000_000_000 } ?? Entry.unknownTime
        )
    }
}
