// From nothing to a control connection that takes commands.

import CofferPluginSDK
import CofferTLS

/// Connects and logs in.
///
///     connect ─▶ (TLS) ─▶ greeting ─▶ (AUTH TLS ─▶ TLS) ─▶ USER ─▶ PASS ─▶ (PBSZ, PROT), FEAT, PWD ─▶ TYPE I, OPTS
///
/// Nothing secret is sent before the connection is encrypted, if it is to be.
struct Login {
    let server: Server
    private var settings: Settings { server.settings }

    /// A login to a server.
    init(_ server: Server) { self.server = server }

    /// A control connection that is ready.
    func perform(_ patience: Patience) throws(Fault) -> Control {
        let patience = patience.limited(to: settings.connectMilliseconds)
        let control = Control(Channel(try connect(patience)), server)
        control.channel.socket.sendAtOnce()
        if settings.encryption == .implicit { try encrypt(control, patience) }
        try greet(control, patience)
        if settings.encryption == .explicit {
            let reply = try control.ask(Command("AUTH TLS"), patience)
            guard reply.code == 234 else {
                throw .failed(
                    BackendError(
                        .unavailable,
                        "the server offers no TLS: it answered AUTH TLS by \(reply.code) \(reply.words)",
                        native: Int32(reply.code)
                    )
                )
            }
            try encrypt(control, patience)
        }
        try identify(control, patience)
        try prepare(control, patience)
        return control
    }

    private func connect(_ patience: Patience) throws(Fault) -> Socket {
        var failure = Fault.lost("no address")
        for address in try server.resolver.addresses(patience) {
            do throws(Fault) { return try Socket.connect(to: address, patience) } catch {
                failure = error
                // Who gave up, gave up on all addresses.
                try patience.check()
            }
        }
        if case .failed(let error) = failure { throw .failed(error) }
        let reason = failure.error.message
        throw .failed(
            BackendError(
                .unavailable,
                "cannot connect to \(settings.host) port \(settings.port): \(reason)",
                isRetryable: true
            )
        )
    }

    private func encrypt(_ control: Control, _ patience: Patience) throws(Fault) {
        guard let tls = settings.tls else { return }
        do throws(Fault) {
            try control.channel.encrypt(tls, name: settings.host, resuming: nil, patience)
        } catch {
            guard case .lost(let reason) = error else { throw error }
            throw .failed(BackendError(.unavailable, "no encrypted connection: \(reason)", isRetryable: true))
        }
    }

    private func greet(_ control: Control, _ patience: Patience) throws(Fault) {
        do throws(Fault) {
            var reply = try control.receive(patience, takesFarewell: true)
            while reply.isPreliminary { reply = try control.receive(patience, takesFarewell: true) }
            guard reply.isDone else {
                var error = reply.error("the server refuses the connection")
                if reply.saysCrowded { error.code = .rateLimited }
                throw .failed(error)
            }
        } catch {
            guard case .lost(let reason) = error else { throw error }
            throw .failed(BackendError(.unavailable, "no greeting from the server: \(reason)", isRetryable: true))
        }
    }

    private func identify(_ control: Control, _ patience: Patience) throws(Fault) {
        let user = try fatal { () throws(BackendError) in try Command("USER", settings.user) }
        var reply = try control.ask(user, patience)
        if reply.code == 331 {
            let password = try fatal { () throws(BackendError) in try Command("PASS", settings.password) }
            reply = try control.ask(password, patience)
        }
        guard reply.isDone else {
            if reply.saysCrowded, reply.code != 530 || !reply.saysForbidden {
                throw .failed(
                    BackendError(
                        .rateLimited,
                        "the server has too many connections: \(reply.code) \(without(settings.password, reply))",
                        isRetryable: true,
                        native: Int32(reply.code)
                    )
                )
            }
            let name = String(decoding: settings.user, as: UTF8.self)
            throw .failed(
                BackendError(
                    .unauthenticated,
                    "the server refuses the user \(name): \(reply.code) \(without(settings.password, reply))",
                    native: Int32(reply.code)
                )
            )
        }
    }

    /// What the server said, unless it repeats the password.
    private func without(_ secret: [UInt8], _ reply: Reply) -> String {
        let said = Array(reply.words.utf8)
        guard !secret.isEmpty, said.count >= secret.count else { return reply.words }
        let repeats = (0...(said.count - secret.count)).contains { said[$0...].starts(with: secret) }
        return repeats ? "(not shown, since it repeats the password)" : reply.words
    }

    private func prepare(_ control: Control, _ patience: Patience) throws(Fault) {
        let isEncrypted = control.channel.isEncrypted
        var questions = 0
        if isEncrypted {
            control.send(Command("PBSZ 0"))
            control.send(settings.encryptsData ? Command("PROT P") : Command("PROT C"))
        }
        let known = server.known.withLock { $0.features }
        if known == nil {
            control.send(Command("FEAT"))
            control.send(Command("PWD"))
        } else {
            questions = send(known?.settings(isLatin1: settings.isLatin1) ?? [], control)
        }
        if isEncrypted {
            _ = try control.answer(patience)
            let reply = try control.answer(patience)
            guard reply.isDone else { throw .failed(reply.error("the server does not protect data as it is asked to")) }
            control.encryptsData = settings.encryptsData
        }
        if known == nil {
            let features = Features(try control.answer(patience))
            server.learn(features, home: Self.directory(try control.answer(patience)))
            questions = send(features.settings(isLatin1: settings.isLatin1), control)
        }
        // What cannot be switched on stays off, and is worked without; but bytes must stay as they are.
        for _ in 0..<questions { _ = try control.answer(patience) }
        let reply = try control.answer(patience)
        guard reply.isDone else { throw .failed(reply.error("the server does not keep bytes as they are (TYPE I)")) }
    }

    private func send(_ settings: [Command], _ control: Control) -> Int {
        for command in settings { control.send(command) }
        control.send(Command("TYPE I"))
        return settings.count
    }

    /// The directory in `257 "/home/of ""me""" …`, without a slash at its end; empty if there is none.
    static func directory(_ reply: Reply) -> [UInt8] {
        guard reply.code == 257, let line = reply.lines.last, let open = line.firstIndex(of: 0x22) else { return [] }
        var path: [UInt8] = []
        var at = open + 1
        while at < line.count {
            if line[at] == 0x22 {
                guard at + 1 < line.count, line[at + 1] == 0x22 else { break }
                at += 1
            }
            path.append(line[at])
            at += 1
        }
        while path.last == UInt8(ascii: "/") { path.removeLast() }
        return path
    }
}
