// Copies and moves on the server.

import CofferPluginSDK
import SFTPWire

extension Store {
    /// How much a server copies before it answers: long enough to cost nothing, short enough to see that it works.
    private static let copyStep: UInt64 = 32 << 20

    /// Copies an object; on the server itself where it can, else through here.
    func copy(
        _ request: CopyRequest,
        from: Place,
        to: Place,
        on connection: Connection,
        _ call: Call
    ) throws(BackendError) -> Entry {
        guard request.from != request.to else {
            throw BackendError(.invalidArgument, "a copy to itself: \(request.from)")
        }
        let (_, handle) = try openObject(from, request.from, on: connection, call)
        let seen: Attributes
        do throws(BackendError) {
            seen = try connection.attributes(try connection.request(PacketType.handleStat, handle), call)
                .get("cannot copy \(from.words)")
        } catch {
            connection.close(handle)
            throw error
        }
        let size = seen.size ?? 0
        var write = WriteRequest(request.to)
        write.attempt = request.attempt
        let reader: FileReader?
        if connection.server.hasCopyData {
            reader = nil
        } else {
            reader = try FileReader(connection, handle: handle, seen, 0..<size)
        }
        defer { if let reader { reader.close() } else { connection.close(handle) } }
        let writer = try FileWriter(self, write, to, on: connection, call)
        defer { writer.close() }
        if let reader {
            try pump(reader, into: writer, call)
        } else {
            try writer.copyOnServer(from: handle, size: size, step: Self.copyStep, call)
            let after = try connection.attributes(try connection.request(PacketType.handleStat, handle), call)
                .get("cannot copy \(from.words)")
            guard after.size == seen.size, after.modified == seen.modified else {
                throw BackendError(.changed, "changed while it was copied: \(request.from)", isRetryable: true)
            }
        }
        return try writer.commit(checksums: Checksums(), call: call)
    }

    private func pump(_ reader: FileReader, into writer: FileWriter, _ call: Call) throws(BackendError) {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { block.deallocate() }
        while true {
            var span = block.mutableBytes
            let count = try reader.read(into: &span, call: call)
            if count == 0 { return }
            try writer.append(UnsafeRawBufferPointer(rebasing: block[..<count]).bytes, call: call)
        }
    }

    /// Opens an object that must be there; what is known of it is what stood there before it was opened.
    func openObject(
        _ place: Place,
        _ key: ByteString,
        on connection: Connection,
        _ call: Call
    ) throws(BackendError) -> (Attributes, [UInt8]) {
        guard case .file(let found) = try connection.look(at: place, call) else { throw .notFound(key) }
        let path = place.path(below: connection.server.root)
        let opened = try connection.handle(try connection.open(path, .read), call)
        if let handle = opened.value { return (found, handle) }
        if opened.status.code == Status.noSuchFile { throw .notFound(key) }
        throw opened.status.error("cannot read \(place.words)")
    }

    /// Moves an object by one rename.
    func move(
        _ request: CopyRequest,
        from: Place,
        to: Place,
        on connection: Connection,
        _ call: Call
    ) throws(BackendError) -> Entry {
        guard request.from != request.to else {
            throw BackendError(.invalidArgument, "a move to itself: \(request.from)")
        }
        try requireWriting(on: connection)
        let looks = (try Look(at: from, on: connection), try Look(at: to, on: connection))
        guard case .file(let attributes) = try looks.0.sight(on: connection, call) else {
            throw .notFound(request.from)
        }
        let sight = try looks.1.sight(on: connection, call)
        try check(sight, at: to, isCreateOnly: false)
        let source = from.path(below: connection.server.root)
        _ = try publish(source, at: to, sight, isCreateOnly: false, on: connection, call)
        try prune(from, on: connection, call)
        return attributes.entry(request.to)
    }
}
