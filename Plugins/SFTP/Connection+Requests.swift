// The requests of SFTP, each as one call: what goes out, and how its answer is read.

import CofferPluginSDK
import SFTPWire

/// What came back: a value, or why there is none.
struct Answer<Value> {
    /// What was asked for.
    var value: Value?
    /// What the server said instead.
    var status: Status

    /// The value, or an error that says what was being done.
    func get(_ what: @autoclosure () -> String) throws(BackendError) -> Value {
        guard let value else { throw status.error(what()) }
        return value
    }
}

/// Reads fields; an answer that cannot be read is the server's fault.
func reading<R>(_ body: () throws(WireError) -> R) throws(BackendError) -> R {
    do throws(WireError) { return try body() } catch {
        throw BackendError(.corrupt, "the server's answer is no SFTP")
    }
}

extension Connection {
    /// Sends a request whose only field is a path or a handle.
    func request(_ type: UInt8, _ field: [UInt8]) throws(BackendError) -> Reply {
        try submit { id in
            var packet = Packet(type, id: id)
            packet.string(field)
            return packet
        }
    }

    /// Sends a request of an extension whose fields are strings.
    func request(extension name: String, _ fields: [UInt8]...) throws(BackendError) -> Reply {
        try submit { id in
            var packet = Packet(extension: name, id: id)
            for field in fields { packet.string(field) }
            return packet
        }
    }

    /// Opens a file.
    func open(_ path: [UInt8], _ flags: OpenFlags, mode: UInt32? = nil) throws(BackendError) -> Reply {
        try submit { id in
            var packet = Packet(PacketType.open, id: id)
            packet.string(path)
            packet.number(flags.rawValue)
            packet.attributes(Attributes(permissions: mode))
            return packet
        }
    }

    /// Makes a directory.
    func makeDirectory(_ path: [UInt8], mode: UInt32) throws(BackendError) -> Reply {
        try submit { id in
            var packet = Packet(PacketType.makeDirectory, id: id)
            packet.string(path)
            packet.attributes(Attributes(permissions: mode))
            return packet
        }
    }

    /// Closes a handle; nobody waits for the answer.
    func close(_ handle: [UInt8]) {
        // On a broken connection there is no handle left.
        if let reply = try? request(PacketType.close, handle) { abandon(reply) }
    }

    /// Waits for the fields of an answer of a type.
    func fields(_ reply: Reply, _ type: UInt8, _ call: Call) throws(BackendError) -> Answer<PacketReader> {
        try wait(for: reply, call)
        return try reading { () throws(WireError) in
            if let status = try reply.refusal() {
                // A status where a value is due says no, whatever its number.
                return Answer(value: nil, status: status.isOK ? Status(code: Status.failure, words: "") : status)
            }
            return Answer(value: try reply.fields(of: type), status: Status(code: Status.ok, words: ""))
        }
    }

    /// Waits for a status.
    func status(_ reply: Reply, _ call: Call) throws(BackendError) -> Status {
        try wait(for: reply, call)
        return try reading { () throws(WireError) in
            guard let status = try reply.refusal() else { throw WireError.malformed }
            return status
        }
    }

    /// Waits for a handle.
    func handle(_ reply: Reply, _ call: Call) throws(BackendError) -> Answer<[UInt8]> {
        try map(try fields(reply, PacketType.handle, call)) { fields throws(WireError) in Array(try fields.string()) }
    }

    /// Waits for attributes.
    func attributes(_ reply: Reply, _ call: Call) throws(BackendError) -> Answer<Attributes> {
        try map(try fields(reply, PacketType.attributes, call)) { fields throws(WireError) in try fields.attributes() }
    }

    /// Waits for the names of a directory.
    func names(_ reply: Reply, _ call: Call) throws(BackendError) -> Answer<[NamedAttributes]> {
        try map(try fields(reply, PacketType.name, call)) { fields throws(WireError) in try fields.names() }
    }

    /// Waits for a path.
    func path(_ reply: Reply, _ call: Call) throws(BackendError) -> [UInt8] {
        let names = try names(reply, call).get("cannot find the root")
        guard let name = names.first?.name else { throw BackendError(.corrupt, "the server's answer is no SFTP") }
        return Array(name)
    }

    private func map<Value>(
        _ answer: Answer<PacketReader>,
        _ body: (inout PacketReader) throws(WireError) -> Value
    ) throws(BackendError) -> Answer<Value> {
        guard var fields = answer.value else { return Answer(value: nil, status: answer.status) }
        return Answer(value: try reading { () throws(WireError) in try body(&fields) }, status: answer.status)
    }
}

extension Status {
    /// What this means to a caller who was doing `what`.
    func error(_ what: @autoclosure () -> String) -> BackendError {
        let (code, hint): (BackendError.Code, String) =
            switch code {
            case Status.noSuchFile: (.notFound, "no such file")
            case Status.permissionDenied: (.permission, "permission denied")
            case Status.unsupported: (.unsupported, "the server cannot do that")
            case Status.badMessage: (.invalidKey, "the server takes no such name")
            case Status.endOfFile: (.corrupt, "the file ends early")
            // OpenSSH says no more, whatever the reason: a full disk, a read-only medium, a broken one.
            default: (.io, words.isEmpty ? "the server failed" : "the server says \(words.lowercased())")
            }
        return BackendError(code, "\(what()): \(hint)", native: Int32(truncatingIfNeeded: self.code))
    }
}
