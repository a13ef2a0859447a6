package import CofferSystem
import Synchronization

/// Serves HTTP/1.1 on listening sockets.
///
/// Idle connections wait in one epoll, each armed for a single event. A worker thread takes an event and with it the
/// connection, reads, calls the handler and answers without handing anything on, and lingers for the next request only
/// while another worker is there to take events. A client that is slow inside a body gets its transfer parked in the epoll.
///
/// 1. A connection has one owner: a worker, the epoll, or a lane's queue.
/// 2. Whoever takes an event and leaves nobody polling sees to it that somebody will: see ``Pool``.
/// 3. Nothing of a request is kept on a thread: the next piece may be done by any other.
package final class HTTPServer: Sendable {
    let configuration: Configuration
    let handler: any HTTPHandler
    let epoll: Epoll
    let registry = Registry()
    let counters = Counters()
    let pool: Pool
    private let listeners: [Descriptor]
    private let stopper: WakeUp
    /// A descriptor to give up when there are no others left, so that a client can be told so.
    private let reserve: Locked<Descriptor?>
    let isStopping = Atomic<Bool>(false)
    let isFinished = Atomic<Bool>(false)
    let supervisor = Supervisor()

    /// How large and how patient the server is.
    package struct Configuration: Sendable {
        /// What is too much for a head.
        package var limits = RequestHeadParser.Limits()
        /// One more is answered with 503 and closed.
        package var maxConnections = 10_000
        /// Threads that serve; the supervisor is one more.
        package var maxThreads = 256
        /// Threads that are started without a second thought; more only once these are found blocked.
        package var eagerThreads = 8
        /// How much stack a thread has; handlers run on it.
        package var stackSize = 512 << 10
        /// How long a thread without work stays, in milliseconds.
        package var threadKeep: Int32 = 10_000
        /// How many threads may wait at connections of their own for the next request.
        package var maxLingering = 8
        /// How long they do, in milliseconds.
        package var linger = 30
        /// How long a connection may be open without a request, in milliseconds.
        package var idleTimeout = 75_000
        /// How long a head may take from its first byte to its last, in milliseconds.
        package var headTimeout = 15_000
        /// How long a body may stand still, either way, in milliseconds.
        package var bodyTimeout = 60_000
        /// How much of a body nobody wants is read, so that the connection can be kept.
        package var drainLimit = 1 << 20
        /// The field, in lower case, that announces an attached descriptor.
        package var descriptorField = "coffer-fd"

        package init() {}
    }

    /// Prepares to serve on `listeners`, which are bound and listening and stay the caller's to close.
    package init(
        handler: any HTTPHandler,
        listeners: [Descriptor],
        configuration: Configuration = Configuration()
    ) throws(SystemError) {
        self.handler = handler
        self.listeners = listeners
        self.configuration = configuration
        epoll = try Epoll()
        stopper = try WakeUp()
        reserve = Locked(try? Descriptor.placeholder())  // Without it a refusal is merely late.
        pool = Pool(configuration)
    }

    /// Starts to accept connections.
    package func start() throws(SystemError) {
        try epoll.add(stopper.number, token: Token.stop, .readable)
        for (index, listener) in listeners.enumerated() {
            Socket.setNonBlocking(listener.number, true)
            try epoll.add(listener.number, token: Token.listener(index), [.readable, .once])
        }
        try supervisor.start(self)
        try pool.start(self)
    }

    /// Stops: accepts nothing more, closes what is idle, lets requests in flight finish until `deadline`.
    ///
    /// Then it cancels what is left and closes its connections. False means that something had to be cut off; a handler
    /// that returns not even `grace` milliseconds after that keeps its thread.
    package func shutdown(deadline: MonotonicTime, grace: Int = 2000) -> Bool {
        for listener in listeners { try? epoll.remove(listener.number) }  // Fails only for one never added.
        isStopping.store(true, ordering: .sequentiallyConsistent)
        registry.forEach { connection in
            // What is in the socket already is still read, and answered.
            if connection.isIdle.load(ordering: .sequentiallyConsistent) {
                Socket.finishReceiving(connection.socket.number)
            }
        }
        let isClean = counters.waitUntilClosed(deadline)
        if !isClean {
            registry.forEach { connection in
                connection.cancellation.cancel()
                Socket.shutDown(connection.socket.number)
            }
        }
        let isClosed = isClean || counters.waitUntilClosed(.now.advanced(milliseconds: grace))
        isFinished.store(true, ordering: .sequentiallyConsistent)
        stopper.signal()
        supervisor.stop()
        if isClosed { pool.join() }
        return isClean
    }
}

/// What an event in the epoll is about: connections are known by their address, which is never small.
enum Token {
    static let stop: UInt64 = 0
    static func listener(_ index: Int) -> UInt64 { UInt64(index) + 1 }
    static func listenerIndex(_ token: UInt64) -> Int? { token >= 1 && token < 256 ? Int(token) - 1 : nil }
    static func connection(_ connection: Connection) -> UInt64 {
        UInt64(UInt(bitPattern: Unmanaged.passUnretained(connection).toOpaque()))
    }

    /// The connection of a token.
    ///
    /// The registry keeps it alive until its owner, which the event has made us, removes it.
    static func connection(_ token: UInt64) -> Connection? {
        UnsafeRawPointer(bitPattern: UInt(token)).map {
            Unmanaged<Connection>.fromOpaque($0).takeUnretainedValue()
        }
    }
}

extension HTTPServer {
    /// Takes the connections that wait at a listener.
    func accept(_ index: Int, _ worker: Worker) {
        let listener = listeners[index]
        do {
            for _ in 0..<64 {
                guard let socket = try Socket.accept(listener.number, blocks: true) else { break }
                admit(socket, worker)
            }
        } catch {
            // Too many descriptors: the one kept back serves to turn a client away instead of leaving it hanging.
            reserve.withLock { reserve in
                reserve = nil
                if let socket = try? Socket.accept(listener.number, blocks: true) {  // If this fails too, it waits.
                    worker.turnAway(socket, "too many descriptors are open")
                }
                reserve = try? Descriptor.placeholder()
            }
        }
        guard !isStopping.load(ordering: .sequentiallyConsistent) else { return }
        // Fails only when shutdown has removed it in the meantime.
        try? epoll.modify(listener.number, token: Token.listener(index), [.readable, .once])
    }

    private func admit(_ socket: Descriptor, _ worker: Worker) {
        guard counters.open.load(ordering: .relaxed) < configuration.maxConnections else {
            worker.turnAway(socket, "too many connections")
            return
        }
        let parser = RequestHeadParser(
            limits: configuration.limits,
            descriptorField: configuration.descriptorField
        )
        let connection = Connection(socket, parser: parser)
        Socket.setReceiveTimeout(socket.number, milliseconds: configuration.linger)
        if connection.peer == nil { Socket.setNoDelay(socket.number) }
        let idle = MonotonicTime.now.advanced(milliseconds: configuration.idleTimeout)
        counters.opened()
        registry.insert(connection)
        connection.deadline.store(idle.nanoseconds, ordering: .releasing)
        // Shutdown looks at what is registered after it said so: one of the two sees the other.
        if isStopping.load(ordering: .sequentiallyConsistent) { Socket.finishReceiving(socket.number) }
        supervisor.noteActivity()
        do {
            try epoll.add(socket.number, token: Token.connection(connection), [.readable, .once])
        } catch {
            close(connection)
        }
    }

    /// Ends a connection; its owner calls it.
    func close(_ connection: Connection) {
        registry.remove(connection)
        counters.closed()
    }
}
