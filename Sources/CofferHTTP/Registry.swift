import CofferSystem

/// All connections that are open.
final class Registry: Sendable {
    private let table = Locked(Table())

    private struct Table {
        var connections: [Connection?] = []
        var free: [Int] = []
    }

    func insert(_ connection: Connection) {
        table.withLock { table in
            if let place = table.free.popLast() {
                connection.place = place
                table.connections[place] = connection
            } else {
                connection.place = table.connections.count
                table.connections.append(connection)
            }
        }
    }

    func remove(_ connection: Connection) {
        table.withLock { table in
            table.connections[connection.place] = nil
            table.free.append(connection.place)
        }
    }

    /// Calls `body` for each connection; its owner may be at work on it, so only what any thread may touch is touched.
    func forEach(_ body: (Connection) -> Void) {
        table.withLock { table in
            for case let connection? in table.connections { body(connection) }
        }
    }

    /// Gives a connection a cancellation that nobody else has, for its next request.
    func renewCancellation(of connection: Connection) {
        if isKnownUniquelyReferenced(&connection.cancellation) && !connection.cancellation.isCancelled { return }
        table.withLock { _ in connection.cancellation = Cancellation() }
    }
}
