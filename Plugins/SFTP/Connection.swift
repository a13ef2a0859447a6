// One connection that any number of calls share: requests go out as they come, and answers find who waits for them.

import CofferPluginSDK
import SFTPWire
import SSHTransport

/// One SFTP session over one SSH connection.
///
/// 1. There is no thread of its own. Of those who wait for an answer one leads: it alone waits for the socket, reads
///    whatever comes and hands each answer to its request; the others wait for it. Who leaves with an answer lets
///    another lead.
/// 2. libssh is touched under the lock only; the leader lets the lock go while it waits for the socket.
/// 3. A request is sent whole or not at all: what the window does not take now stays in `outbox`, in order, and goes
///    out under whoever comes next. A caller that gives up leaves its request; the answer is thrown away when it comes,
///    and a handle in it is closed.
/// 4. Once broken it stays broken: everybody who waits is told, and the pool makes another.
final class Connection: @unchecked Sendable {  // All state is under the monitor.
    /// What is worth a packet of its own at once.
    private static let much = 64 << 10

    private let monitor = Monitor()
    private let channel: SSHChannel
    private let waker: Waker
    private let patience: UInt64
    private var outbox = Outbox()
    private var inbox = Inbox()
    private let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    private var waiting: [UInt32: Reply] = [:]
    private var nextID: UInt32 = 0
    private var hasLeader = false
    private var isLeaderResting = false
    private var failure: BackendError?
    private var lastHeard = monotonicNow()
    private var greeting: [UInt8]?
    /// What the server offers; set before anybody else sees the connection.
    private(set) var server = Server()

    /// Connects, logs in, and asks what the server can.
    ///
    /// `patience` is how many milliseconds a server may be silent while somebody waits for it.
    init(_ settings: SSHSettings, root: String, patience: UInt64, call: Call) throws(BackendError) {
        let channel = try SSHChannel(settings, subsystem: "sftp", call: call)
        self.channel = channel
        self.patience = patience * 1_000_000
        waker = try Waker()
        outbox.append(Packet.initialize(version: 3))
        server = try Server(asking: self, root: root, call: call)
    }

    deinit { block.deallocate() }

    // MARK: What callers do

    /// Adds a request made by `build`, with `data` as the end of its last field.
    ///
    /// It goes out with whatever comes with it: when much is gathered, when somebody waits, or with `push`.
    func submit(
        data: UnsafeRawBufferPointer? = nil,
        _ build: (UInt32) -> Packet
    ) throws(BackendError) -> Reply {
        monitor.lock()
        defer { monitor.unlock() }
        if let failure { throw failure }
        nextID &+= 1
        let reply = Reply(id: nextID)
        var packet = build(nextID)
        outbox.append(packet.finish(following: data?.count ?? 0))
        if let data { outbox.append(data) }
        if waiting.isEmpty { lastHeard = monotonicNow() }
        waiting[nextID] = reply
        if outbox.count >= Self.much { try advance() }
        return reply
    }

    /// Sends what is gathered.
    func push() throws(BackendError) {
        monitor.lock()
        defer { monitor.unlock() }
        if let failure { throw failure }
        try advance()
    }

    /// Waits for the answer to a request.
    func wait(for reply: Reply, _ call: Call) throws(BackendError) {
        monitor.lock()
        defer { monitor.unlock() }
        do throws(BackendError) {
            try follow(call) { reply.isDone }
        } catch {
            reply.abandon()
            throw error
        }
    }

    /// Waits for the first words of the server, which answer no request.
    func waitForGreeting(_ call: Call) throws(BackendError) -> [UInt8] {
        monitor.lock()
        defer { monitor.unlock() }
        try advance()
        try follow(call) { greeting != nil }
        return greeting ?? []
    }

    /// Nobody waits for this any more; a handle in the answer is closed.
    func abandon(_ reply: Reply) {
        monitor.lock()
        defer { monitor.unlock() }
        reply.abandon()
        if reply.isDone { tidy(reply) }
        // What is broken here is told to those who wait.
        if failure == nil { try? advance() }
    }

    /// Whether an answer has come.
    func isDone(_ reply: Reply) -> Bool { monitor.withLock { reply.isDone } }

    /// How many requests are on their way that somebody waits for.
    var load: Int { monitor.withLock { waiting.values.count { !$0.isAbandoned } } }

    /// Whether it still works, as far as one can tell without asking the server.
    var isAlive: Bool {
        monitor.lock()
        defer { monitor.unlock() }
        if failure == nil && !hasLeader {
            do throws(BackendError) { _ = try receive() } catch { fail(error) }
        }
        return failure == nil
    }

    /// Gives it up: nobody gets an answer any more.
    func abort(_ reason: BackendError) {
        monitor.lock()
        defer { monitor.unlock() }
        fail(reason)
    }

    // MARK: Leading and following, under the lock

    private func follow(_ call: Call, until isDone: () -> Bool) throws(BackendError) {
        while !isDone() {
            if let failure { throw failure }
            try call.check()
            guard hasLeader else {
                try lead(call, until: isDone)
                continue
            }
            if !outbox.isEmpty { try advance() }
            if !isDone() { monitor.wait() }
        }
    }

    private func lead(_ call: Call, until isDone: () -> Bool) throws(BackendError) {
        hasLeader = true
        defer {
            hasLeader = false
            monitor.notify()
        }
        while true {
            do throws(BackendError) {
                try flush()
                let isNews = try receive()
                if isDone() { return }
                if isNews { continue }
            } catch {
                fail(error)
                throw error
            }
            try rest(call)
        }
    }

    /// Waits for the socket without the lock.
    private func rest(_ call: Call) throws(BackendError) {
        let silent = monotonicNow() - lastHeard
        guard silent < patience else {
            let error = BackendError(.timeout, "the server is silent", isRetryable: true)
            fail(error)
            throw error
        }
        let (descriptor, events) = (channel.descriptor, channel.events)
        let end = min(monotonicNow() + (patience - silent), call.deadline ?? .max)
        isLeaderResting = true
        monitor.unlock()
        var failed: BackendError?
        do throws(BackendError) {
            try awaitReady(descriptor, events, orFor: waker.descriptor, until: end, call: call)
            try call.check()
        } catch {
            failed = error
        }
        monitor.lock()
        if isLeaderResting { isLeaderResting = false } else { waker.rest() }
        if let failed { throw failed }
        if let failure { throw failure }
    }

    /// Moves what is to be sent.
    ///
    /// A leader that rests waits for the socket alone: it is told when there is more to write, and when libssh took
    /// from the socket what the leader waits for.
    private func advance() throws(BackendError) {
        do throws(BackendError) {
            try flush()
            guard isLeaderResting else { return }
            let isNews = try receive()
            if isNews || channel.isWritePending || !outbox.isEmpty { wakeLeader() }
        } catch {
            fail(error)
            throw error
        }
    }

    private func wakeLeader() {
        guard isLeaderResting else { return }
        isLeaderResting = false
        waker.wake()
    }

    private func flush() throws(BackendError) {
        while !outbox.isEmpty {
            let count = try outbox.withFront { front throws(BackendError) in try channel.write(front) }
            if count == 0 { return }
            outbox.drop(count)
        }
    }

    /// Reads what has come; true if it was anything.
    private func receive() throws(BackendError) -> Bool {
        let count = try channel.read(into: block)
        guard count > 0 else { return false }
        lastHeard = monotonicNow()
        do throws(WireError) {
            try inbox.take(UnsafeRawBufferPointer(rebasing: block[..<count])) { answer throws(WireError) in
                try deliver(answer)
            }
        } catch {
            throw BackendError(.corrupt, "the server's answer is no SFTP")
        }
        monitor.notify()
        return true
    }

    private func deliver(_ answer: [UInt8]) throws(WireError) {
        var reader = PacketReader(answer)
        if try reader.byte() == PacketType.version {
            greeting = answer
            return
        }
        // An answer to nothing that was asked: the stream cannot be trusted any more.
        guard let reply = waiting.removeValue(forKey: try reader.number()) else { throw WireError.malformed }
        reply.complete(answer)
        if reply.isAbandoned { tidy(reply) }
    }

    /// Closes a handle that nobody wants.
    private func tidy(_ reply: Reply) {
        guard let handle = reply.handle, failure == nil else { return }
        nextID &+= 1
        var packet = Packet(PacketType.close, id: nextID)
        packet.string(handle)
        let closing = Reply(id: nextID)
        closing.abandon()
        waiting[nextID] = closing
        outbox.append(packet.finish())
    }

    private func fail(_ error: BackendError) {
        guard failure == nil else { return }
        failure = error
        waiting = [:]
        wakeLeader()
        monitor.notify()
    }
}
