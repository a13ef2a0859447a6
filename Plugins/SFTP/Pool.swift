// The connections of one storage: made when they are wanted, shared, and made anew when they break.

import CofferPluginSDK
import SSHTransport

/// The connections of one storage.
///
/// A call takes the connection with the least to do; a further one is made while all have something to do and there
/// may be more. Streams keep theirs for as long as they live, for a handle is worth nothing elsewhere.
final class Pool: @unchecked Sendable {  // All state is under the monitor.
    private let monitor = Monitor()
    private let settings: SSHSettings
    private let root: String
    private let most: Int
    private let patience: UInt64
    private var connections: [Connection] = []
    private var opening = 0

    /// A pool without connections.
    init(_ settings: SSHSettings, root: String, most: Int, patience: UInt64) {
        self.settings = settings
        self.root = root
        self.most = most
        self.patience = patience
    }

    /// Runs `body` on a connection; once more on another if the first one had been broken all along.
    ///
    /// Only for what may happen twice.
    func repeating<R>(_ call: Call, _ body: (Connection) throws(BackendError) -> R) throws(BackendError) -> R {
        let (connection, isNew) = try take(call)
        do throws(BackendError) { return try body(connection) } catch {
            guard !isNew, !connection.isAlive, error.code != .cancelled else { throw error }
            try call.check()
            return try body(try take(call).connection)
        }
    }

    /// A connection, and whether it was made for this call.
    func take(_ call: Call) throws(BackendError) -> (connection: Connection, isNew: Bool) {
        monitor.lock()
        while true {
            let loads = connections.map(\.load)
            let least = loads.indices.min { loads[$0] < loads[$1] }
            if let least, loads[least] == 0 || connections.count + opening >= most {
                let connection = connections[least]
                guard connection.isAlive else {
                    connections.remove(at: least)
                    continue
                }
                monitor.unlock()
                return (connection, false)
            }
            if connections.count + opening < most { break }
            // Others are connecting, and there is none to share yet.
            monitor.wait()
            do throws(BackendError) { try call.check() } catch {
                monitor.unlock()
                throw error
            }
        }
        opening += 1
        monitor.unlock()
        var made: Connection?
        defer {
            monitor.withLock {
                opening -= 1
                if let made { connections.append(made) }
                monitor.notify()
            }
        }
        let connection = try Connection(settings, root: root, patience: patience, call: call)
        made = connection
        return (connection, true)
    }

    /// Ends all connections.
    func close() {
        monitor.withLock {
            for connection in connections { connection.abort(BackendError(.unavailable, "the storage is closed")) }
            connections = []
        }
    }
}
