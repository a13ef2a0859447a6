// The control connection: commands go out in order, answers come back in order.

import CofferPluginSDK
import CofferTLS
import Glibc

/// One control connection, from its greeting on.
///
/// 1. Each command sent is answered once, in order; one whose first answer is preliminary is answered once more.
/// 2. Commands are gathered and leave together when the first of their answers is asked for; without `pipelines` each
///    leaves when its own answer is asked for.
/// 3. After a fault the connection may hold answers to questions that nobody remembers: `isBroken`, and never used again.
final class Control {
    let server: Server
    private(set) var channel: Channel
    private var parser = ReplyParser()
    private var unsent: [Command] = []
    private var unanswered = 0
    private var hasFailed = false
    /// When it was last used, by the monotonic clock.
    var lastUse = monotonicNow()
    /// Whether data connections are encrypted.
    var encryptsData = false

    /// What the next data connection resumes, as many servers demand; the latest that was offered, since some take each
    /// offer once.
    private var offer: TLSSession?

    /// A control connection over a socket that is connected.
    init(_ channel: Channel, _ server: Server) {
        self.channel = channel
        self.server = server
    }

    /// Whether no more can be asked on it.
    var isBroken: Bool { hasFailed || unanswered > 0 || !unsent.isEmpty }

    /// Gives the connection up.
    func spoil() { hasFailed = true }

    /// Whether the server said something unasked while it was idle, which can only be its farewell.
    var hasNews: Bool { !parser.isEmpty || channel.socket.hasNews }

    /// Queues a command.
    func send(_ command: Command) { unsent.append(command) }

    /// The first answer to the oldest command that has none.
    func answer(_ patience: Patience) throws(Fault) -> Reply {
        if unanswered == 0 { try flush(patience) }
        let reply = try receive(patience)
        unanswered -= 1
        return reply
    }

    /// The answer that follows a preliminary one.
    func finalAnswer(_ patience: Patience) throws(Fault) -> Reply {
        var reply = try receive(patience)
        while reply.isPreliminary { reply = try receive(patience) }
        return reply
    }

    /// Sends one command and waits for its answer.
    func ask(_ command: Command, _ patience: Patience) throws(Fault) -> Reply {
        send(command)
        return try answer(patience)
    }

    /// Waits for the greeting, or for what else comes without being asked.
    func receive(_ patience: Patience, takesFarewell: Bool = false) throws(Fault) -> Reply {
        do throws(Fault) {
            let reply = try read(patience)
            lastUse = monotonicNow()
            // Closing: what was asked was not done.
            if reply.code == 421, !takesFarewell { throw .lost("the server closes it: \(reply.words)") }
            return reply
        } catch {
            hasFailed = true
            throw error
        }
    }

    private func flush(_ patience: Patience) throws(Fault) {
        let count = server.settings.pipelines ? unsent.count : min(1, unsent.count)
        precondition(count > 0, "an answer is asked for that no command has")
        // Encrypted, each is a record of its own: some servers wait for the socket while the rest of a record lies decrypted.
        var lines: [[UInt8]] = unsent[..<count].map(\.bytes)
        if !channel.isEncrypted { lines = [Array(lines.joined())] }
        unsent.removeFirst(count)
        unanswered = count
        do throws(Fault) {
            for line in lines {
                try withBytes(of: line) { buffer throws(Fault) in try channel.write(buffer, patience) }
            }
        } catch {
            hasFailed = true
            throw error
        }
    }

    private func read(_ patience: Patience) throws(Fault) -> Reply {
        while true {
            do throws(ReplyParser.Malformed) {
                if let reply = try parser.next() { return reply }
            } catch {
                throw .lost(error.reason)
            }
            var failure: Fault?
            let bytes = [UInt8](unsafeUninitializedCapacity: 16 << 10) { buffer, count in
                do throws(Fault) {
                    count = try channel.read(into: UnsafeMutableRawBufferPointer(buffer), patience)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            guard !bytes.isEmpty else { throw .lost("the server closed it") }
            parser.feed(bytes)
        }
    }

    /// The session for the next data connection to resume.
    var sessionToResume: TLSSession? {
        if offer == nil { offer = channel.session }
        return offer
    }

    /// Ends a data connection, and keeps what the server offered on it.
    func end(_ data: Channel) {
        offer = data.session ?? offer
        data.socket.end()
    }

    /// Says goodbye without waiting.
    func quit() {
        guard !isBroken else { return }
        hasFailed = true
        let farewell = Command("QUIT").bytes
        // Who does not hear it notices that the connection ends.
        farewell.withUnsafeBytes { bytes in try? channel.write(bytes, Patience(milliseconds: 20)) }
    }
}

/// Lends the bytes of an array, with typed errors.
func withBytes(
    of bytes: [UInt8],
    _ body: (UnsafeRawBufferPointer) throws(Fault) -> Void
) throws(Fault) {
    var failure: Fault?
    bytes.withUnsafeBytes { buffer in
        do throws(Fault) { try body(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
}
