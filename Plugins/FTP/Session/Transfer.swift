// Data connections: opened for one command, closed when its bytes have passed.

import CofferPluginSDK
import Glibc

/// A command that moves bytes over a connection of its own.
///
/// 1. Passive: EPSV, or PASV where that is unknown; the server's port at the host of the control connection.
/// 2. Active: EPRT, or PORT where that is unknown; only the server's own host may connect.
/// 3. An encrypted data connection resumes the session of the control connection, as many servers demand.
struct Transfer {
    /// How a transfer began.
    enum Beginning {
        /// Bytes may move; when they have, `Control.finalAnswer` tells whether all is well.
        case open(Channel)
        /// The server refused.
        case refused(Reply)
    }

    let control: Control
    private var server: Server { control.server }

    /// A transfer on a control connection.
    init(_ control: Control) { self.control = control }

    /// Begins `command`, at an offset if that is not 0, and answers what `questions`, which are sent before, were answered.
    ///
    /// `early` may send on a connection in clear before the server has said that it begins: one wait less. Whatever is
    /// thrown, the control connection is broken; a refusal leaves it whole.
    func begin(
        _ command: Command,
        at offset: UInt64 = 0,
        after questions: [Command] = [],
        _ patience: Patience,
        early: (Channel) throws(Fault) -> Void = { _ in }
    ) throws(Fault) -> (answers: [Reply], beginning: Beginning) {
        for question in questions { control.send(question) }
        return server.settings.isActive
            ? try beginActive(command, offset, questions.count, patience)
            : try beginPassive(command, offset, questions.count, patience, early)
    }

    // MARK: Passive

    private func beginPassive(
        _ command: Command,
        _ offset: UInt64,
        _ questions: Int,
        _ patience: Patience,
        _ early: (Channel) throws(Fault) -> Void
    ) throws(Fault) -> (answers: [Reply], beginning: Beginning) {
        var (knows, usesPASV) = server.known.withLock { ($0.knowsPassive, $0.usesPASV) }
        control.send(usesPASV ? Command("PASV") : Command("EPSV"))
        if knows { send(command, offset) }
        var answers: [Reply] = []
        for _ in 0..<questions { answers.append(try control.answer(patience)) }
        var reply = try control.answer(patience)
        var port = usesPASV ? PassiveReply.port(reply) : PassiveReply.extendedPort(reply)
        if port == nil, !knows, !usesPASV {
            usesPASV = true
            reply = try control.ask(Command("PASV"), patience)
            port = PassiveReply.port(reply)
        }
        guard let port else {
            // A command that was sent along finds no data connection, and waits for none.
            control.spoil()
            throw .failed(reply.error("no passive data connection"))
        }
        if !knows {
            knows = true
            server.known.withLock { ($0.knowsPassive, $0.usesPASV) = (true, usesPASV) }
            send(command, offset)
        }
        // A command that was refused already has closed the door: its answer says more than that.
        var socket: Socket?
        var failure = Fault.lost("no data connection")
        do throws(Fault) { socket = try connect(port, patience) } catch {
            failure = error
        }
        guard let socket else { return (answers, try awaitRefusal(offset, failure, patience)) }
        let channel = Channel(socket)
        // What fails here is told by the server's answer, or fails again.
        if !control.encryptsData { try? early(channel) }
        return (answers, try awaitBeginning(offset, patience) { _ throws(Fault) in channel })
    }

    /// Without a data connection only a refusal helps, which must have come already.
    private func awaitRefusal(_ offset: UInt64, _ failure: Fault, _ patience: Patience) throws(Fault) -> Beginning {
        do throws(Fault) {
            let beginning = try awaitBeginning(offset, patience.limited(to: 1000)) { _ throws(Fault) in throw failure }
            if case .refused(let reply) = beginning, reply.code == 425 { throw failure }
            return beginning
        } catch {
            control.spoil()
            throw failure
        }
    }

    private func send(_ command: Command, _ offset: UInt64) {
        if offset > 0 { control.send(restart(offset)) }
        control.send(command)
    }

    private func restart(_ offset: UInt64) -> Command {
        // Digits hold nothing that a command refuses.
        guard let command = try? Command("REST", Array(String(offset).utf8)) else { preconditionFailure("digits") }
        return command
    }

    private func connect(_ port: UInt16, _ patience: Patience) throws(Fault) -> Socket {
        guard var address = control.channel.socket.peer else {
            control.spoil()
            throw .lost("the control connection has no other end")
        }
        address.port = port
        return try Socket.connect(to: address, patience.limited(to: server.settings.connectMilliseconds))
    }

    // MARK: Active

    private func beginActive(
        _ command: Command,
        _ offset: UInt64,
        _ questions: Int,
        _ patience: Patience
    ) throws(Fault) -> (answers: [Reply], beginning: Beginning) {
        guard var here = control.channel.socket.local, let peer = control.channel.socket.peer?.host else {
            control.spoil()
            throw .lost("the control connection has no ends")
        }
        here.port = 0
        let listener = try Socket.listen(on: here)
        guard let port = listener.local?.port else { throw .lost("a listening socket has no port") }
        let host = server.settings.activeAddress ?? here.host
        let isIPv6 = host.utf8.contains(UInt8(ascii: ":"))
        let usesPORT = server.known.withLock { $0.usesPASV }
        if usesPORT && !isIPv6 {
            control.send(try portCommand(host, port))
        } else {
            control.send(try eprtCommand(host, port, isIPv6))
        }
        var answers: [Reply] = []
        for _ in 0..<questions { answers.append(try control.answer(patience)) }
        var reply = try control.answer(patience)
        if reply.isUnknownCommand, !usesPORT, !isIPv6 {
            reply = try control.ask(try portCommand(host, port), patience)
            if reply.isDone { server.known.withLock { $0.usesPASV = true } }
        }
        guard reply.isDone else { throw .failed(reply.error("no active data connection")) }
        send(command, offset)
        let beginning = try awaitBeginning(offset, patience) { patience throws(Fault) in
            Channel(try listener.accept(from: peer, patience.limited(to: server.settings.connectMilliseconds)))
        }
        return (answers, beginning)
    }

    private func eprtCommand(_ host: String, _ port: UInt16, _ isIPv6: Bool) throws(Fault) -> Command {
        let text = "|\(isIPv6 ? 2 : 1)|\(host)|\(port)|"
        return try fatal { () throws(BackendError) in try Command("EPRT", Array(text.utf8)) }
    }

    private func portCommand(_ host: String, _ port: UInt16) throws(Fault) -> Command {
        let commas = host.utf8.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: ",") : $0 }
        let text = commas + Array(",\(port >> 8),\(port & 255)".utf8)
        return try fatal { () throws(BackendError) in try Command("PORT", text) }
    }

    // MARK: Both

    /// Waits until the server has begun or refused, and encrypts what it has begun.
    private func awaitBeginning(
        _ offset: UInt64,
        _ patience: Patience,
        _ open: (Patience) throws(Fault) -> Channel
    ) throws(Fault) -> Beginning {
        if offset > 0 {
            let reply = try control.answer(patience)
            guard reply.code == 350 || reply.isDone else {
                // The command was sent along: it begins at 0, which nobody wants.
                control.spoil()
                throw .failed(reply.error("the server does not start at an offset (REST)"))
            }
        }
        let reply = try control.answer(patience)
        guard reply.isPreliminary else { return .refused(reply) }
        do throws(Fault) {
            let channel = try open(patience)
            if control.encryptsData, let tls = server.settings.tls {
                try channel.encrypt(
                    tls,
                    name: server.settings.host,
                    resuming: control.sessionToResume,
                    patience.limited(to: server.settings.connectMilliseconds)
                )
            }
            return .open(channel)
        } catch {
            control.spoil()
            throw error
        }
    }
}
