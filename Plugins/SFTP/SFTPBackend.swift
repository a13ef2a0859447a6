// The backend that keeps objects as plain files on an SFTP server.

import CofferListing
import CofferPluginSDK
import SFTPWire
import SSHTransport

/// Objects as plain files on a server: the object `a/b` is the file `a/b` below the root.
final class SFTPBackend: StorageBackend {
    private let store: Store
    let traits: Traits

    init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {
        let configuration = try Configuration(options)
        store = configuration.makeStore(host)
        traits = configuration.traits
    }

    func close() { store.close() }

    func health(call: Call) throws(BackendError) -> Properties {
        try store.pool.repeating(call) { connection throws(BackendError) in
            let path = connection.server.root.isEmpty ? [UInt8(ascii: "/")] : connection.server.root
            let found = try connection.attributes(try connection.request(PacketType.stat, path), call)
            var facts: Properties = ["root": String(decoding: path, as: UTF8.self)]
            if found.value == nil {
                guard store.settings.makesRoot, found.status.code == Status.noSuchFile else {
                    throw found.status.error("cannot look at the root")
                }
                facts["root_state"] = "missing, made by the first write"
            } else {
                if connection.server.isReadOnly {
                    facts["access"] = "read-only"
                } else {
                    try store.requireWriting(on: connection)
                }
                if connection.server.hasFileSystem {
                    let space = try store.space(on: connection, call)
                    facts["bytes_free"] = String(space.available)
                    if space.isReadOnly { facts["file_system"] = "read-only" }
                }
            }
            return facts
        }
    }

    func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry {
        let place = try Place(request.key)
        return try store.repeating(call) { connection throws(BackendError) in
            guard case .file(let attributes) = try connection.look(at: place, call) else {
                throw .notFound(request.key)
            }
            return attributes.entry(request.key)
        }
    }

    func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        let place = try Place(request.key)
        return try store.repeating(call) { connection throws(BackendError) in
            let (found, handle) = try store.openObject(place, request.key, on: connection, call)
            let (seen, range, reader) = try FileReader.start(request.range, handle, found, on: connection, call)
            return ReadAnswer(entry: seen.entry(request.key), range: range, body: .stream(reader))
        }
    }

    func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        let place = try Place(request.key)
        return try store.repeating(call) { connection throws(BackendError) in
            try FileWriter(store, request, place, on: connection, call)
        }
    }

    func remove(_ request: RemoveRequest, call: Call) throws(BackendError) {
        let place = try Place(request.key)
        let body = { (connection: Connection) throws(BackendError) in
            try self.store.remove(request, at: place, on: connection, call)
        }
        // Removed twice is removed; but who must know whether it was there has one try.
        if request.isStrict { try store.once(call, body) } else { try store.repeating(call, body) }
    }

    func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        TreeListing(of: Directories(store), request)
    }

    func copy(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry {
        let (from, to) = (try Place(request.from), try Place(request.to))
        return try store.once(call) { connection throws(BackendError) in
            try store.copy(request, from: from, to: to, on: connection, call)
        }
    }

    func move(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry {
        let (from, to) = (try Place(request.from), try Place(request.to))
        return try store.once(call) { connection throws(BackendError) in
            try store.move(request, from: from, to: to, on: connection, call)
        }
    }

    func usage(call: Call) throws(BackendError) -> Usage {
        try store.repeating(call) { connection throws(BackendError) in
            let space = try store.space(on: connection, call)
            return Usage(bytesFree: space.available, bytesTotal: space.total)
        }
    }
}
